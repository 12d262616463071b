/**
 * Power cuts of one case: its process is held before its calls, and what a disk may hold of the moment is opened by other
 * processes, some of which lose their power as well.
 */
import type { Store } from '../../src/index.ts';
import { survivalByChance } from '../../src/testing/crash-disk.ts';
import { type CrashFileSystem, type SeededRandom, seededRandom } from '../../src/testing/index.ts';
import { beginCase, type CaseRun, type StepEnd, wrongWith } from './case-run.ts';
import { type LeftMachine, Recoveries, type RecoveryFigures } from './recoveries.ts';
import { type RoundParts, SimulatedCampaign } from './simulated-campaign.ts';
import { digestsOf, loseMetadata, placeOn, type SimulatedMachine } from './simulated-machine.ts';

interface CutFigures extends RecoveryFigures {
  /** A case, a point at which its power was cut, and what was left on the disk then. No two of one round are the same. */
  states: number;
  /** Of these, those in which the process that recovered had its power cut as well, somewhere until its first put. */
  secondCuts: number;
  /** Disks that differ in any byte. */
  images: number;
}

/** One in so many deaths is that of the process alone: what it did not flush is seen, and not yet on the disk. */
const KILL_ODDS = 5;
const SECOND_CUT_ODDS = 8;
/** One disk in so many has lost its metadata, which is made anew from the packs. */
const LOSS_ODDS = 8;
/** What is left after the second cut of one process is drawn so often. */
const SECOND_DRAWS = 6;
/** Calls that opening and a put take, and more. */
const SECOND_CUT_CHANGES = 60;
/** Draws for each state that is wanted, where most of them are known. */
const DRAWS_MAX = 3;
const LATER = 'entry default later';
/** What processes draw their randomness from; no two that see each other have one seed. */
const SEEDS = { first: 1000, second: 11 } as const;

/** Rounds of simulated power cuts. */
export function cutCampaign(seed: number): SimulatedCampaign<CutFigures> {
  const figures = { states: 0, secondCuts: 0, images: 0, recovered: 0, verified: 0, rebuilt: 0 };
  return new SimulatedCampaign(seed, { figures, runRound: (parts) => new CutRound(parts).run() });
}

/** What a process finds when the power is back. */
interface Found extends LeftMachine {
  /** Names the moment. */
  readonly point: string;
  /** Whether the process before put something new. */
  readonly later: 'absent' | 'perhaps' | 'there';
  readonly ends: readonly StepEnd[];
}

class CutRound {
  readonly #parts: RoundParts<CutFigures>;
  readonly #random: SeededRandom;
  readonly #states = new Set<string>();
  readonly #images = new Set<string>();
  readonly #recoveries: Recoveries;
  #failure: Error | undefined;

  constructor(parts: RoundParts<CutFigures>) {
    this.#parts = parts;
    this.#random = seededRandom(parts.seed);
    this.#recoveries = new Recoveries({ ...parts, random: this.#random });
  }

