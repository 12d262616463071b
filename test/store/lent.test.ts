import { stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { LENT_BYTES, LENT_CONTENT_BYTES_MIN, MIB } from '../../src/limits.ts';
import { noise, sameBytes } from '../support/contents.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import { folderStore, sharedStore } from '../support/stores.ts';

const shared = sharedStore();

/** Half of it can be compressed, and some of it comes again, within a batch of chunks and far behind. */
function mixed(bytes: number): Uint8Array {
  const content = noise(bytes, 21);
  for (let at = 0; at < bytes; at += MIB) content.fill(at % 251, at, at + MIB / 2);
  content.copyWithin(3 * MIB, 2 * MIB + 400_000, 3 * MIB - 1);
  content.copyWithin(bytes - 2 * MIB, 1_500_000, 3_000_000);
  return content;
}

const CONTENT = mixed(3 * LENT_CONTENT_BYTES_MIN + 12_345);

/** What a reader finds that looks at each piece as late as it may: when the next one is there. */
async function late(pieces: AsyncIterable<Uint8Array>): Promise<{ bytes: Buffer; lengths: readonly number[] }> {
  const found: Buffer[] = [];
  let before: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (before) found.push(Buffer.from(before));
    before = piece;
  }
  if (before) found.push(Buffer.from(before));
  return { bytes: Buffer.concat(found), lengths: found.map(({ length }) => length) };
}

describe('content that is lent', () => {
  it('is all of it, in mebibytes that hold until the one after the next is asked for', async () => {
    const { store } = shared;
    await store.put('large', CONTENT);
    for (const ahead of [{}, { readAheadBytes: 0 }, { readAheadBytes: 3 * MIB }]) {
      const { bytes, lengths } = await late(store.read('large', { lent: true, ...ahead }));
      expect(bytes.equals(CONTENT)).toBe(true);
      expect(new Set(lengths.slice(0, -1))).toEqual(new Set([LENT_BYTES]));
    }
  });

  it('is any range of it, and what is small too', async () => {
    const { store } = shared;
    await store.put('large', CONTENT);
    const ends: [number, number][] = [
      [0, CONTENT.length - 1],
      [1, LENT_CONTENT_BYTES_MIN],
      [2 * MIB + 777, LENT_CONTENT_BYTES_MIN + 5],
      [77, 5000],
      [CONTENT.length, 0],
    ];
    for (const [offset, length] of ends) {
      const { bytes } = await late(store.read('large', { lent: true, offset, length }));
      expect(sameBytes(bytes, CONTENT.subarray(offset, offset + length))).toBe(true);
    }
  });

  it('is read by several at once, and by who stops in the middle', async () => {
    const { store } = shared;
    await store.put('large', CONTENT);
    const stopped = store.read('large', { lent: true })[Symbol.asyncIterator]();
    await stopped.next();
    const all = await Promise.all([0, 1, 2].map(() => late(store.read('large', { lent: true }))));
    for (const { bytes } of all) expect(bytes.equals(CONTENT)).toBe(true);
    await stopped.return?.();
    expect((await late(store.read('large', { lent: true }))).bytes.equals(CONTENT)).toBe(true);
  });

  it('is used again: a piece that is kept for longer is gone', async () => {
    const { store } = shared;
    await store.put('large', CONTENT);
    const kept: Uint8Array[] = [];
    for await (const piece of store.read('large', { lent: true })) kept.push(piece);
    expect(kept.filter(({ length }) => length === 0).length).toBeGreaterThan(kept.length / 2);
  });

  it('is of blobs, and of older versions', async () => {
    const { store } = shared;
    const { version } = await store.put('versions', CONTENT);
    const blob = await store.objects.putBlob(CONTENT);
    expect((await late(store.objects.readBlob(blob.id, { lent: true }))).bytes.equals(CONTENT)).toBe(true);
    const pieces = store.versions.read('versions', { version }, { lent: true });
    expect((await late(pieces)).bytes.equals(CONTENT)).toBe(true);
  });

  it('ends where something is damaged, after nothing but what is whole', async () => {
    for (const nth of [1, 2, 3]) {
      const { store, path } = await folderStore();
      await store.put('large', CONTENT);
      const packs = await packFiles(path);
      const sizes = await Promise.all(packs.map(async (file) => (await stat(file)).size));
      const largest = packs[sizes.indexOf(Math.max(...sizes))] as string;
      await flipByte(largest, Math.floor((nth * Math.max(...sizes)) / 4));
      const found: Buffer[] = [];
      const reading = async (): Promise<void> => {
        for await (const piece of store.read('large', { lent: true })) found.push(Buffer.from(piece));
      };
      await expect(reading()).rejects.toMatchObject({ kind: 'corrupt', code: 'CHUNK_CORRUPT' });
      const before = Buffer.concat(found);
      expect(before.equals(CONTENT.subarray(0, before.length))).toBe(true);
      expect(before.length).toBeLessThan(CONTENT.length);
    }
  });

  it('is asked for with true or false', async () => {
    const { store } = shared;
    await store.put('key', 'value');
    await expect(late(store.read('key', { lent: 'yes' as never }))).rejects.toThrow(TypeError);
  });
});
