import { type CompletionTree, flatCommands, type OptionNode, type ValueKind } from './tree.ts';

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

/** What finds out the word to complete, and offers what fits it. */
const HELPERS = `_holdfast_unquote() {
  # What the last word of a text means: to bash, it is still quoted.
  local text=$1 at c
  word='' quote=''
  for ((at = 0; at < \${#text}; at++)); do
    c=\${text:at:1}
    if [[ $quote == "'" && $c != "'" ]]; then word+=$c
    elif [[ $c == \\\\ ]]; then at=$((at + 1)); word+=\${text:at:1}
    elif [[ $c == "$quote" ]]; then quote=''
    elif [[ -n $quote ]]; then word+=$c
    elif [[ $c == [\\"\\'] ]]; then quote=$c
    elif [[ $c == [[:space:]] ]]; then word=''
    else word+=$c; fi
  done
}
_holdfast_reply() {
  # Bash splits words at colons, so what stands before the last one must not come again.
  local line
  while IFS= read -r line; do
    [[ $line == "$whole"* ]] || continue
    line=\${line#"$lead"}
    # Inside quotes nothing is quoted again; what would end them cannot be offered.
    if [[ -z $quote ]]; then COMPREPLY+=("$(printf '%q' "$line")")
    elif [[ $line != *[\\"\\'\\$\\\\\\\`]* ]]; then COMPREPLY+=("$line"); fi
  done
}
_holdfast_words() { _holdfast_reply < <(printf '%s\\n' $1); }
_holdfast_files() {
  # Quoted by bash itself, once it knows that these are files.
  local line
  if ! compopt -o filenames 2>/dev/null; then _holdfast_reply < <(compgen "$1" -- "$whole"); return; fi
  while IFS= read -r line; do COMPREPLY+=("\${line#"$lead"}"); done < <(compgen "$1" -- "$whole")
}
_holdfast_keys() { _holdfast_reply < <(command holdfast "\${opening[@]}" __complete keys "$whole" 2>/dev/null); }
`;

/** The bash completion script. Works in bash 3.2 (macOS) and without the bash-completion package. */
export function bashScript(tree: CompletionTree): string {
  const { options } = tree;
  const commands = flatCommands(tree);
  const values = [
    ...valueCases('*', options),
    ...commands.flatMap((command) => valueCases(command.name, command.options)),
  ];
  // Which store, and what opens it: whoever asks it for keys must say so too.
  const opening = options
    .filter(({ value }) => value !== undefined)
    .flatMap(({ flags: spelled }) => spelled)
    .join('|');
  const groups = tree.commands.filter((command) => command.commands !== undefined).map(({ name }) => name);
  const flags = commands.map(({ name, options: own }) => `    '${name}') flags='${flagsOf([...own, ...options])}' ;;`);
  const positional = commands.map(
    (command) => `    '${command.name}') ${action(command.arguments.at(-1) ?? 'none')} ;;`,
  );
  // The scope of global options is any command, so their patterns must not be quoted.
  return `# bash completion for holdfast; load with: source <(holdfast completion bash)
${HELPERS}_holdfast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} name='' flags='' i
  local word quote whole lead='' opening=()
  COMPREPLY=()
  _holdfast_unquote "$cur"
  local last=$word
  _holdfast_unquote "\${COMP_LINE:0:COMP_POINT}"
  whole=$word
  if [[ $cur == : ]]; then lead=$whole; else lead=\${whole%"$last"}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${opening}) opening+=("\${COMP_WORDS[i]}" "\${COMP_WORDS[i+1]/#\\~/$HOME}"); i=$((i + 1)) ;;
      -*) ;;
      *)
        case $name in
          '') name=\${COMP_WORDS[i]} ;;
${groups.map((name) => `          ${name}) name+=" \${COMP_WORDS[i]}" ;;`).join('\n')}
        esac ;;
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
    '') _holdfast_words '${tree.commands.map(({ name }) => name).join(' ')}' ;;
${positional.join('\n')}
  esac
}
complete -F _holdfast holdfast
`;
}
