import type { CommandNode, CompletionTree, OptionNode, ValueKind } from './tree.ts';

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

/** One branch of a `case`: what follows the name of a command. */
function branch(command: CommandNode, indent: string): string {
  const word = command.name.split(' ').at(-1);
  if (command.commands !== undefined) {
    const described = command.commands.map((one) => `'${one.name.split(' ').at(-1)}:${escaped(one.description)}'`);
    return `${indent}${word})
${indent}  commands=(${described.join(' ')})
${indent}  _arguments -C $global '1:command:->command' '*::argument:->argument'
${indent}  case $state in
${indent}    command) _describe command commands ;;
${indent}    argument)
${indent}      case $words[1] in
${command.commands.map((one) => branch(one, `${indent}        `)).join('\n')}
${indent}      esac ;;
${indent}  esac ;;`;
  }
  const rest = `'*:argument:${action(command.arguments.at(-1) ?? 'none')}'`;
  const specifications = [...command.options.map(specification), '$global', rest];
  return `${indent}${word}) _arguments ${specifications.join(` \\\n${indent}  `)} ;;`;
}

/** The zsh completion script. */
export function zshScript({ options, commands }: CompletionTree): string {
  const described = commands.map(({ name, description }) => `    '${name}:${escaped(description)}'`);
  // Which store, and what opens it: whoever asks it for keys must say so too.
  const opening = options.filter(({ value }) => value !== undefined).flatMap(({ flags }) => flags);
  return `#compdef holdfast
# zsh completion for holdfast; load with: source <(holdfast completion zsh)
_holdfast_keys() {
  local -a keys
  keys=(\${(f)"$(command holdfast $opening __complete keys "\${(Q)PREFIX}" 2>/dev/null)"})
  compadd -a keys
}
_holdfast() {
  local context state line at
  typeset -A opt_args
  local -a commands global opening
  # Here and not where keys are completed: there, words begin with the command.
  for ((at = 2; at < CURRENT; at++)); do
    case $words[at] in
      ${opening.join('|')}) opening+=("$words[at]" "\${(Q)words[at+1]/#\\~/$HOME}"); ((at++)) ;;
    esac
  done
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
${commands.map((command) => branch(command, '        ')).join('\n')}
      esac ;;
  esac
}
compdef _holdfast holdfast
`;
}
