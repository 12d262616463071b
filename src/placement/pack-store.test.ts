import { describe, expect, it } from 'vitest';
import { SAMPLE_PACKS, SAMPLE_STORE } from '../../test/support/format-samples.ts';
import { buildSealed, SEALED_PACKS, sampleSchedule } from '../../test/support/sealed-samples.ts';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { createPackId, PackBuilder, type PackDescriptor, type PackKeys, SHARD_HEADER_BYTES } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { soleBackend } from './backend-set.ts';
import { PackStore } from './pack-store.ts';

const STORE = new Uint8Array(16).fill(7);
/** More than is read of a shard at once. */
const LARGE_BYTES = 300_000;

/** A backend whose blobs somebody deletes, or cuts, after a number of looks at them. */
class SharedBackend extends MemoryBackend {
  looksLeft = Number.POSITIVE_INFINITY;
  #looks = 0;
  #sizes = 0;

  /** Reads so far. */
  get looks(): number {
    return this.#looks;
  }

  /** Questions so far for the size of a blob. */
  get sizes(): number {
    return this.#sizes;
  }

  protected override async headBlob(...call: Parameters<MemoryBackend['head']>) {
    this.#sizes += 1;
    return await super.headBlob(call[0]);
  }

  protected override async getBlob(...call: Parameters<MemoryBackend['get']>): Promise<Uint8Array | undefined> {
    this.#looks += 1;
    if (this.looksLeft === 0) await super.deleteBlob(call[0]);
    else this.looksLeft -= 1;
    return super.getBlob(call[0], call[1] ?? {});
  }
}

async function writtenPack(bytes = 7): Promise<{ backend: SharedBackend; packs: PackStore; pack: PackDescriptor }> {
  const backend = new SharedBackend();
  const packs = new PackStore({
    backends: soleBackend(backend, systemClock),
    storeId: STORE,
    random: systemRandom,
    keys: undefined,
  });
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
  const stored = utf8Encode('a chunk'.padEnd(bytes));
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

  it.each([
    7,
    LARGE_BYTES,
  ])('calls a pack of %i bytes that is deleted while it is opened gone, not damaged', async (bytes) => {
    const { backend, packs, pack } = await writtenPack(bytes);
    await packs.open(pack);
    const looks = backend.looks;
    for (let before = 0; before < looks; before += 1) {
      const again = await writtenPack(bytes);
      again.backend.looksLeft = before;
      expect(await again.packs.open(again.pack)).toBeUndefined();
    }
  });

  it('asks for a small pack once where its size is known, and else for its size before', async () => {
    const { backend, packs, pack } = await writtenPack();
    await packs.open(pack);
    await packs.openWhole(pack);
    expect([backend.looks, backend.sizes]).toEqual([2, 0]);
    const { id, class: packClass } = pack;
    await packs.open({ id, class: packClass });
    await packs.openWhole({ id, class: packClass });
    expect([backend.looks, backend.sizes]).toEqual([4, 2]);
  });

  it('reads of a large pack the directory alone', async () => {
    const { backend, packs, pack } = await writtenPack(LARGE_BYTES);
    expect((await packs.open(pack))?.items).toMatchObject([{ kind: 'chunk', length: LARGE_BYTES, ordinal: 0 }]);
    expect([backend.looks, backend.sizes]).toEqual([5, 1]);
    expect((await packs.openWhole(pack))?.bytes).toHaveLength(pack.packBytes);
  });

  it.each([7, LARGE_BYTES])('takes no damaged content of %i bytes for a whole pack', async (bytes) => {
    const { backend, packs, pack } = await writtenPack(bytes);
    const [{ key } = { key: '' }] = await backend.list();
    const blob = (await backend.get(key)) ?? STORE;
    const at = SHARD_HEADER_BYTES + pack.packBytes / 2;
    await backend.put(key, blob.with(at, (blob[at] ?? 0) ^ 1));
    await expect(packs.openWhole(pack)).rejects.toMatchObject({ kind: 'corrupt' });
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

describe('PackStore of a sealed store', () => {
  const schedule = sampleSchedule();
  const keys: PackKeys = { keyOf: async (pack) => schedule.packKey(pack) };
  const place = {
    backends: soleBackend(new SharedBackend(), systemClock),
    storeId: SAMPLE_STORE,
    random: systemRandom,
  };
  const sealed = new PackStore({ ...place, keys });
  const plain = new PackStore({ ...place, keys: undefined });
  const { header, records } = SEALED_PACKS.data;

  it('opens what it wrote, part by part and whole, and tells how it is sealed', async () => {
    const pack = await sealed.write({ header, ...buildSealed(header, records) });
    expect(pack.seal).toEqual({ namespace: header.namespace, epoch: header.epoch, salt: header.salt });
    const [opened, whole] = [await sealed.open(pack), await sealed.openWhole(pack)];
    expect(opened?.descriptor).toEqual(pack);
    expect(whole?.descriptor).toEqual(pack);
    expect(opened?.items).toEqual(whole?.items);
    expect(opened?.items).toHaveLength(3);
    expect(opened?.identity).toEqual(whole?.identity);
  });

  it('believes no plain pack, as a plain store believes no sealed one', async () => {
    const plainSample = SAMPLE_PACKS.meta;
    const builder = new PackBuilder(plainSample.header);
    for (const record of plainSample.records) builder.add(record);
    const written = await plain.write({ header: plainSample.header, ...builder.finish() });
    const other = await sealed.write({ ...SEALED_PACKS.journal, ...journalPack() });
    for (const open of [() => sealed.open(written), () => sealed.openWhole(written), () => plain.open(other)])
      await expect(open()).rejects.toMatchObject({ code: 'PACK_CORRUPT' });
  });

  it('writes packs of its own key mode only', async () => {
    const pack = buildSealed(header, records);
    await expect(plain.write({ header, ...pack })).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
  });
});

function journalPack() {
  const { header, records } = SEALED_PACKS.journal;
  const journal = { incarnation: STORE, firstCommit: 1, lastCommit: 1 };
  return { ...buildSealed(header, records), journal };
}
