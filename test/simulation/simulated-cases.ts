/** Every public operation that writes, once: what is done to a store while its power is cut or its disk fails. */
import { isStoreError, type PutOnlyStore, type Store } from '../../src/index.ts';
import { exists, type FileSystem } from '../../src/runtime/file-system.ts';
import { type Place, surroundingsOf } from '../../src/store/location.ts';
import { createAt } from '../../src/store/open.ts';
import { rebuildAt } from '../../src/store/rebuild.ts';
import { noise } from '../support/contents.ts';
import { createOptions, DISKS, ISOLATED, openOptions, packed, type StoreKind, TENANT } from './kinds.ts';

/** What a step works on. */
export interface StepContext {
  readonly kind: StoreKind;
  readonly place: Place;
  /** Open, unless the case begins with a store that is closed. */
  readonly store: Store;
  /** Opens the store. */
  open(): Promise<Store>;
  /** Opens it for somebody who may only put; of a sealed one. */
  openPutOnly(): Promise<PutOnlyStore>;
}

export type Step = (context: StepContext) => Promise<unknown>;

export interface SimulatedCase {
  readonly title: string;
  /** Which kinds of stores it is for. Default: all. */
  readonly of?: (kind: StoreKind) => boolean;
  /** Before the power is in danger. */
  readonly prepare?: Step;
  /** Each is there wholly or not at all; one after the other. */
  readonly steps: readonly Step[];
  /** The steps run side by side, and concern different things. */
  readonly isAtOnce?: true;
  /** How the store is when the steps begin; `absent`: nobody has created it yet. Default: open. */
  readonly begins?: 'closed' | 'absent';
  /** Where it ends in the midst, metadata may be missing, and must be made anew before the store is opened. */
  readonly rebuilds?: true;
  /** What is found may lie between before and after; the part of an image whose name begins so is not compared then. */
  readonly blurs?: readonly string[];
  /** That part is never compared: how far a step goes depends on what happens meanwhile. */
  readonly varies?: true;
}

const AT_ONCE = { graceMs: 0, waitMs: 0, deadShare: 0 } as const;
const LARGE = noise(450_000, 11);

function isSealed({ sealed }: StoreKind): boolean {
  return sealed;
}

function isSpread({ spread }: StoreKind): boolean {
  return spread;
}

function unlessCircular(error: unknown): void {
  if (!isStoreError(error, 'RELATION_CYCLE')) throw error;
}

const ENTRIES: readonly SimulatedCase[] = [
  { title: 'a put that rides in its commit', steps: [({ store }) => store.put('new', noise(300, 21))] },
  { title: 'a put of one pack', steps: [({ store, kind }) => store.put('new', noise(2500, 22), packed(kind))] },
  { title: 'a put of several packs', steps: [({ store }) => store.put('new', LARGE)], of: ({ spread }) => !spread },
  { title: 'an overwrite', steps: [({ store, kind }) => store.put('small', noise(2600, 23), packed(kind))] },
  { title: 'a put of what is known', steps: [({ store, kind }) => store.put('twin', noise(3000, 2), packed(kind))] },
  { title: 'a delete', steps: [({ store }) => store.delete('packed')] },
  { title: 'a rename onto another entry', steps: [({ store }) => store.rename('packed', 'small', { replace: true })] },
  { title: 'a copy', steps: [({ store }) => store.copy('packed', 'again')] },
  {
    title: 'a batch',
    steps: [
      ({ store, kind }) =>
        store.batch(async (batch) => {
          await batch.put('new', noise(2700, 24), packed(kind));
          batch.delete('small');
          batch.rename('other', 'moved');
          await batch.put('small', 'another');
          batch.relate('new', 'moved');
        }),
    ],
  },
  {
    title: 'puts one after the other',
    steps: [1, 2, 3].map(
      (at): Step =>
        ({ store, kind }) =>
          store.put(`new ${at}`, noise(900 * at, 30 + at), at === 2 ? packed(kind) : {}),
    ),
  },
  {
    title: 'changes side by side',
    isAtOnce: true,
    steps: [
      ({ store, kind }) => store.put('left', noise(2800, 41), packed(kind)),
      ({ store }) => store.put('right', noise(700, 42)),
      ({ store, kind }) => store.put('twin', noise(2800, 41), packed(kind)),
      ({ store }) => store.delete('packed'),
    ],
  },
];

