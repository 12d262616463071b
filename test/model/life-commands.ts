/** Commands on the store as a whole: its upkeep, its processes, its keys and namespaces. */
import * as fc from 'fast-check';
import { type GcOptions, type GcReport, generateIdentity } from '../../src/index.ts';
import { MERGE_FAN_IN } from '../../src/limits.ts';
import { bytesOf } from '../support/operations.ts';
import { type Command, command } from './command.ts';
import { DEFAULT_NAMESPACE, labelOf, type Outcome, type StoreModel } from './store-model.ts';
import type { StoreWorld } from './store-world.ts';

/** Nobody waits for anything. */
const AT_ONCE = { graceMs: 0, waitMs: 0, deadShare: 0 } as const;
/** One pass may leave what another process was merging. */
const REKEY_PASSES_MAX = 5;

/** So many commits make the store merge its small packs. */
const MERGED = { bytes: 1, seed: 1, noise: false, note: '' } as const;

interface GcArgs extends Pick<GcOptions, 'dryRun' | 'bytesMax' | 'deadShare' | 'recount'> {
  /** Aborted when it has told of its progress so often. */
  readonly abortAfter?: number;
}

/** What a collection told, and which objects are gone. */
interface Collected {
  readonly report: GcReport | undefined;
  readonly gone: readonly (readonly [space: string, label: string])[];
  /** Another process may hold back what is to go. */
  readonly shared: boolean;
}

async function collect(world: StoreWorld, { abortAfter, ...options }: GcArgs): Promise<Collected> {
  const aborting = new AbortController();
  let told = 0;
  const onProgress = (): void => {
    told += 1;
    if (abortAfter !== undefined && told > abortAfter) aborting.abort();
  };
  const { signal } = aborting;
  const report = await world.store.maintenance
    .gc({ ...AT_ONCE, ...options, onProgress, signal })
    .catch((error: unknown) => {
      if (error !== signal.reason) throw error;
      return undefined;
    });
  const gone: [string, string][] = [];
  for (const [space, found] of world.model.namespaces) {
    for (const label of found.unreachable()) {
      const id = world.ids.get(label) ?? '';
      if (!(await world.entries(space).objects.has(id))) gone.push([space, label]);
    }
  }
  return { report, gone, shared: world.isShared };
}

function collected(model: StoreModel, { dryRun }: GcArgs, { report, gone, shared }: Collected): Outcome {
  for (const [space, label] of gone) model.namespaces.get(space)?.state.objects.delete(label);
  const left = [...model.namespaces.values()].flatMap((found) => found.unreachable());
  if (dryRun) return gone.length === 0 ? 'ok' : 'a dry run removed objects';
  if (report === undefined || shared) return 'ok';
  if (report.problems.length > 0) return 'there are problems';
  return report.outcome === 'partial' || left.length === 0 ? 'ok' : `${left} stay`;
}

async function rekey(world: StoreWorld): Promise<void> {
  const { keys } = world.store;
  for (let pass = 1; (await keys.epochs()).length > 1 && pass <= REKEY_PASSES_MAX; pass += 1) {
    await keys.rekey();
    world.forgotEpochs = true;
  }
}

const nothing = () => fc.constant(undefined);
const ok = (): Outcome => 'ok';
const sealed = ['sealed'] as const;
const named = fc.constantFrom('x', 'y');
const quotaBytes = fc.constantFrom(undefined, undefined, 3300, 100_000);

interface NamedArgs {
  readonly name: string;
  readonly quotaBytes: number | undefined;
}

export const LIFE_COMMANDS = {
  gc: command<GcArgs, Collected>({
    args: () =>
      fc.constantFrom<GcArgs[]>({}, {}, { dryRun: true }, { bytesMax: 0 }, { deadShare: 0.25 }, { recount: true }),
    run: collect,
    effect: collected,
  }),
  'abort gc': command<GcArgs, Collected>({
    args: () => fc.record({ abortAfter: fc.nat({ max: 3 }) }),
    run: collect,
    effect: collected,
  }),
  checkpoint: command({
    args: nothing,
    run: async (world) => {
      await world.store.maintenance.checkpoint();
      world.checkpoints += 1;
    },
    effect: ok,
  }),
  merge: command<string, unknown>({
    args: () => fc.constantFrom('a', 'c'),
    run: async ({ store }, key) => {
      for (let index = 0; index < MERGE_FAN_IN; index += 1)
        await store.put(key, bytesOf(MERGED), { keepVersions: 'none' });
    },
    effect: (model, key) => {
      const put = { type: 'put', key, label: labelOf(MERGED), keep: 'none' } as const;
      return model.change(DEFAULT_NAMESPACE, put);
    },
  }),
  reopen: command({ args: nothing, run: (world) => world.reopen(), effect: ok }),
  abandon: command({ args: nothing, run: (world) => world.abandon(), effect: ok }),
  'other process': command({ args: nothing, run: (world) => world.switch(), effect: ok }),
  rebuild: command({
    args: nothing,
    run: async (world) => {
      const differ = await world.rebuild();
      await world.start();
      return differ;
    },
    effect: (_model, _args, differ) => (differ.length === 0 ? 'ok' : `differ: ${differ}`),
  }),
  'rotate keys': command({ kinds: sealed, args: nothing, run: (world) => world.store.keys.rotate(), effect: ok }),
  rekey: command({ kinds: sealed, args: nothing, run: rekey, effect: ok }),
  'change slots': command<'add' | 'remove', unknown>({
    kinds: sealed,
    args: () => fc.constantFrom('add' as const, 'remove' as const),
    run: async ({ store: { keys } }, change) => {
      const [slot] = (await keys.list()).filter(({ type }) => type === 'recipient');
      if (change === 'add') await keys.add({ recipient: generateIdentity('ml-kem-1024') });
      else if (slot) await keys.remove(slot.id);
    },
    effect: (model, change) => {
      model.slots = Math.max(0, model.slots + (change === 'add' ? 1 : -1));
      return 'ok';
    },
  }),
  'create namespace': command<NamedArgs, unknown>({
    kinds: sealed,
    args: () => fc.record({ name: named, quotaBytes }),
    run: (world, { name, quotaBytes: most }) =>
      world.store.namespaces.create(name, most === undefined ? {} : { quotaBytes: most }),
    effect: (model, { name, quotaBytes: most }) => model.create(name, most),
  }),
  'set quota': command<NamedArgs, unknown>({
    kinds: sealed,
    args: () => fc.record({ name: named, quotaBytes }),
    run: (world, { name, quotaBytes: most }) => world.store.namespaces.setQuota(name, most),
    effect: (model, { name, quotaBytes: most }) => model.setQuota(name, most),
  }),
  'drop namespace': command<{ readonly name: string }, boolean>({
    kinds: sealed,
    args: () => fc.record({ name: named }),
    run: async (world, { name }) => (await world.store.namespaces.drop(name, { shred: true })).done,
    effect: (model, { name }, done) => (model.drop(name) !== 'ok' ? 'NAMESPACE_NOT_FOUND' : done ? 'ok' : 'pending'),
  }),
} as const satisfies Record<string, Command>;
