/**
 * What is fuzzed: one function that is given bytes or text from outside, good samples of what it reads, ways to change
 * them, and what must hold whatever it is given.
 *
 * 1. It gives a value or throws one of the listed errors; nothing else is ever thrown, and it always ends.
 * 2. Whatever it gives passes `check`: written again it is the same bytes where there is one spelling, the same value where
 *    there are several.
 * 3. Samples are accepted. What `newer` makes of one asks for a newer version: `unsupported`, never `corrupt`.
 * 4. Neither time nor memory follows from what the input claims, and the input stays as it was.
 */
import type { ErrorCode } from '../../../src/errors/codes.ts';
import type { SeededRandom } from '../../../src/testing/seeded-random.ts';
import type { Mutation } from '../mutations/mutation.ts';

/** How much a case costs: a run of so many cases has all, a twentieth or a two-thousandth of them. */
export type Cost = 'cheap' | 'dear' | 'costly';

export const CASES_PER_RUN: Readonly<Record<Cost, number>> = { cheap: 1, dear: 1 / 20, costly: 1 / 2000 };

/** A target without what it is made of, as the harness runs it. */
export interface FuzzTarget {
  /** Words with dashes, unique. */
  readonly name: string;
  readonly cost: Cost;
  prepare(): Promise<PreparedTarget>;
}

export interface PreparedTarget {
  readonly samples: readonly Uint8Array[];
  readonly mutations: readonly Mutation[];
  /** Makes the checksums, digests or seals of an input right, so that what is behind them is reached. */
  readonly repair: ((input: Uint8Array) => Uint8Array) | undefined;
  readonly newer: ((sample: Uint8Array, random: SeededRandom) => Uint8Array) | undefined;
  /** Throws what the target throws, or `CheckFailed`. */
  run(input: Uint8Array): unknown;
  readonly errors: ReadonlySet<ErrorCode>;
  /** Whether `TypeError` and `RangeError` that name a parameter are part of the contract. */
  readonly arguments: boolean;
  readonly memoryBytesMax: number;
  readonly caseMsMax: number;
  close(): Promise<void>;
}

/** What a target is made of. */
export interface TargetParts<Value> {
  readonly name: string;
  readonly samples: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  readonly mutations: readonly Mutation[];
  readonly read: (input: Uint8Array) => Value | Promise<Value>;
  /** Throws when a value is not what the input says. Anything it throws is a failure. */
  readonly check?: (value: Value, input: Uint8Array) => void | Promise<void>;
  readonly errors: readonly ErrorCode[];
  readonly arguments?: boolean;
  readonly repair?: (input: Uint8Array) => Uint8Array;
  readonly newer?: (sample: Uint8Array, random: SeededRandom) => Uint8Array;
  /** Default `cheap`. */
  readonly cost?: Cost;
  /** Bytes that one case may take beside 64 for each byte of input; default 32 MiB. */
  readonly memoryBytesMax?: number;
  /** Default 1,000. */
  readonly caseMsMax?: number;
  /** Gives back what `samples` opened. */
  readonly close?: () => Promise<void>;
}

/** Something that was read is not what it must be. */
export class CheckFailed extends Error {}

const MEMORY_BYTES_MAX = 32 * 1024 * 1024;
const CASE_MS_MAX = 1000;

export function fuzzTarget<Value>(parts: TargetParts<Value>): FuzzTarget {
  const { name, cost = 'cheap', memoryBytesMax = MEMORY_BYTES_MAX, caseMsMax = CASE_MS_MAX } = parts;
  return {
    name,
    cost,
    prepare: async () => ({
      samples: await parts.samples(),
      mutations: parts.mutations,
      repair: parts.repair,
      newer: parts.newer,
      errors: new Set(parts.errors),
      arguments: parts.arguments ?? false,
      memoryBytesMax,
      caseMsMax,
      run: (input) => runCase(parts, input),
      close: parts.close ?? (async () => undefined),
    }),
  };
}

/** Not async: of a hundred targets nearly all are done at once, and a promise costs more than most of what they do. */
function runCase<Value>({ read, check }: TargetParts<Value>, input: Uint8Array): unknown {
  const value = read(input);
  if (value instanceof Promise) return value.then((one: Value) => checked(check, one, input));
  return checked(check, value, input);
}

function checked<Value>(check: TargetParts<Value>['check'], value: Value, input: Uint8Array): unknown {
  if (check === undefined) return undefined;
  try {
    const done = check(value, input);
    return done instanceof Promise ? done.catch(failed) : done;
  } catch (error) {
    return failed(error);
  }
}

/** An error of the target's own contract, thrown by the check, is a failure all the same. */
function failed(error: unknown): never {
  if (error instanceof CheckFailed) throw error;
  throw new CheckFailed(`its check threw ${String(error)}`, { cause: error });
}