const OBJECTS: readonly SimulatedCase[] = [
  {
    title: 'a bundle and a ref to it',
    steps: [
      ({ store }) => store.objects.putBundle({ kind: 'note', text: 'second' }),
      async ({ store }) => {
        const head = await store.refs.get('head');
        for await (const { id } of store.objects.list({ types: ['bundle'] }))
          if (id !== head?.id) return await store.refs.set('head', id);
        throw new Error('there is no other bundle');
      },
    ],
  },
  { title: 'a ref that is deleted', steps: [({ store }) => store.refs.delete('head')] },
  {
    title: 'a snapshot of entries',
    steps: [({ store }) => store.snapshots.create({ prefix: '' }, { ref: 'backup' })],
    blurs: ['bundle'],
  },
  {
    title: 'a snapshot that is thawed',
    prepare: async ({ store }) => {
      await store.snapshots.create({ prefix: '' }, { ref: 'backup' });
      await store.delete('small');
    },
    steps: [({ store }) => store.snapshots.thaw('backup')],
    blurs: ['entry', 'relation', 'version'],
  },
  {
    title: 'relations',
    steps: [
      ({ store }) => store.relations.set('packed', 'other'),
      ({ store }) => store.relations.remove('small'),
      ({ store }) => store.relations.set('other', 'packed').catch(unlessCircular),
    ],
  },
  {
    title: 'versions',
    steps: [
      ({ store }) => store.put('other', noise(1700, 51)),
      ({ store }) => store.versions.restore('other', { number: 1 }),
      ({ store }) => store.versions.forgetAll({ last: 1 }),
      ({ store }) => store.versions.setPolicy('none'),
    ],
  },
];

const UPKEEP: readonly SimulatedCase[] = [
  {
    title: 'a collection of garbage',
    prepare: async ({ store, kind }) => {
      await store.versions.setPolicy('none');
      await store.put('dead', Buffer.concat([noise(1500, 61), noise(3000, 62)]), packed(kind));
      await store.put('half', noise(1500, 61), packed(kind));
      await store.put('little', noise(400, 63));
      for (const key of ['dead', 'little', 'small']) await store.delete(key);
    },
    steps: [({ store }) => store.maintenance.gc(AT_ONCE)],
  },
  {
    title: 'merging small packs',
    steps: [
      async ({ store, kind }) => {
        let isMerged = false;
        store.on('merge', () => {
          isMerged = true;
        });
        for (let at = 0; at < 30 && !isMerged; at += 1) {
          await store.put('many', noise(500, 80 + at), at % 3 === 0 ? packed(kind) : {});
        }
        if (!isMerged) throw new Error('nothing was merged');
      },
    ],
    blurs: ['entry default many', 'version default many'],
    varies: true,
  },
  {
    title: 'a checkpoint, and the journal that it shortens',
    steps: [
      ({ store }) => store.maintenance.checkpoint(),
      ({ store }) => store.put('new', noise(600, 71)),
      ({ store }) => store.maintenance.gc({ ...AT_ONCE, checkpoint: true }),
      ({ store }) => store.put('newer', noise(700, 72)),
      ({ store }) => store.maintenance.gc({ ...AT_ONCE, checkpoint: true }),
    ],
  },
  {
    title: 'a store that is created',
    begins: 'absent',
    steps: [async ({ place, kind }) => (await createAt(place, createOptions(kind))).close()],
    blurs: ['backend'],
  },
  {
    title: 'opening and closing',
    begins: 'closed',
    steps: [async ({ open }) => (await open()).close()],
  },
  {
    title: 'a rebuild',
    begins: 'closed',
    rebuilds: true,
    steps: [async ({ place, kind }) => rebuildAt(place, openOptions(kind))],
  },
];

/** Changes one bit of the first shard that is found on any of the disks. */
async function damageShard({ place }: StepContext): Promise<void> {
  const { fileSystem } = surroundingsOf(place);
  const [file] = (await Promise.all(DISKS.map((disk) => filesIn(fileSystem, `${disk}/packs`)))).flat();
  if (file === undefined) throw new Error('there is no shard');
  const handle = await fileSystem.open(file, 'r+');
  const byte = new Uint8Array(1);
  const at = (await handle.stat()).size >> 1;
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
  await handle.sync();
  await handle.close();
}

