import { type CaseEffects, effectsOf } from './case-run.ts';
import { KINDS, newMachine, type StoreKind } from './kinds.ts';
import { casesOf, type SimulatedCase } from './simulated-cases.ts';
import { emptyMachine, type SimulatedMachine } from './simulated-machine.ts';

interface Pair {
  readonly kind: StoreKind;
  readonly one: SimulatedCase;
}

/** Every case of every kind of store, in an order in which neighbours have little in common. */
const PAIRS: readonly Pair[] = spreadOut(KINDS.flatMap((kind) => casesOf(kind).map((one) => ({ kind, one }))));

function spreadOut(pairs: readonly Pair[]): readonly Pair[] {
  const place = (at: number): number => (at * ((Math.sqrt(5) - 1) / 2)) % 1;
  return pairs
    .map((pair, at) => ({ pair, at: place(at) }))
    .sort((a, b) => a.at - b.at)
    .map(({ pair }) => pair);
}

/** What one round is about. */
export interface RoundParts<Figures> extends Pair {
  readonly machine: SimulatedMachine;
  readonly effects: CaseEffects;
  /** All that happens in the round follows from it. */
  readonly seed: number;
  /** How much to try in it, about. */
  readonly size: number;
  /** Added to. */
  readonly figures: Figures;
}

/** Rounds of what may happen to a store: each of one case of one kind of store, and each another one. */
export class SimulatedCampaign<Figures> {
  readonly figures: Figures;
  readonly #seed: number;
  readonly #runRound: (parts: RoundParts<Figures>) => Promise<void>;
  readonly #machines = new Map<StoreKind, Promise<SimulatedMachine>>();
  readonly #effects = new Map<Pair, Promise<CaseEffects>>();

  constructor(
    seed: number,
    what: { readonly figures: Figures; readonly runRound: (parts: RoundParts<Figures>) => Promise<void> },
  ) {
    this.#seed = seed;
    this.figures = what.figures;
    this.#runRound = what.runRound;
  }

  /**
   * @param round from 0; which case it is about follows from it, and with the seed all that happens
   * @param size how much to try in it, about
   * @throws when something was lost
   */
  async run(round: number, size: number): Promise<void> {
    const pair = PAIRS[(this.#seed + round) % PAIRS.length] as Pair;
    const machine = pair.one.begins === 'absent' ? emptyMachine() : await this.#machineOf(pair.kind);
    const effects = this.#effects.get(pair) ?? effectsOf(machine, pair);
    this.#effects.set(pair, effects);
    const seed = Math.imul(this.#seed, 7919) + round;
    const parts = { machine, ...pair, effects: await effects, seed, size, figures: this.figures };
    const { stackTraceLimit } = Error;
    // Every file that is looked for and absent is an error: half of the time went into where.
    Error.stackTraceLimit = 0;
    try {
      await this.#runRound(parts);
    } catch (error) {
      throw new Error(`round ${round} of seed ${this.#seed}: ${String(error)}`, { cause: error });
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  #machineOf(kind: StoreKind): Promise<SimulatedMachine> {
    const machine = this.#machines.get(kind) ?? newMachine(kind);
    this.#machines.set(kind, machine);
    return machine;
  }
}
