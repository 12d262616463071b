import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { createPackId, PackBuilder, type PackDescriptor, SHARD_HEADER_BYTES } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { systemRandom } from '../runtime/random.ts';
import { PackStore } from './pack-store.ts';

const STORE = new Uint8Array(16).fill(7);

/** A backend whose blobs somebody deletes, or cuts, after a number of looks at them. */
class SharedBackend extends MemoryBackend {
  looksLeft = Number.POSITIVE_INFINITY;
  #looks = 0;

  get looks(): number {
    return this.#looks;
  }

  protected override async getBlob(...call: Parameters<MemoryBackend['get']>): Promise<Uint8Array | undefined> {
    this.#looks += 1;
    if (this.looksLeft === 0) await super.deleteBlob(call[0]);
    else this.looksLeft -= 1;
    return super.getBlob(call[0], call[1] ?? {});
  }
}

async function writtenPack(): Promise<{ backend: SharedBackend; packs: PackStore; pack: PackDescriptor }> {
  const backend = new SharedBackend();
  const packs = new PackStore({ backend, storeId: STORE, random: systemRandom, keys: undefined });
  const session = STORE.subarray(0, 8);
  const header = {
    store: STORE,
    pack: createPackId(session, 1),
    session,
    class: 'data',
    namespace: 0,
    epoch: 0,
  } as const;
  const builder = new PackBuilder({ ...header, keyMode: 'plain' });
  const stored = utf8Encode('a chunk');
  const items = [{ id: blake3(stored), length: stored.length }];
  builder.add({ kind: 'chunk', codec: 0, plainLength: stored.length, stored, items });
  return { backend, packs, pack: await packs.write({ header: builder.header, ...builder.finish() }) };
}

describe('PackStore', () => {
  it('opens what it wrote, and tells what the pack says of itself', async () => {
    const { packs, pack } = await writtenPack();
    const opened = await packs.open(pack);
    expect(opened?.descriptor).toEqual(pack);
    expect(opened?.items).toMatchObject([{ kind: 'chunk', length: 7, ordinal: 0 }]);
  });

  it('calls a pack that is deleted while it is opened gone, not damaged', async () => {
    const { backend, packs, pack } = await writtenPack();
    await packs.open(pack);
    const looks = backend.looks;
    for (let before = 0; before < looks; before += 1) {
      const again = await writtenPack();
      again.backend.looksLeft = before;
      expect(await again.packs.open(again.pack)).toBeUndefined();
    }
  });

  it('calls a pack that ends early damaged', async () => {
    const { backend, packs, pack } = await writtenPack();
    const [blob] = await backend.list();
    const bytes = await backend.get(blob?.key ?? '');
    await backend.put(blob?.key ?? '', bytes?.subarray(0, SHARD_HEADER_BYTES + 10) ?? STORE);
    await expect(packs.open(pack)).rejects.toMatchObject({ code: 'SHARD_CORRUPT' });
    await expect(packs.read(pack, { offset: 0, length: 1000 })).rejects.toMatchObject({ code: 'SHARD_CORRUPT' });
  });
});
