/** A store as work on shards sees it: real packs over several backends in memory, and the metadata that knows them. */
import { onTestFinished } from 'vitest';
import type { Backend } from '../../src/backend/contract.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import type { Redundancy } from '../../src/erasure/index.ts';
import { createPackId, PackBuilder } from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import type { CheckedStore } from '../../src/maintenance/checked-store.ts';
import type { PackRepair } from '../../src/maintenance/shard-reports.ts';
import type { ShardStore } from '../../src/maintenance/shard-store.ts';
import type { Change, Metadata, PackRow } from '../../src/metadata/contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { type BackendFacts, BackendLink } from '../../src/placement/backend-link.ts';
import { BackendSet } from '../../src/placement/backend-set.ts';
import { PackStore } from '../../src/placement/pack-store.ts';
import type { PlacedStripe } from '../../src/placement/stripe-reader.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { noise } from './contents.ts';
import type { Lifeline } from './lifeline.ts';
import { type TestBackends, testBackends } from './striped-packs.ts';

const STORE = new Uint8Array(16).fill(7);
const SESSION = STORE.subarray(0, 8);

/** When these stores come to life, milliseconds since 1970. */
export const START_MS = 1_800_000_000_000;

/** Time that passes when somebody waits. */
export class ManualClock {
  ms = START_MS;
  /** Milliseconds that were waited, one by one. */
  readonly waits: number[] = [];

  now(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  readonly sleep = async (ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> => {
    options.signal?.throwIfAborted();
    this.waits.push(ms);
    this.ms += ms;
  };
}

/** A pack to write. */
export interface NewPack {
  readonly bytes: number;
  readonly redundancy?: Redundancy;
  /** The metadata does not learn where its shards are. */
  readonly unknown?: boolean;
}

export interface ShardWorld {
  readonly backends: TestBackends;
  readonly metadata: Metadata;
  readonly clock: ManualClock;
  readonly packs: PackStore;
  /** As verification and repair take it. */
  readonly store: ShardStore;
  readonly repairs: PackRepair[];
  /** Writes packs of one chunk each, and registers them. */
  add(...packs: readonly NewPack[]): Promise<void>;
  /** Stores the content of a pack anew, so that nobody needs the pack any more, and drops it. */
  drop(row: PackRow): Promise<void>;
  rows(): Promise<readonly (PackRow & PlacedStripe)[]>;
  /** Whether every pack reads back whole. */
  readsWhole(): Promise<boolean>;
  /** As another process, with a life of its own, has it. */
  mortal(life: Lifeline): ShardStore;
  checked(): CheckedStore;
}

/** @param count of backends */
export async function shardWorld(
  count = 5,
  options: { readonly facts?: (number: number) => Partial<BackendFacts>; readonly redundancy?: Redundancy } = {},
): Promise<ShardWorld> {
  const backends = testBackends(count, options);
  const metadata = await openSqlMetadata({
    ...{ path: ':memory:', storeId: STORE, create: true, readOnly: false, busyTimeoutMs: 0 },
  });
  onTestFinished(() => metadata.close());
  const clock = new ManualClock();
  const { redundancy = { k: 3, m: 2 } } = options;
  const packs = packsOver(backends.set, redundancy);
  const repairs: PackRepair[] = [];
  const store: ShardStore = {
    ...{ backends: backends.set, metadata, clock, random: systemRandom, writable: true, timeoutMs: 1000 },
    sleep: clock.sleep,
    onRepair: (repair) => repairs.push(repair),
  };
  let ordinal = 0;
  const rows = async (): Promise<readonly (PackRow & PlacedStripe)[]> =>
    (await metadata.listPacks({ limit: 1000 })) as readonly (PackRow & PlacedStripe)[];
  return {
    ...{ backends, metadata, clock, packs, store, repairs, rows },
    drop: async ({ id }) => {
      ordinal += 1;
      const pack = await writePack(packs, ordinal, { bytes: 500, redundancy, itemOf: id });
      await commit(metadata, { type: 'pack-add', ...pack });
      await commit(metadata, { type: 'pack-merge', added: [], dropped: [id] });
    },
    add: async (...wanted) => {
      for (const { bytes, redundancy: own, unknown = false } of wanted) {
        ordinal += 1;
        const { pack, items } = await writePack(packs, ordinal, { bytes, redundancy: own ?? redundancy });
        const { places, ...unplaced } = pack;
        const change = { type: 'pack-add', pack: unknown ? unplaced : pack, items } as const;
        await commit(metadata, change);
      }
    },
    readsWhole: async () => {
      // Another reader, which remembers of no backend that it failed.
      const whole = await Promise.all((await rows()).map((row) => packs.openWhole(row)));
      return whole.every((pack) => pack !== undefined && isNoise(pack.bytes, pack.items[0]?.length ?? 0));
    },
    mortal: (life) => ({
      ...store,
      metadata: life.metadata(metadata),
      backends: new BackendSet(
        backends.set.links.map(({ facts }, at) => {
          const backend = life.backend(backends.faulty[at] as Backend);
          return new BackendLink({ facts, backend, clock });
        }),
      ),
    }),
    checked: () => ({
      ...{ backend: backends.faulty[0] as Backend, metadata, packs, shards: store, writable: true },
      config: { keys: 'none' },
      namespaces: new Map([[0, 'default']]),
      openEntry: async () => {
        throw new Error('this store has no entries');
      },
      contentOf: () => {
        throw new Error('this store has no objects');
      },
      objectLoader: () => {
        throw new Error('this store has no objects');
      },
      settle: async () => undefined,
    }),
  };
}

async function commit(metadata: Metadata, change: Change): Promise<void> {
  const [outcome] = await metadata.commit([{ changes: [change], inline: [] }]);
  if (!outcome?.ok) throw outcome?.error;
}

function packsOver(backends: BackendSet, redundancy: Redundancy): PackStore {
  return new PackStore({
    ...{ backends, storeId: STORE, random: systemRandom, keys: undefined },
    redundancy: () => redundancy,
  });
}

async function writePack(
  packs: PackStore,
  ordinal: number,
  {
    bytes,
    redundancy,
    itemOf,
  }: { readonly bytes: number; readonly redundancy: Redundancy; readonly itemOf?: Uint8Array },
) {
  const name = { store: STORE, pack: createPackId(SESSION, ordinal), session: SESSION };
  const header = { ...name, class: 'data', namespace: 0, epoch: 0, keyMode: 'plain' } as const;
  const builder = new PackBuilder(header);
  const stored = noise(bytes, bytes);
  builder.add({
    kind: 'chunk',
    codec: 0,
    plainLength: bytes,
    stored,
    items: [{ id: blake3(itemOf ?? header.pack), length: bytes }],
  });
  const finished = builder.finish();
  return { pack: await packs.write({ header, ...finished, redundancy }), items: finished.items };
}

/** Content that was written: noise that follows from its length. */
function isNoise(pack: Uint8Array, length: number): boolean {
  return toHex(pack).includes(toHex(noise(length, length)));
}
