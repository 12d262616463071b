/** Commands that harm a store, or the process that has it open; what was acknowledged stays. */
import * as fc from 'fast-check';
import { listAll } from '../../src/backend/list-all.ts';
import { storeError } from '../../src/errors/store-error.ts';
import { type Entries, isStoreError } from '../../src/index.ts';
import type { FaultyBackend } from '../../src/testing/index.ts';
import { type Command, command } from './command.ts';
import { meantOf, toldOf } from './compare-store.ts';
import { changeIn, type EntryChange, runChange, runChanges, spaceIn, spaceOf } from './entry-commands.ts';
import type { Outcome, StoreModel } from './store-model.ts';
import type { StoreWorld } from './store-world.ts';

const nothing = () => fc.constant(undefined);
const ok = (): Outcome => 'ok';

interface CrashArgs {
  readonly space: string;
  /** More than one are a batch. */
  readonly changes: readonly EntryChange[];
  /** The process makes so many changes more of backend and metadata. */
  readonly after: number;
}

/** What became of changes in whose midst the process may have ended. */
interface Crashed {
  readonly acknowledged: boolean;
  /** What the next process finds; absent where none was needed. */
  readonly found: unknown;
}

async function crash(world: StoreWorld, { space, changes, after }: CrashArgs): Promise<Crashed> {
  const at = spaceIn(world.model, space);
  let acknowledged = false;
  const end = await world.endingAfter(after, async () => {
    const entries = world.entries(at);
    const [first] = changes;
    await (changes.length === 1 && first ? runChange(entries, first) : runChanges(entries, changes));
    acknowledged = true;
  });
  return { acknowledged, found: end === 'ended' ? await toldOf(world.entries(at)) : undefined };
}

/** All of it, or, where nobody was told that it has happened, nothing. */
function crashed(model: StoreModel, { space, changes }: CrashArgs, end: Crashed | undefined): Outcome {
  return model.in(spaceIn(model, space), (namespace) => {
    const before = structuredClone(namespace.state);
    const unchanged = JSON.stringify(meantOf(namespace));
    const outcome = namespace.change(...changes);
    if (end?.found === undefined) return outcome;
    const found = JSON.stringify(end.found);
    if (found === JSON.stringify(meantOf(namespace))) return 'ok';
    namespace.state = before;
    return !end.acknowledged && found === unchanged ? 'ok' : 'half of it happened';
  });
}

/** The journal and the packs on the backends that shards go to. */
async function shardsOf({ backends, kind }: StoreWorld) {
  const shards: { readonly backend: FaultyBackend; readonly key: string }[] = [];
  for (const backend of kind === 'spread' ? backends.slice(1) : backends)
    for (const prefix of ['journal/', 'packs/'])
      for await (const { key } of listAll(backend, { prefix })) shards.push({ backend, key });
  return shards;
}

async function flip({ backend, key }: { readonly backend: FaultyBackend; readonly key: string }, at: number) {
  const bytes = (await backend.get(key)) ?? new Uint8Array();
  const index = Math.floor(bytes.length * at);
  const flipped = bytes.slice();
  flipped[index] = (bytes[index] ?? 0) ^ 0x10;
  await backend.put(key, flipped);
  return () => backend.put(key, bytes);
}

/** Every entry reads as it should, or says that it is damaged. */
async function readAll(entries: Entries): Promise<void> {
  for await (const { key } of entries.list()) {
    // The content is compared with its digest before it is given.
    await entries.get(key).catch((error: unknown) => {
      if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
    });
  }
}

interface Harm {
  /** Which of the shards, and which part of it. */
  readonly index: number;
  readonly at: number;
}
const harm = (): fc.Arbitrary<Harm> =>
  fc.record({ index: fc.nat({ max: 60 }), at: fc.constantFrom(0, 0.01, 0.5, 0.999) });

const diskFull = storeError('DISK_FULL', 'no space is left', { retry: false });

/** How a change ends on a disk that takes nothing more. */
async function onFullDisk(world: StoreWorld, space: string, change: EntryChange): Promise<Outcome> {
  for (const backend of world.backends) backend.fail({ call: 'put', how: 'before', times: Infinity, error: diskFull });
  try {
    await runChange(world.entries(space), change);
    return 'ok';
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return error.code;
  } finally {
    for (const backend of world.backends) backend.heal();
  }
}

export const FAULT_COMMANDS = {
  crash: command<CrashArgs, Crashed | undefined>({
    args: (kind) =>
      fc.record({
        space: spaceOf(kind),
        changes: fc.array(changeIn(kind), { minLength: 1, maxLength: 3 }),
        after: fc.nat({ max: 4 }),
      }),
    run: crash,
    effect: crashed,
  }),
  'older metadata': command({ args: nothing, run: (world) => world.restoreMetadata(), effect: ok }),
  'lose shard': command<Harm, unknown>({
    kinds: ['spread'],
    args: harm,
    run: async (world, { index }) => {
      await world.heal();
      const shards = await shardsOf(world);
      const shard = shards[index % shards.length];
      if (shard) await shard.backend.delete(shard.key);
      world.harmed = true;
    },
    effect: ok,
  }),
  'lose backend': command<Harm, unknown>({
    kinds: ['spread'],
    args: harm,
    run: async (world, { index }) => {
      await world.heal();
      const backend = world.backends[1 + (index % (world.backends.length - 1))];
      for (const shard of await shardsOf(world)) if (shard.backend === backend) await backend.delete(shard.key);
      world.harmed = true;
    },
    effect: ok,
  }),
  'flip bit': command<Harm, unknown>({
    args: harm,
    run: async (world, { index, at }) => {
      await world.heal();
      const shards = await shardsOf(world);
      const shard = shards[index % Math.max(1, shards.length)];
      if (shard === undefined) return;
      const undo = await flip(shard, at);
      for (const name of world.model.namespaces.keys()) await readAll(world.entries(name));
      // Nothing else has what it held: somebody puts the disk back.
      if (world.kind !== 'spread') await undo();
      world.harmed = true;
    },
    effect: ok,
  }),
  'full disk': command<{ readonly space: string; readonly change: EntryChange }, Outcome>({
    args: (kind) => fc.record({ space: spaceOf(kind), change: changeIn(kind) }),
    run: (world, { space, change }) => onFullDisk(world, spaceIn(world.model, space), change),
    effect: (model, { space, change }, found) => {
      if (found === 'DISK_FULL') return 'ok';
      const meant = model.change(spaceIn(model, space), change);
      return found === meant || found === 'COMMIT_PENDING' ? 'ok' : `${found} instead of ${meant}`;
    },
  }),
  fence: command({
    args: nothing,
    run: (world) => world.fence(),
    effect: (_model, _args, outcome: string) => (outcome === 'SESSION_FENCED' ? 'ok' : outcome),
  }),
} as const satisfies Record<string, Command>;
