import type { Command } from 'commander';
import type { WhichVersion } from '../index.ts';
import { parseCount, parseTime } from './options.ts';
import { usageError } from './usage-error.ts';

export interface WhichFlags {
  readonly version?: string;
  readonly number?: number;
  readonly at?: string;
}

/** Adds the options that name one version of an entry. */
export function addWhichOptions(command: Command): Command {
  return command
    .option('--version <id>', 'the version with this id, or the only one that begins so')
    .option('--number <n>', 'the version with this number, as `holdfast versions KEY` shows it', parseCount)
    .option('--at <time>', 'what it was at this time, such as 2026-01-31 or 2026-01-31T12:00:00Z', parseTime);
}

/** The version that options name, if they name one. @throws a usage error for more than one */
export function whichOf({ version, number, at }: WhichFlags): WhichVersion | undefined {
  const named: WhichVersion[] = [
    ...(version !== undefined ? [{ version }] : []),
    ...(number !== undefined ? [{ number }] : []),
    ...(at !== undefined ? [{ at }] : []),
  ];
  if (named.length > 1) throw usageError('--version, --number and --at exclude each other');
  return named[0];
}