  /** @throws when something was lost, with all that is needed to do it again */
  async run(): Promise<void> {
    const { machine, effects, seed } = this.#parts;
    await machine.databases.tried(async () => {
      const copy = { ...machine, disk: machine.disk.fork() };
      const run = await beginCase(copy, this.#parts, { seed: SEEDS.first + seed });
      const draws = this.#drawsByPoint(effects.changes);
      const start = run.process.changes;
      const explore = async (what: string): Promise<void> => {
        const point = run.process.changes - start;
        await this.#explore(copy, run, { what, count: draws.get(point) ?? 0, point });
      };
      run.process.onChange = (call, path) => explore(`${call} ${path}`);
      try {
        await run.steps();
        await run.close();
        run.process.onChange = undefined;
        await run.process.hold(explore('the end'));
      } catch (error) {
        // What the store made of a failure here is no news.
        throw this.#failure ?? error;
      } finally {
        run.process.end();
        await run.store?.close().catch(() => undefined);
      }
    });
  }

  #drawsByPoint(points: number): ReadonlyMap<number, number> {
    const draws = new Map<number, number>();
    const add = (point: number): void => void draws.set(point, (draws.get(point) ?? 0) + 1);
    for (let left = this.#parts.size; left > 0; left -= 1) add(this.#random.integer(points + 1));
    return draws;
  }

  async #explore(
    machine: SimulatedMachine,
    { ends }: CaseRun,
    { what, count, point }: { readonly what: string; readonly count: number; readonly point: number },
  ): Promise<void> {
    const { kind, one, figures, seed } = this.#parts;
    if (count === 0) return;
    const databases = await machine.databases.digest();
    const end = figures.states + count;
    for (let draw = 0; draw < count * DRAWS_MAX && figures.states < end; draw += 1) {
      const isKill = this.#random.integer(KILL_ODDS) === 0;
      const disk = isKill ? machine.disk.fork() : this.#survivorOf(machine.disk);
      const isLost = !isKill && this.#random.integer(LOSS_ODDS) === 0;
      if (isLost) await loseMetadata(disk);
      const found = {
        machine: { ...machine, disk },
        point: `${point}`,
        later: 'absent',
        ends,
        databases,
        isLost,
      } as const;
      const isSecond = this.#random.integer(SECOND_CUT_ODDS) === 0;
      try {
        await machine.databases.tried<unknown>(() => (isSecond ? this.#cutAgain(found) : this.#visit(found)));
      } catch (error) {
        const where = `${kind.name}, ${one.title}, seed ${seed}, before call ${point} (${what}), draw ${draw}`;
        const how = isKill ? 'a process that ended' : 'a power cut';
        this.#failure ??= new Error(`${how}: ${where}: ${String(error)}`, { cause: error });
        throw this.#failure;
      }
    }
  }

  #survivorOf(disk: CrashFileSystem): CrashFileSystem {
    return disk.survivor(survivalByChance(this.#random));
  }

  /** Another process recovers, puts something, and ends at any of its calls; its machine loses power then. */
  async #cutAgain(found: Found): Promise<void> {
    const { machine, point } = found;
    const { place, process } = placeOn(machine, { seed: SEEDS.second });
    const changes = this.#random.integer(SECOND_CUT_CHANGES);
    process.endAfter(changes);
    let later: Found['later'] = 'absent';
    let store: Store | undefined;
    const work = async (): Promise<void> => {
      ({ store } = await this.#recoveries.open(place, found));
      later = 'perhaps';
      await store.put('later', 'x');
      later = 'there';
      await store.close();
    };
    await process.outcome(work());
    process.end();
    await (store as Store | undefined)?.close().catch(() => undefined);
    const databases = await machine.databases.digest();
    for (let draw = 0; draw < SECOND_DRAWS; draw += 1) {
      const left = { ...machine, disk: this.#survivorOf(machine.disk) };
      const next = { ...found, machine: left, point: `${point}/${changes}`, later, databases };
      const isNew = await machine.databases.tried(() => this.#visit(next));
      if (isNew) this.#parts.figures.secondCuts += 1;
    }
  }

  /** @returns false for a state that was visited before */
  async #visit(found: Found): Promise<boolean> {
    const { effects, one, figures } = this.#parts;
    const { image } = digestsOf(found.machine.disk);
    const state = `${found.point} ${image}`;
    if (this.#states.has(state)) return false;
    this.#states.add(state);
    const disk = `${image} ${found.databases}`;
    if (!this.#images.has(disk)) figures.images += 1;
    this.#images.add(disk);
    const { [LATER]: later, ...others } = await this.#recoveries.holds(found);
    if (found.later === 'there' && later === undefined) throw new Error('the put after the recovery is lost');
    if (found.later === 'absent' && later !== undefined) throw new Error('there is what nobody put');
    const wrong = wrongWith(others, effects, { one, ends: found.ends });
    if (wrong) throw new Error(wrong);
    figures.states += 1;
    return true;
  }
}
