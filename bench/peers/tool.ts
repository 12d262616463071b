import { execFileSync } from 'node:child_process';
import type { ProcessRequest } from '../harness/run-process.ts';

/** Folders of one run of one tool. */
export interface ToolPaths {
  /** The store; `init` makes it. */
  readonly store: string;
  /** Caches and settings, so that nothing of the user's is read or changed. */
  readonly home: string;
}

/** A program that keeps one file and gives it back, as command lines. */
export interface Tool {
  readonly name: string;
  /** What it was asked to do, for the reader of the table. */
  readonly settings: string;
  /** First line of its version, or `undefined` when it is not installed. */
  version(): string | undefined;
  /** How to get it. */
  readonly advice: string;
  init(paths: ToolPaths): readonly ProcessRequest[];
  /** Stores `file`; `nth` counts from 0, and every later one meets the same bytes under another name. */
  ingest(paths: ToolPaths, file: string, nth: number): ProcessRequest;
  /** Whether a second ingest shows anything: a plain compressor just does the work again. */
  readonly remembers: boolean;
  /** Files of the store that hold nothing of the content, however much was put. */
  readonly notStored?: readonly string[];
  /** Writes the first ingested content to `target`, which has the name of `file` in an empty folder. */
  restore(paths: ToolPaths, file: string, target: string): ProcessRequest;
}

/** @returns the first line that `command args` prints, or `undefined` when there is no such command */
export function firstLine(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
      .split('\n')[0]!
      .trim();
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}
