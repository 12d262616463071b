import type { CommandNode, CompletionTree, OptionNode, ValueKind } from './tree.ts';

const KEYS = "'(__holdfast_keys)'";

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function completionOf(kind: ValueKind): string {
  if (kind === 'file') return ' -r -F';
  if (kind === 'folder') return " -x -a '(__fish_complete_directories)'";
  if (kind === 'key') return ` -x -a ${KEYS}`;
  if (kind === 'none') return ' -x';
  return ` -x -a ${quoted(kind.join(' '))}`;
}

function optionLine(condition: string, { flags, description, value }: OptionNode): string {
  const spelled = flags
    .map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
    .join(' ');
  return `complete -c holdfast${condition} ${spelled}${value === undefined ? '' : completionOf(value)} -d ${quoted(description)}`;
}

/** What to offer behind a command; a group offers its own commands first. */
function commandLines(command: CommandNode, condition: string): string[] {
  const { options, arguments: kinds, commands } = command;
  if (commands !== undefined) {
    const words = commands.map(({ name }) => name.split(' ').at(-1) ?? '');
    const none = `${condition}; and not __fish_seen_subcommand_from ${words.join(' ')}`;
    return commands.flatMap((one, index) => [
      `complete -c holdfast -n '${none}' -a ${words[index]} -d ${quoted(one.description)}`,
      ...commandLines(one, `${condition}; and __fish_seen_subcommand_from ${words[index]}`),
    ]);
  }
  const lines = options.map((option) => optionLine(` -n '${condition}'`, option));
  const last = kinds.at(-1) ?? 'none';
  if (last === 'file') lines.push(`complete -c holdfast -n '${condition}' -F`);
  else if (last !== 'none')
    lines.push(`complete -c holdfast -n '${condition}'${completionOf(last).replace(' -x', '')}`);
  return lines;
}

/** The fish completion script. */
export function fishScript({ options, commands }: CompletionTree): string {
  // Which store, and what opens it: whoever asks it for keys must say so too.
  const opening = options.filter(({ value }) => value !== undefined).flatMap(({ flags }) => flags);
  const lines = [
    '# fish completion for holdfast; load with: holdfast completion fish | source',
    'function __holdfast_keys',
    '  set -l words (commandline -opc)',
    '  set -l opening',
    '  for i in (seq (count $words))',
    `    if contains -- $words[$i] ${opening.join(' ')}; and test $i -lt (count $words)`,
    '      set -a opening $words[$i] $words[(math $i + 1)]',
    '    end',
    '  end',
    '  command holdfast $opening __complete keys (commandline -ct) 2>/dev/null',
    'end',
    'complete -c holdfast -f',
    ...options.map((option) => optionLine('', option)),
  ];
  for (const command of commands) {
    lines.push(
      `complete -c holdfast -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.description)}`,
      ...commandLines(command, `__fish_seen_subcommand_from ${command.name}`),
    );
  }
  return `${lines.join('\n')}\n`;
}
