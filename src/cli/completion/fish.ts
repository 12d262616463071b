import type { CompletionTree, OptionNode, ValueKind } from './tree.ts';

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

/** The fish completion script. */
export function fishScript({ options, commands }: CompletionTree): string {
  const lines = [
    '# fish completion for holdfast; load with: holdfast completion fish | source',
    'function __holdfast_keys',
    '  set -l words (commandline -opc)',
    '  set -l store',
    '  for i in (seq (count $words))',
    '    if contains -- $words[$i] -s --store; and test $i -lt (count $words)',
    '      set store -s $words[(math $i + 1)]',
    '    end',
    '  end',
    '  command holdfast $store __complete keys (commandline -ct) 2>/dev/null',
    'end',
    'complete -c holdfast -f',
    ...options.map((option) => optionLine('', option)),
  ];
  for (const { name, description, options: own, arguments: kinds } of commands) {
    const condition = ` -n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c holdfast -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`);
    lines.push(...own.map((option) => optionLine(condition, option)));
    const last = kinds.at(-1) ?? 'none';
    if (last === 'file') lines.push(`complete -c holdfast${condition} -F`);
    else if (last !== 'none') lines.push(`complete -c holdfast${condition}${completionOf(last).replace(' -x', '')}`);
  }
  return `${lines.join('\n')}\n`;
}
