/**
 * Faults of one case: calls of the file system and transactions of the metadata fail while its steps run, and what the
 * store says of it, what its handle does then, and what the next process finds must agree.
 */
import { isStoreError, type Store, type StoreError } from '../../src/index.ts';
import { isDefinite } from '../../src/store/health.ts';
import { survivalByChance } from '../../src/testing/crash-disk.ts';
import { FaultyFileSystem, type SeededRandom, seededRandom } from '../../src/testing/index.ts';
import { beginCase, type CaseRun, type StepEnd, wrongWith } from './case-run.ts';
import {
  drawFault,
  type FailingCalls,
  type FailingProcess,
  heal,
  type PlannedFault,
  setFault,
} from './planned-fault.ts';
import { Recoveries, type RecoveryFigures } from './recoveries.ts';
import { type RoundParts, SimulatedCampaign } from './simulated-campaign.ts';
import { digestsOf, placeOn, type SimulatedMachine } from './simulated-machine.ts';
import { imageOf, type StoreImage } from './store-image.ts';

interface FaultFigures extends RecoveryFigures {
  /** A case, the calls that failed in it, and what became of the process then. */
  faults: number;
  /** Of these, those after which the next process met another one as it opened the store. */
  twice: number;
  /** Of all, those in which a step failed. */
  failed: number;
  /** Of all, those after which the handle took no more changes until the store was opened again. */
  poisoned: number;
}

/** Rounds of injected faults. */
export function faultCampaign(seed: number): SimulatedCampaign<FaultFigures> {
  const figures = { faults: 0, twice: 0, failed: 0, poisoned: 0, recovered: 0, verified: 0, rebuilt: 0 };
  return new SimulatedCampaign(seed, { figures, runRound: (parts) => new FaultRound(parts).run() });
}

/** What processes draw their randomness from; no two that see each other have one seed. */
const SEEDS = { preparing: 3000, first: 1000, second: 11 } as const;
/** One process in so many that come after a fault meets one itself while it opens the store. */
const SECOND_ODDS = 6;
/** What opening a store takes, and more. */
const OPENING_CALLS: FailingCalls = { files: 80, transactions: 20 };
const LATER = 'later';
/** What nothing takes: whoever has not answered by then never will. */
const ANSWER_MS_MAX = 20_000;

/** How a process ended. */
const ENDINGS = ['closed', 'closed', 'killed', 'power cut'] as const;

/** What a run says it did. */
interface Told {
  readonly ends: readonly StepEnd[];
  /** What a step failed with. */
  readonly failure: StoreError | undefined;
  /** What a put failed with that came after it; absent where there was none. */
  readonly later: StoreError | 'acknowledged' | undefined;
}

/** A run of a case whose process meets a fault. */
interface FailingRun extends FailingProcess {
  readonly run: CaseRun;
}

class FaultRound {
  readonly #parts: RoundParts<FaultFigures>;
  readonly #random: SeededRandom;
  readonly #recoveries: Recoveries;
  /** What handles held after a fault, by what they were over. */
  readonly #held = new Map<string, StoreImage>();

  constructor(parts: RoundParts<FaultFigures>) {
    this.#parts = parts;
    this.#random = seededRandom(parts.seed);
    this.#recoveries = new Recoveries({ ...parts, random: this.#random });
  }

  /** @throws when something was lost, with all that is needed to do it again */
  async run(): Promise<void> {
    const { machine, kind, one, size, seed, figures } = this.#parts;
    await machine.databases.tried(async () => {
      const prepared = await this.#prepared();
      const calls = await machine.databases.tried(() => this.#countCalls(prepared));
      for (let at = 0; at < size; at += 1) {
        const fault = drawFault(this.#random, calls);
        try {
          await machine.databases.tried(() => this.#try(prepared, fault));
        } catch (error) {
          const where = `${kind.name}, ${one.title}, seed ${seed}, fault ${at}: ${JSON.stringify(fault)}`;
          throw new Error(`${where}: ${String(error)}`, { cause: error });
        }
        figures.faults += 1;
      }
    });
  }

  /** Where the case begins, made once: every fault starts from it. */
  async #prepared(): Promise<SimulatedMachine> {
    const { machine, kind, one, seed } = this.#parts;
    const copy = { ...machine, disk: machine.disk.fork() };
    const run = await beginCase(copy, { kind, one }, { seed: SEEDS.preparing + seed });
    await run.close();
    return copy;
  }

  async #begin(machine: SimulatedMachine): Promise<FailingRun> {
    const { kind, one, seed } = this.#parts;
    const { prepare: _, ...bare } = one;
    const disk = new FaultyFileSystem(machine.disk, '/');
    const run = await beginCase(machine, { kind, one: bare }, { seed: SEEDS.first + seed, wrap: () => disk });
    return { machine, run, disk, process: run.process };
  }

  async #countCalls(prepared: SimulatedMachine): Promise<FailingCalls> {
    const { run, disk, process } = await this.#begin({ ...prepared, disk: prepared.disk.fork() });
    const before = { files: disk.trace.length, transactions: process.transactions };
    await run.steps();
    await run.close();
    return { files: disk.trace.length - before.files, transactions: process.transactions - before.transactions };
  }

