import type * as fc from 'fast-check';
import type { Outcome, StoreModel } from './store-model.ts';
import type { Kind, StoreWorld } from './store-world.ts';

/** One row of the table of commands. */
export interface CommandOf<Args, Result> {
  readonly args: (kind: Kind) => fc.Arbitrary<Args>;
  /** Default: all of them. */
  readonly kinds?: readonly Kind[];
  /** Whether there is something to do it to. Default: always. */
  readonly ready?: (model: StoreModel, args: Args) => boolean;
  readonly run: (world: StoreWorld, args: Args) => Promise<Result>;
  /**
   * Makes the same of the model. @param result what `run` gave, where it gave anything
   * @returns how `run` was meant to end
   */
  readonly effect: (model: StoreModel, args: Args, result: Result) => Outcome;
}

export type Command = CommandOf<unknown, unknown>;

/** A row whose parts agree on what they pass on. */
export function command<Args, Result>(row: CommandOf<Args, Result>): Command {
  // Arguments come from the row they are given back to.
  return row as unknown as Command;
}
