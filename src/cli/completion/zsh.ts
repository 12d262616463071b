import type { CompletionTree, OptionNode, ValueKind } from './tree.ts';

function action(kind: ValueKind): string {
  if (kind === 'file') return '_files';
  if (kind === 'folder') return '_files -/';
  if (kind === 'key') return '_holdfast_keys';
  if (kind === 'none') return ' ';
  return `(${kind.join(' ')})`;
}

/** Text inside a quoted specification: brackets and colons have a meaning to zsh's functions, quotes to its parser. */
function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&').replace(/'/g, "'\\''");
}

function specification({ flags, description, value }: OptionNode): string {
  const spelled = flags.length > 1 ? `'(${flags.join(' ')})'{${flags.join(',')}}` : `${flags[0]}`;
  const argument = value === undefined ? '' : `:value:${action(value)}`;
  return `${spelled}'[${escaped(description)}]${argument}'`;
}

/** The zsh completion script. */
export function zshScript({ options, commands }: CompletionTree): string {
  const described = commands.map(({ name, description }) => `    '${name}:${escaped(description)}'`);
  const cases = commands.map((command) => {
    const rest = `'*:argument:${action(command.arguments.at(-1) ?? 'none')}'`;
    const specifications = [...command.options.map(specification), '$global', rest];
    return `        ${command.name}) _arguments ${specifications.join(' \\\n          ')} ;;`;
  });
  return `#compdef holdfast
# zsh completion for holdfast; load with: source <(holdfast completion zsh)
_holdfast_keys() {
  local -a keys
  keys=(\${(f)"$(command holdfast $store __complete keys "\${(Q)PREFIX}" 2>/dev/null)"})
  compadd -a keys
}
_holdfast() {
  local context state line
  typeset -A opt_args
  local -a commands global store
  # Here and not where keys are completed: there, words begin with the command.
  local at=\${words[(I)(-s|--store)]}
  (( at )) && store=(-s "\${(Q)words[at+1]/#\\~/$HOME}")
  commands=(
${described.join('\n')}
  )
  global=(
${options.map((option) => `    ${specification(option)}`).join('\n')}
  )
  _arguments -C $global '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac ;;
  esac
}
compdef _holdfast holdfast
`;
}