async function filesIn(fileSystem: FileSystem, folder: string): Promise<readonly string[]> {
  if (!(await exists(folder, fileSystem))) return [];
  const items = await fileSystem.readdir(folder);
  const found = items.map(async (item) => {
    const path = `${folder}/${item.name}`;
    return item.isDirectory() ? await filesIn(fileSystem, path) : [path];
  });
  return (await Promise.all(found)).flat();
}

const SPREAD: readonly SimulatedCase[] = [
  {
    title: 'a repair after a lost shard',
    of: isSpread,
    prepare: async ({ store }) => {
      await store.backends.add({ location: '/disk4' });
      await store.backends.remove('disk3', { lost: true });
    },
    steps: [({ store }) => store.maintenance.repair()],
  },
  {
    title: 'a scrub that finds a damaged shard',
    of: isSpread,
    prepare: damageShard,
    steps: [({ store }) => store.maintenance.scrub()],
  },
  {
    title: 'a backend that is added, and filled',
    of: isSpread,
    steps: [({ store }) => store.backends.add({ location: '/disk4' }), ({ store }) => store.backends.rebalance()],
    blurs: ['backend'],
  },
  {
    title: 'a backend that is drained and removed',
    of: isSpread,
    prepare: ({ store }) => store.backends.add({ location: '/disk4' }),
    steps: [({ store }) => store.backends.drain('disk3'), ({ store }) => store.backends.remove('disk3')],
    blurs: ['backend'],
  },
];

async function slotOf(store: Store, label: string): Promise<string> {
  const slot = (await store.keys.list()).find((one) => one.label === label);
  if (slot === undefined) throw new Error(`there is no slot ${label}`);
  return slot.id;
}

const FRIEND = { key: new Uint8Array(32).fill(0x22) };

const SEALED: readonly SimulatedCase[] = [
  { title: 'a rotation of keys', of: isSealed, steps: [({ store }) => store.keys.rotate()] },
  {
    title: 'data that is re-sealed',
    of: isSealed,
    prepare: ({ store }) => store.keys.rotate(),
    steps: [({ store }) => store.keys.rekey()],
  },
  {
    title: 'slots that come and go',
    of: isSealed,
    steps: [
      ({ store }) => store.keys.add({ ...FRIEND, label: 'friend' }),
      async ({ store }) => store.keys.remove(await slotOf(store, 'friend')),
    ],
  },
  {
    title: 'a namespace that is made and used',
    of: isSealed,
    steps: [
      ({ store }) => store.namespaces.create('new', { quotaBytes: 9000 }),
      ({ store }) => store.namespace('new').put('mine', noise(1300, 91)),
    ],
    blurs: ['namespace new', 'entry new', 'policy new'],
  },
  {
    title: 'a namespace that is dropped',
    of: isSealed,
    steps: [({ store }) => store.namespaces.drop(TENANT, { shred: true })],
    blurs: [`namespace ${TENANT}`, `entry ${TENANT}`, `policy ${TENANT}`],
  },
  {
    title: 'a message of a put-only writer',
    of: isSealed,
    begins: 'closed',
    steps: [
      async ({ openPutOnly }) => {
        const writer = await openPutOnly();
        await writer.put('message', noise(5000, 94));
        await writer.close();
      },
    ],
  },
  {
    title: 'an inbox that is adopted',
    of: isSealed,
    begins: 'closed',
    prepare: async ({ openPutOnly }) => {
      const writer = await openPutOnly();
      await writer.put('message', noise(5000, 94));
      await writer.close();
    },
    steps: [
      async ({ open }) => {
        const store = await open();
        await store.inbox.adopt();
        await store.close();
      },
    ],
  },
  {
    title: 'isolated entries',
    of: isSealed,
    steps: [
      ({ store }) => store.put('apart', noise(1100, 92), ISOLATED),
      ({ store }) => store.put('alone', noise(1000, 93), ISOLATED),
      ({ store }) => store.delete('apart'),
    ],
  },
];

export const CASES: readonly SimulatedCase[] = [...ENTRIES, ...OBJECTS, ...UPKEEP, ...SPREAD, ...SEALED];

/** The cases of one kind of store. */
export function casesOf(kind: StoreKind): readonly SimulatedCase[] {
  return CASES.filter(({ of = () => true }) => of(kind));
}
