import { expect } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { listAll } from '../../src/backend/list-all.ts';
import type { KeySecret } from '../../src/keys/index.ts';
import { type LivingStore, type MetadataHome, metadataHome, rebuiltMetadata, startProcess } from './living-store.ts';
import { SOUND } from './stores.ts';

/** A store over parts that a test keeps, and other processes of it. */
export interface CollectedStore extends LivingStore {
  readonly backend: MemoryBackend;
  readonly home: MetadataHome;
  /** Another process that opens the store. */
  start(): Promise<LivingStore>;
}

export async function collectedStore(keys: KeySecret | undefined): Promise<CollectedStore> {
  const backend = new MemoryBackend();
  const home = await metadataHome(keys);
  const start = () => startProcess({ backend, metadata: home.open(), keys });
  return { ...(await start()), backend, home, start };
}

/** Bytes of all packs on a backend, but for those of the journal. */
export async function packBytesOn(backend: MemoryBackend): Promise<number> {
  let bytes = 0;
  for await (const blob of listAll(backend, { prefix: 'packs/' })) bytes += blob.bytes;
  return bytes;
}

/** Nothing is wrong with the store, and a rebuild comes to the same. */
export async function expectRebuiltAlike(
  { store, metadata, backend }: Pick<CollectedStore, 'store' | 'metadata' | 'backend'>,
  keys: KeySecret | undefined,
): Promise<void> {
  expect(await store.maintenance.check()).toMatchObject(SOUND);
  const rebuilt = await rebuiltMetadata(backend, keys);
  expect(await rebuilt.metadata.stateDigests()).toEqual(await metadata.stateDigests());
}
