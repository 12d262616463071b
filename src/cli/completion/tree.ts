import type { Argument, Command, Option } from 'commander';

/** What a shell can offer for a value: files, folders, keys of the store, fixed words, or nothing. */
export type ValueKind = 'file' | 'folder' | 'key' | 'none' | readonly string[];

export interface OptionNode {
  /** `-o`, `--output`: all spellings. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent for a switch. */
  readonly value?: ValueKind;
}

export interface CommandNode {
  /** Of a command in a group, that of the group stands before it: `key add`. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  /** What the arguments are; the last one repeats. */
  readonly arguments: readonly ValueKind[];
  /** There in a group, whose only argument is one of these. */
  readonly commands?: readonly CommandNode[];
}

export interface CompletionTree {
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

const KIND_OF_PLACEHOLDER: Readonly<Record<string, ValueKind>> = {
  paths: 'file',
  path: 'file',
  file: 'file',
  target: 'file',
  files: 'file',
  folder: 'folder',
  key: 'key',
  keys: 'key',
  prefix: 'key',
  from: 'key',
  to: 'key',
};

function kindOf(placeholder: string, choices: readonly string[] | undefined): ValueKind {
  return choices ?? KIND_OF_PLACEHOLDER[placeholder] ?? 'none';
}

function optionNode(option: Option): OptionNode {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const node = { flags, description: option.description };
  if (!option.required && !option.optional) return node;
  const placeholder = /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? '';
  return { ...node, value: kindOf(placeholder, option.argChoices) };
}

function commandNode(command: Command, group?: string): CommandNode {
  const name = group === undefined ? command.name() : `${group} ${command.name()}`;
  const node = { name, description: command.summary() || command.description() };
  const commands = command.commands.map((one) => commandNode(one, name));
  const words = commands.map((one) => one.name.slice(name.length + 1));
  const values = command.registeredArguments.map((argument: Argument) => kindOf(argument.name(), argument.argChoices));
  return {
    ...node,
    options: command.options.map(optionNode),
    arguments: words.length > 0 ? [words] : values,
    ...(words.length > 0 && { commands }),
  };
}

/** Every command, a group before what is in it. */
export function flatCommands(tree: CompletionTree): readonly CommandNode[] {
  return tree.commands.flatMap((command) => [command, ...(command.commands ?? [])]);
}

/** Reads from the commander tree what completion scripts need, so that they cannot fall behind it. */
export function completionTree(program: Command): CompletionTree {
  const help = { flags: ['-h', '--help'], description: 'print help' };
  return {
    options: [...program.options.map(optionNode), help],
    // Hidden commands begin with two underscores.
    commands: program.commands
      .filter((command) => !command.name().startsWith('__'))
      .map((command) => commandNode(command)),
  };
}
