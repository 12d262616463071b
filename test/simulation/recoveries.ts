/** What stores come to that were left in the midst of something: opened, read, checked and written to, each state once. */
import { isStoreError, type Store } from '../../src/index.ts';
import type { Place } from '../../src/store/location.ts';
import { createAt } from '../../src/store/open.ts';
import { rebuildAt } from '../../src/store/rebuild.ts';
import type { SeededRandom } from '../../src/testing/index.ts';
import { createOptions, openAdopted, openOptions, type StoreKind } from './kinds.ts';
import type { SimulatedCase } from './simulated-cases.ts';
import { digestsOf, placeOn, type SimulatedMachine } from './simulated-machine.ts';
import { ABSENT, imageOf, type StoreImage } from './store-image.ts';
import { expectNext, expectRebuilt } from './verify-store.ts';

export interface RecoveryFigures {
  /** Disks that differ in what anybody reads: each was opened. */
  recovered: number;
  /** What those came to: each was read, checked and written to. */
  verified: number;
  /** Of these, those whose metadata was made anew from the packs, and compared. */
  rebuilt: number;
}

const REBUILD_ODDS = 8;
/** What processes draw their randomness from; no two that see each other have one seed. */
const SEEDS = { recovering: 12, rebuilding: 21 } as const;

/** What is left of a machine: its disk, and of the metadata a digest. */
export interface LeftMachine {
  readonly machine: SimulatedMachine;
  readonly databases: string;
  /** Whether the file of the metadata is gone. */
  readonly isLost: boolean;
}

/** Recoveries of one case of one kind of store. */
export class Recoveries {
  readonly #kind: StoreKind;
  readonly #one: SimulatedCase;
  readonly #figures: RecoveryFigures;
  readonly #random: SeededRandom;
  /** What was read, by what anybody reads of a disk. */
  readonly #recovered = new Map<string, StoreImage>();
  /** The same, by the state that a recovery came to. */
  readonly #verified = new Map<string, StoreImage>();

  constructor(parts: {
    readonly kind: StoreKind;
    readonly one: SimulatedCase;
    readonly figures: RecoveryFigures;
    /** Says which states are rebuilt. */
    readonly random: SeededRandom;
  }) {
    this.#kind = parts.kind;
    this.#one = parts.one;
    this.#figures = parts.figures;
    this.#random = parts.random;
  }

  /**
   * Lets a new process open what is left, unless one was opened already that nobody can tell from it.
   * @returns what it holds
   * @throws when it cannot be opened, read, written to or rebuilt, or a check finds anything that a repair does not mend
   */
  async holds(left: LeftMachine): Promise<StoreImage> {
    const name = `${digestsOf(left.machine.disk).readable} ${left.databases} ${left.isLost}`;
    const holds = this.#recovered.get(name) ?? (await this.#recover(left));
    this.#recovered.set(name, holds);
    return holds;
  }

  /**
   * Opens what is left. Metadata that is lost, or that a rebuild left in the midst, is made anew; so is a store whose
   * creation ended before there was one.
   */
  async open(place: Place, { isLost }: Pick<LeftMachine, 'isLost'>): Promise<{ store: Store; isNew: boolean }> {
    const [kind, one] = [this.#kind, this.#one];
    try {
      return { store: await openAdopted(place, kind), isNew: false };
    } catch (error) {
      if (one.begins === 'absent' && isStoreError(error, 'STORE_NOT_FOUND', 'NOT_A_STORE'))
        return { store: await createAt(place, createOptions(kind)), isNew: true };
      if (!(one.rebuilds || isLost) || !isStoreError(error, 'METADATA_MISSING')) throw error;
      await rebuildAt(place, openOptions(kind));
      return { store: await openAdopted(place, kind), isNew: false };
    }
  }

  async #recover({ machine, isLost }: LeftMachine): Promise<StoreImage> {
    const [figures, kind] = [this.#figures, this.#kind];
    const { place, process } = placeOn(machine, { seed: SEEDS.recovering });
    const { store, isNew } = await this.open(place, { isLost });
    figures.recovered += 1;
    const state = `${isNew} ${digestsOf(machine.disk).readable} ${await machine.databases.digest()}`;
    const known = this.#verified.get(state);
    if (known) {
      process.end();
      await store.close().catch(() => undefined);
      return known;
    }
    const held = await imageOf(store);
    await expectNext(store);
    await store.close();
    if (this.#random.integer(REBUILD_ODDS) === 0) {
      await expectRebuilt(machine, { kind, image: held, seed: SEEDS.rebuilding });
      figures.rebuilt += 1;
    }
    const image = isNew ? ABSENT : held;
    this.#verified.set(state, image);
    figures.verified += 1;
    return image;
  }
}
