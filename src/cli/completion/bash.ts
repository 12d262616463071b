import type { CompletionTree, OptionNode, ValueKind } from './tree.ts';

function action(kind: ValueKind): string {
  if (kind === 'file') return '_holdfast_files -f';
  if (kind === 'folder') return '_holdfast_files -d';
  if (kind === 'key') return '_holdfast_keys';
  if (kind === 'none') return ':';
  return `_holdfast_words '${kind.join(' ')}'`;
}

function flagsOf(options: readonly OptionNode[]): string {
  return options.flatMap(({ flags }) => flags).join(' ');
}

function valueCases(scope: string, options: readonly OptionNode[]): string[] {
  return options.flatMap(({ flags, value }) =>
    value === undefined
      ? []
      : [`    ${flags.map((flag) => `'${scope}:${flag}'`).join('|')}) ${action(value)}; return ;;`],
  );
}

/** The bash completion script. Works in bash 3.2 (macOS) and without the bash-completion package. */
export function bashScript({ options, commands }: CompletionTree): string {
  const values = [
    ...valueCases('*', options),
    ...commands.flatMap((command) => valueCases(command.name, command.options)),
  ];
  const flags = commands.map(({ name, options: own }) => `    ${name}) flags='${flagsOf([...own, ...options])}' ;;`);
  const positional = commands.map((command) => `    ${command.name}) ${action(command.arguments.at(-1) ?? 'none')} ;;`);
  // The scope of global options is any command, so their patterns must not be quoted.
  return `# bash completion for holdfast; load with: source <(holdfast completion bash)
_holdfast_reply() {
  # Bash splits words at colons, so what stands before the last one must not come again.
  local line
  while IFS= read -r line; do
    [[ $line == "$whole"* ]] || continue
    COMPREPLY+=("$(printf '%q' "\${line#"$lead"}")")
  done
}
_holdfast_words() { _holdfast_reply < <(printf '%s\\n' $1); }
_holdfast_files() { compopt -o filenames 2>/dev/null; _holdfast_reply < <(compgen "$1" -- "$whole"); }
_holdfast_keys() { _holdfast_reply < <(command holdfast "\${store[@]}" __complete keys "$whole" 2>/dev/null); }
_holdfast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} name='' flags='' i
  local before=\${COMP_LINE:0:COMP_POINT}
  local whole=\${before##*[[:space:]]} lead='' store=()
  COMPREPLY=()
  if [[ $cur == : ]]; then lead=$whole; else lead=\${whole%"$cur"}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -s|--store) store=(-s "\${COMP_WORDS[i+1]/#\\~/$HOME}"); i=$((i + 1)) ;;
      -*) ;;
      *) if [[ -z $name ]]; then name=\${COMP_WORDS[i]}; fi ;;
    esac
  done
  case "$name:$prev" in
${values.join('\n').replaceAll("'*:", "*':")}
  esac
  case $name in
    '') flags='${flagsOf(options)}' ;;
${flags.join('\n')}
  esac
  if [[ $cur == -* ]]; then _holdfast_words "$flags"; return; fi
  case $name in
    '') _holdfast_words '${commands.map(({ name }) => name).join(' ')}' ;;
${positional.join('\n')}
  esac
}
complete -F _holdfast holdfast
`;
}
