/** Stores whose parts a test keeps: the process of a store can end at any instant, and what holds the bytes lives on. */

import type { Backend } from '../../src/backend/contract.ts';
import { fromHex } from '../../src/bytes/bytes.ts';
import { parseRedundancy } from '../../src/erasure/index.ts';
import { invariant } from '../../src/errors/store-error.ts';
import {
  decodeStoreConfig,
  encodeStoreConfig,
  STORE_CONFIG_KEY,
  STORE_FORMAT,
  type StoreConfig,
  type StoreConfigBase,
} from '../../src/format/index.ts';
import type { Logger, Store } from '../../src/index.ts';
import { createSealed, type KeySecret } from '../../src/keys/index.ts';
import { type RecoveryReport, recoverFromJournal } from '../../src/maintenance/recover.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import type { Database } from '../../src/metadata/database.ts';
import { metadataIn } from '../../src/metadata/metadata-in.ts';
import { openSqlDatabase } from '../../src/metadata/open-sqlite.ts';
import { PackStore } from '../../src/placement/pack-store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { Reserve } from '../../src/store/committer.ts';
import { connectStore } from '../../src/store/connect-store.ts';
import { Engine } from '../../src/store/engine.ts';
import { Telemetry } from '../../src/store/events.ts';
import { followingMetadata } from '../../src/store/following-metadata.ts';
import { HoldfastStore } from '../../src/store/holdfast-store.ts';
import { type Unlocking, unlockConfig } from '../../src/store/unlock.ts';
import { Lifeline } from './lifeline.ts';

const STORE_ID = '00112233445566778899aabbccddeeff';

/** Small chunks, so that content of some hundred KiB has a manifest of several nodes. */
const CONFIG: StoreConfigBase = {
  features: { compatible: [], readOnlyCompatible: [], incompatible: [] },
  storeId: STORE_ID,
  created: '2026-01-01T00:00:00.000Z',
  digest: 'blake3',
  chunking: 'fastcdc:256:1024:4096',
  compression: { codec: 'zstd', level: 1 },
  redundancy: 'none',
  generation: 1,
};

/** What opens the sealed stores of these tests. It costs no passphrase. */
export const LIVING_KEYS: KeySecret = { key: new Uint8Array(32).fill(0x11) };

/** Plain and sealed stores, for tests that both must pass. */
export const KINDS = [
  { kind: 'plain', keys: undefined },
  { kind: 'sealed', keys: LIVING_KEYS },
] as const;

/** Of every one of these stores. */
export function livingStoreId(): Uint8Array {
  const id = fromHex(STORE_ID);
  invariant(id, 'the id is hex');
  return id;
}

/** Metadata of one store that several processes open, each for itself: in memory and in this thread. */
export interface MetadataHome {
  /** What another process has of it. In a sealed store it must be unlocked before it is used. */
  open(): Metadata;
  readonly database: Database;
}

/** @param keys those of a sealed store; the metadata is locked */
export async function metadataHome(keys?: KeySecret, clock = systemClock): Promise<MetadataHome> {
  const options = {
    path: ':memory:',
    storeId: livingStoreId(),
    create: true,
    readOnly: false,
    busyTimeoutMs: 0,
    sealed: keys !== undefined,
  };
  const database = await openSqlDatabase(options);
  const parts = { clock, random: systemRandom };
  return { open: () => metadataIn(database, options, parts), database };
}

/** Metadata in memory and in this thread, for a store that has not been written to. */
export async function newMetadata(keys?: KeySecret): Promise<Metadata> {
  return (await metadataHome(keys)).open();
}

/** What may be other than in most of these stores. */
type LivingSettings = Partial<Pick<StoreConfigBase, 'chunking' | 'redundancy'>>;

/** Makes a store on a backend that has none: puts its config there. */
export async function makeStore(backend: Backend, keys?: KeySecret, settings: LivingSettings = {}): Promise<void> {
  await backend.put(STORE_CONFIG_KEY, encodeStoreConfig(await newConfig(keys, { ...CONFIG, ...settings })));
}

