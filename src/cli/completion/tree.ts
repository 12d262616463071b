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
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  /** What the arguments are; the last one repeats. */
  readonly arguments: readonly ValueKind[];
}

export interface CompletionTree {
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

const KIND_OF_PLACEHOLDER: Readonly<Record<string, ValueKind>> = {
  paths: 'file',
  path: 'file',
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

function commandNode(command: Command): CommandNode {
  return {
    name: command.name(),
    description: command.summary() || command.description(),
    options: command.options.map(optionNode),
    arguments: command.registeredArguments.map((argument: Argument) => kindOf(argument.name(), argument.argChoices)),
  };
}

/** Reads from the commander tree what completion scripts need, so that they cannot fall behind it. */
export function completionTree(program: Command): CompletionTree {
  const help = { flags: ['-h', '--help'], description: 'print help' };
  return {
    options: [...program.options.map(optionNode), help],
    // Hidden commands begin with two underscores.
    commands: program.commands.filter((command) => !command.name().startsWith('__')).map(commandNode),
  };
}