  async #try(prepared: SimulatedMachine, fault: PlannedFault): Promise<void> {
    const failing = await this.#begin({ ...prepared, disk: prepared.disk.fork() });
    const { machine, run, process } = failing;
    setFault(failing, fault);
    const failure = await failureOf(run.steps());
    for (const one of run.failures) if (!isStoreError(one)) throw one;
    if (failure) this.#parts.figures.failed += 1;
    let later: Told['later'];
    if (fault.healed !== 'after closing') {
      heal(failing);
      later = await this.#goOn(failing, failure);
    }
    const ending = ENDINGS[this.#random.integer(ENDINGS.length)] ?? 'closed';
    if (ending === 'closed') await failureOf(run.close());
    heal(failing);
    process.end();
    if (ending !== 'closed') await run.store?.close().catch(() => undefined);
    const disk = ending === 'power cut' ? machine.disk.survivor(survivalByChance(this.#random)) : machine.disk;
    const left = { ...machine, disk };
    if (this.#random.integer(SECOND_ODDS) === 0) await this.#openFailing(left);
    await this.#expectLeft(left, { ends: run.ends, failure, later });
  }

  /** The process that comes next meets a fault as well. */
  async #openFailing(machine: SimulatedMachine): Promise<void> {
    const disk = new FaultyFileSystem(machine.disk, '/');
    const { place, process } = placeOn(machine, { seed: SEEDS.second, wrap: () => disk });
    setFault({ machine, disk, process }, drawFault(this.#random, OPENING_CALLS));
    let store: Store | undefined;
    const work = async (): Promise<void> => {
      ({ store } = await this.#recoveries.open(place, { isLost: false }));
    };
    await failureOf(work());
    process.end();
    await (store as Store | undefined)?.close().catch(() => undefined);
    this.#parts.figures.twice += 1;
  }

  /** The handle after the failure: it reads, and takes changes unless it says that it does not. */
  async #goOn({ run, machine }: FailingRun, failure: StoreError | undefined): Promise<Told['later']> {
    const { one, effects, figures } = this.#parts;
    const { store, ends } = run;
    if (store === undefined) return undefined;
    const wrong = wrongWith(await this.#heldBy(store, machine), effects, { one, ends });
    if (wrong) throw new Error(`in the handle ${wrong} (${failure?.code})`);
    const later = await failureOf(store.put(LATER, 'x'));
    if (later === undefined) return 'acknowledged';
    // What it is in doubt of may have failed in work of its own, beside the steps.
    if (!isStoreError(later, 'STORE_POISONED') || leavesNoDoubt(later.cause)) throw later;
    figures.poisoned += 1;
    return later;
  }

  async #heldBy(store: Store, machine: SimulatedMachine): Promise<StoreImage> {
    const state = `${digestsOf(machine.disk).readable} ${await machine.databases.digest()}`;
    const image = this.#held.get(state) ?? (await imageOf(store));
    this.#held.set(state, image);
    return image;
  }

  async #expectLeft(machine: SimulatedMachine, told: Told): Promise<void> {
    const { one, effects } = this.#parts;
    const databases = await machine.databases.digest();
    const image = await this.#recoveries.holds({ machine, databases, isLost: false });
    const { [`entry default ${LATER}`]: later, ...others } = image;
    if (told.later === 'acknowledged' && later === undefined) throw new Error('the put after the fault is lost');
    if (told.later !== 'acknowledged' && later !== undefined) throw new Error('there is what was refused');
    const wrong = wrongWith(others, effects, { one, ends: told.ends });
    if (wrong) throw new Error(`${wrong} (${told.failure?.code})`);
  }
}

/** Whether a handle must go on after a failure: it is known what was done. */
function leavesNoDoubt(failure: unknown): boolean {
  return isStoreError(failure, 'COMMIT_PENDING') ? isDefinite(failure.cause) : isDefinite(failure);
}

/** What work fails with: the error of a store, in time. */
async function failureOf(work: Promise<unknown>): Promise<StoreError | undefined> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error('it does not answer')), ANSWER_MS_MAX);
  try {
    await Promise.race([work, timer.promise]);
    return undefined;
  } catch (error) {
    if (isStoreError(error)) return error;
    throw new Error(`an error without a code: ${String(error)}`, { cause: error });
  } finally {
    clearTimeout(timeout);
  }
}