async function newConfig(keys: KeySecret | undefined, base: StoreConfigBase): Promise<StoreConfig> {
  if (keys === undefined) return { format: STORE_FORMAT, ...base, keys: 'none' };
  return (await createSealed(base, [keys], { random: systemRandom, clock: systemClock })).config;
}

/** A store and the process it lives in. */
export interface LivingStore {
  readonly store: Store;
  /** What the store is made of. */
  readonly engine: Engine;
  /** What the process has of it, unlocked. */
  readonly metadata: Metadata;
  readonly life: Lifeline;
  /** The process is gone from here on: nothing of it reaches backend or metadata any more. */
  end(): void;
}

export interface LivingParts {
  readonly backend: Backend;
  /** Others that were added to the store. */
  readonly backends?: readonly Backend[];
  readonly metadata: Metadata;
  /** Of a sealed store. */
  readonly keys?: KeySecret | undefined;
  readonly logger?: Logger;
  readonly reserve?: Reserve;
  /** That of the process. Default one of its own, which ends when the test says so. */
  readonly life?: Lifeline;
}

/** Opens a store over its parts, as a process that has just been started; makes it when the backend has none. */
export async function startProcess(parts: LivingParts): Promise<LivingStore> {
  const { keys, logger, reserve, life = new Lifeline() } = parts;
  if ((await parts.backend.head(STORE_CONFIG_KEY)) === undefined) await makeStore(parts.backend, keys);
  const backend = life.backend(parts.backend);
  const metadata = life.metadata(parts.metadata);
  const unlocking = await unlockingOf(backend, keys);
  const backends = (parts.backends ?? []).map((other) => life.backend(other));
  const place = { kind: 'backend', backend, backends, metadataPath: '' } as const;
  const connected = await connectStore({ place, backend, metadata, unlocking }, { readOnly: false });
  const { keychain } = connected;
  const engine = new Engine({
    ...connected,
    metadata: keychain ? followingMetadata(metadata, () => keychain.reload()) : metadata,
    telemetry: new Telemetry(logger),
    clock: systemClock,
    random: systemRandom,
    gc: 'manual',
    life: life.process,
  });
  await engine.recover();
  await engine.startWriting({ reserve, checkRoom: undefined });
  return { store: new HoldfastStore(engine), engine, metadata: parts.metadata, life, end: () => life.end() };
}

async function unlockingOf(backend: Backend, keys: KeySecret | undefined): Promise<Unlocking> {
  const bytes = await backend.get(STORE_CONFIG_KEY);
  invariant(bytes, 'the store was made');
  return await unlockConfig(decodeStoreConfig(bytes), keys);
}

/**
 * Fresh metadata, made from what lies on the backends alone.
 * @param parts other backends of the store, and a home that has nothing in it yet
 */
export async function rebuiltMetadata(
  home: Backend,
  keys?: KeySecret,
  parts: { readonly backends?: readonly Backend[]; readonly into?: MetadataHome } = {},
): Promise<{ readonly metadata: Metadata; readonly home: MetadataHome; readonly report: RecoveryReport }> {
  const { backends = [], into = await metadataHome(keys) } = parts;
  const metadata = into.open();
  const unlocking = await unlockingOf(home, keys);
  const place = { kind: 'backend', backend: home, backends, metadataPath: '' } as const;
  const placed = { place, backend: home, metadata, unlocking } as const;
  const { connection, keychain, config } = await connectStore(placed, { readOnly: false });
  const packs = new PackStore({
    backends: connection.backends,
    storeId: livingStoreId(),
    random: systemRandom,
    keys: keychain,
    redundancy: () => parseRedundancy(config.redundancy),
  });
  return { metadata, home: into, report: await recoverFromJournal({ backend: connection.control, metadata, packs }) };
}
