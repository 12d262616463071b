/** One run of a case: its process, what is acknowledged so far, and what must be found where it ends now. */
import { isStoreError, type Store } from '../../src/index.ts';
import { exists, type FileSystem } from '../../src/runtime/file-system.ts';
import { isDefinite } from '../../src/store/health.ts';
import { openPutOnlyAt } from '../../src/store/inbox/open-put-only.ts';
import { openAt } from '../../src/store/open.ts';
import { openAdopted, openOptions, type StoreKind } from './kinds.ts';
import type { SimulatedCase, StepContext } from './simulated-cases.ts';
import { HOME, placeOn, type SimulatedMachine } from './simulated-machine.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import { ABSENT, differenceOf, imageOf, type StoreImage } from './store-image.ts';

/** What each step of a case makes of a store, found by a run that nothing disturbs. */
export interface CaseEffects {
  readonly images: readonly [StoreImage, ...StoreImage[]];
  /** Calls of the steps, and of closing the store after them, that change or flush something. */
  readonly changes: number;
}

/** What somebody knows of a step who was told of its end, or not. */
export type StepEnd = 'done' | 'not done' | 'unknown';

export interface CaseRun {
  readonly process: SimulatedProcess;
  readonly ends: readonly StepEnd[];
  /** What steps failed with. Of those that run one after the other only the last one that ran can have. */
  readonly failures: readonly unknown[];
  /**
   * Runs the steps; resolves when they have ended, or the process has. Rejects with the first failure.
   * @param onStep told after each of those that run one after the other
   */
  steps(onStep?: () => Promise<void>): Promise<void>;
  /** The store that is open beside the steps. */
  readonly store: Store | undefined;
  /** Closes it, after the steps. */
  close(): Promise<void>;
}

/** Opens the store of a machine and brings it to where the steps of a case begin. */
export async function beginCase(
  machine: SimulatedMachine,
  { kind, one }: { readonly kind: StoreKind; readonly one: SimulatedCase },
  how: { readonly seed: number; readonly wrap?: (disk: FileSystem) => FileSystem },
): Promise<CaseRun> {
  const { place, process } = placeOn(machine, how);
  const open = (): Promise<Store> => openAt(place, openOptions(kind));
  const openPutOnly = () => openPutOnlyAt(place, { credential: machine.credential ?? '' });
  let store = one.begins === 'absent' ? undefined : await open();
  const context: StepContext = {
    ...{ kind, place, open, openPutOnly },
    get store() {
      if (store) return store;
      throw new Error('the store is closed when this case begins');
    },
  };
  await one.prepare?.(context);
  if (one.begins === 'closed') {
    await store?.close();
    store = undefined;
  }
  const ends = one.steps.map((): StepEnd => 'unknown');
  const failures: unknown[] = [];
  const run = async (index: number): Promise<void> => {
    const step = one.steps[index];
    if (!step) return;
    try {
      if ((await process.outcome(step(context))) === 'done') ends[index] = 'done';
    } catch (error) {
      failures.push(error);
      // What is more than one commit may have made some of them.
      if (one.blurs === undefined) ends[index] = endOf(error);
    }
  };
  return {
    ...{ process, ends, failures },
    store,
    close: async () => {
      if (store) await process.outcome(store.close());
    },
    steps: async (onStep) => {
      const indices = [...one.steps.keys()];
      if (one.isAtOnce) await Promise.all(indices.map(run));
      else {
        for (const index of indices) {
          await run(index);
          if (ends[index] !== 'done') break;
          await onStep?.();
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** What a failure says of a step that is one commit. */
function endOf(failure: unknown): StepEnd {
  if (isStoreError(failure, 'COMMIT_PENDING')) return 'done';
  return isDefinite(failure) && !isStoreError(failure, 'CONFIG_PENDING') ? 'not done' : 'unknown';
}

/** Runs a case to its end, one step after the other, and undoes it. */
export async function effectsOf(
  machine: SimulatedMachine,
  what: { readonly kind: StoreKind; readonly one: SimulatedCase },
): Promise<CaseEffects> {
  return await machine.databases.tried(async () => {
    const { kind, one } = what;
    const copy = { ...machine, disk: machine.disk.fork() };
    const run = await beginCase(copy, { kind, one: one.isAtOnce ? inTurn(one) : one }, { seed: 2 });
    const images: [StoreImage, ...StoreImage[]] = [await imageNow(copy, kind, run)];
    const before = run.process.changes;
    let looked = 0;
    await run.steps(async () => {
      const start = run.process.changes;
      images.push(await imageNow(copy, kind, run));
      looked += run.process.changes - start;
    });
    await run.close();
    return { images, changes: run.process.changes - before - looked };
  });
}

function inTurn({ isAtOnce: _, ...one }: SimulatedCase): SimulatedCase {
  return one;
}

async function imageNow(machine: SimulatedMachine, kind: StoreKind, run: CaseRun): Promise<StoreImage> {
  if (run.store) return await imageOf(run.store);
  return await machine.databases.tried(async () => {
    const { place } = placeOn({ ...machine, disk: machine.disk.fork() }, { seed: 3 });
    const isCreated = await exists(HOME, machine.disk);
    if (!isCreated) return ABSENT;
    const store = await openAdopted(place, kind);
    const image = await imageOf(store);
    await store.close();
    return image;
  });
}

/** Says what is wrong with an image that was found, where steps ended so; undefined if nothing is. */
export function wrongWith(
  found: StoreImage,
  { images }: CaseEffects,
  { one, ends }: { readonly one: SimulatedCase; readonly ends: readonly StepEnd[] },
): string | undefined {
  const possible = one.isAtOnce ? subsets(images, ends) : prefixes(images, ends);
  const isClear = ends.every((end) => end === 'done') && !one.varies;
  const blurs = isClear ? [] : (one.blurs ?? []);
  const sharp = (image: StoreImage): string =>
    JSON.stringify(
      Object.entries(image)
        .filter(([name]) => !blurs.some((blur) => name.startsWith(blur)))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  const seen = sharp(found);
  if (possible.some((image) => sharp(image) === seen)) return undefined;
  const differences = possible.map((image) => differenceOf(image, found).join('; '));
  return `it holds none of what it may hold (steps: ${ends.join()}): ${differences.join('\n  or ')}`;
}

function prefixes(images: CaseEffects['images'], ends: readonly StepEnd[]): readonly StoreImage[] {
  const next = ends.findIndex((end) => end !== 'done');
  const done = next < 0 ? ends.length : next;
  return images.slice(done, ends[done] === 'not done' ? done + 1 : done + 2);
}

/** Steps that concern different things: each makes its difference, or none. */
function subsets(images: CaseEffects['images'], ends: readonly StepEnd[]): readonly StoreImage[] {
  const [before] = images;
  return ends.reduce<readonly StoreImage[]>(
    (possible, end, index) => {
      const apply = (image: StoreImage) => changed(image, images[index] ?? before, images[index + 1] ?? before);
      if (end === 'not done') return possible;
      return end === 'done' ? possible.map(apply) : possible.flatMap((image) => [image, apply(image)]);
    },
    [before],
  );
}

function changed(image: StoreImage, from: StoreImage, to: StoreImage): StoreImage {
  const result: Record<string, string> = { ...image };
  for (const name of Object.keys(from)) if (!(name in to)) delete result[name];
  for (const [name, value] of Object.entries(to)) if (from[name] !== value) result[name] = value;
  return result;
}
