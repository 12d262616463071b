/** Stores whose parts a test keeps: the process of a store can end at any instant, and what holds the bytes lives on. */
import type { Backend } from '../../src/backend/contract.ts';
import { fromHex } from '../../src/bytes/bytes.ts';
import { invariant } from '../../src/errors/store-error.ts';
import { STORE_FORMAT, type StoreConfig } from '../../src/format/index.ts';
import type { Logger, Store } from '../../src/index.ts';
import { type RecoveryReport, recoverFromJournal } from '../../src/maintenance/recover.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { PackStore } from '../../src/placement/pack-store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { Reserve } from '../../src/store/committer.ts';
import { Engine } from '../../src/store/engine.ts';
import { Telemetry } from '../../src/store/events.ts';
import { HoldfastStore } from '../../src/store/holdfast-store.ts';

const STORE_ID = '00112233445566778899aabbccddeeff';

/** Small chunks, so that content of some hundred KiB has a manifest of several nodes. */
const CONFIG: StoreConfig = {
  format: STORE_FORMAT,
  features: { compatible: [], readOnlyCompatible: [], incompatible: [] },
  storeId: STORE_ID,
  created: '2026-01-01T00:00:00.000Z',
  digest: 'blake3',
  chunking: 'fastcdc:256:1024:4096',
  compression: { codec: 'zstd', level: 1 },
  redundancy: 'none',
  keys: 'none',
  generation: 1,
};

function storeId(): Uint8Array {
  const id = fromHex(STORE_ID);
  invariant(id, 'the id is hex');
  return id;
}

/** Metadata in memory and in this thread, for a store that has not been written to. */
export async function newMetadata(): Promise<Metadata> {
  return await openSqlMetadata({
    path: ':memory:',
    storeId: storeId(),
    create: true,
    readOnly: false,
    busyTimeoutMs: 0,
  });
}

/** Calls go through while the process lives; closing is left to the test. */
function mortal<T extends object>(part: T, isAlive: () => boolean): T {
  return new Proxy(part, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name === 'close') return async () => undefined;
      return (...args: readonly unknown[]) =>
        isAlive() ? Reflect.apply(member, target, args) : Promise.reject(new Error('the process has ended'));
    },
  });
}

/** A store and the process it lives in. */
export interface LivingStore {
  readonly store: Store;
  /** The process is gone from here on: nothing of it reaches backend or metadata any more. */
  end(): void;
}

/** Opens a store over its parts, as a process that has just been started. */
export async function startProcess(parts: {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly logger?: Logger;
  readonly reserve?: Reserve;
}): Promise<LivingStore> {
  let alive = true;
  const isAlive = (): boolean => alive;
  const engine = new Engine({
    backend: mortal(parts.backend, isAlive),
    metadata: mortal(parts.metadata, isAlive),
    config: CONFIG,
    telemetry: new Telemetry(parts.logger),
    clock: systemClock,
    random: systemRandom,
  });
  await engine.startWriting({ reserve: parts.reserve, checkRoom: undefined });
  return {
    store: new HoldfastStore(engine),
    end: () => {
      alive = false;
    },
  };
}

/** Fresh metadata, made from what lies on the backend alone. */
export async function rebuiltMetadata(
  backend: Backend,
): Promise<{ readonly metadata: Metadata; readonly report: RecoveryReport }> {
  const metadata = await newMetadata();
  const packs = new PackStore({ backend, storeId: storeId(), random: systemRandom, keys: undefined });
  return { metadata, report: await recoverFromJournal({ backend, metadata, packs }) };
}
