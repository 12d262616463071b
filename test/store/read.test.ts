import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MIB } from '../../src/limits.ts';
import { blake3Text, noise, sameBytes, text } from '../support/contents.ts';
import { all, sharedStore } from '../support/stores.ts';

const shared = sharedStore();
const CONTENT = noise(5 * MIB + 3, 11);

beforeAll(async () => {
  await shared.store.put('large', CONTENT);
  await shared.store.put('small', 'hello world');
  await shared.store.put('empty', '');
});

async function readRange(key: string, offset?: number, length?: number): Promise<Uint8Array> {
  const range = { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
  return Buffer.concat(await all(shared.store.read(key, range)));
}

describe('read', () => {
  it('gives everything, in pieces that are the reader’s own', async () => {
    const pieces = await all(shared.store.read('large'));
    expect(pieces.length).toBeGreaterThan(10);
    expect(sameBytes(Buffer.concat(pieces), CONTENT)).toBe(true);
    for (const piece of pieces) piece.fill(0);
    expect(sameBytes(await shared.store.get('large'), CONTENT)).toBe(true);
  });

  it('gives any range', async () => {
    const range = fc.tuple(fc.nat(CONTENT.length), fc.nat(CONTENT.length));
    await fc.assert(
      fc.asyncProperty(range, async ([a, b]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const bytes = await readRange('large', start, end - start);
        expect(sameBytes(bytes, CONTENT.subarray(start, end))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('gives the bytes around every border of its first chunks', async () => {
    const chunks = await all(shared.store.chunks('large'));
    for (const { offset } of chunks.slice(1, 12)) {
      for (const start of [offset - 1, offset, offset + 1]) {
        expect(sameBytes(await readRange('large', start, 2), CONTENT.subarray(start, start + 2))).toBe(true);
      }
    }
  });

  it('ends at the end when no length is given, and gives nothing for no length', async () => {
    expect(await readRange('small', 6)).toEqual(Buffer.from('world'));
    expect(await readRange('small', 11)).toHaveLength(0);
    expect(await readRange('small', 0, 0)).toHaveLength(0);
    expect(await readRange('small', 11, 0)).toHaveLength(0);
    expect(await readRange('empty', 0, 0)).toHaveLength(0);
    expect(await readRange('empty')).toHaveLength(0);
  });

  it.each([
    [12, undefined],
    [0, 12],
    [11, 1],
    [5, Number.MAX_SAFE_INTEGER],
    [Number.MAX_SAFE_INTEGER, 1],
  ])('refuses a range past the end: %j, %j', async (offset, length) => {
    await expect(readRange('small', offset, length)).rejects.toMatchObject({
      code: 'RANGE_INVALID',
      kind: 'invalid',
      details: { key: 'small', offset, size: 11 },
    });
  });

  it.each([
    ['offset', -1, undefined],
    ['offset', 0.5, 1],
    ['offset', Number.NaN, 1],
    ['length', 0, -1],
    ['length', 0, Number.POSITIVE_INFINITY],
  ])('refuses what is no range: %s of %j, %j', async (parameter, offset, length) => {
    const failure = readRange('small', offset, length);
    await expect(failure).rejects.toBeInstanceOf(RangeError);
    await expect(failure).rejects.toMatchObject({ parameter });
  });

  it('can be left early and begun again', async () => {
    for await (const piece of shared.store.read('large')) {
      expect(sameBytes(piece, CONTENT.subarray(0, piece.length))).toBe(true);
      break;
    }
    expect(await readRange('large', 0, 5)).toEqual(Buffer.from(CONTENT.subarray(0, 5)));
  });

  it('goes on with the version it began with, whatever is put meanwhile', async () => {
    const { store } = shared;
    const old = noise(9 * MIB, 12);
    await store.put('replaced', old);
    const pieces: Uint8Array[] = [];
    for await (const piece of store.read('replaced')) {
      if (pieces.length === 0) {
        await store.put('replaced', 'new');
        await store.delete('replaced');
      }
      pieces.push(piece);
    }
    expect(sameBytes(Buffer.concat(pieces), old)).toBe(true);
  });

  it('tells its progress', async () => {
    const seen: [number, number | undefined][] = [];
    const options = { offset: 100, length: 3 * MIB };
    await all(shared.store.read('large', { ...options, onProgress: ({ bytes, total }) => seen.push([bytes, total]) }));
    expect(seen.at(-1)).toEqual([3 * MIB, 3 * MIB]);
    expect(seen.map(([bytes]) => bytes)).toEqual(seen.map(([bytes]) => bytes).toSorted((a, b) => a - b));
  });
});

describe('what get gives', () => {
  it.each(['small', 'large'])('is a plain array that is the caller’s alone: %s', async (key) => {
    const first = await shared.store.get(key);
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
    const copy = first.slice();
    first.fill(0);
    expect(sameBytes(await shared.store.get(key), copy)).toBe(true);
  });
});

describe('chunks', () => {
  it('lists them in order without gaps, and each can be read by its digest', async () => {
    const { store } = shared;
    const chunks = await all(store.chunks('large'));
    expect(chunks).toHaveLength((await store.stat('large')).chunks);
    let end = 0;
    for (const [index, chunk] of chunks.entries()) {
      expect(chunk).toMatchObject({ index, offset: end });
      end += chunk.length;
    }
    expect(end).toBe(CONTENT.length);
    for (const { offset, length, digest } of chunks.slice(0, 20)) {
      const bytes = await store.readChunk(digest);
      expect(sameBytes(bytes, CONTENT.subarray(offset, offset + length))).toBe(true);
      expect(blake3Text(bytes)).toBe(digest);
    }
  });

  it('lists none of an empty entry', async () => {
    expect(await all(shared.store.chunks('empty'))).toEqual([]);
  });

  it('are found after their entry is gone, until they are collected', async () => {
    const { store } = shared;
    const { digest } = await store.put('short-lived', 'gone soon');
    await store.delete('short-lived');
    expect(await store.readChunk(digest)).toEqual(text('gone soon'));
  });

  it('that nobody stored are not found, which is not the same as missing', async () => {
    const { store } = shared;
    const unknown = { code: 'CHUNK_NOT_FOUND', kind: 'not-found' };
    await expect(store.readChunk(`blake3:${'0'.repeat(64)}`)).rejects.toMatchObject(unknown);
    await expect(store.readChunk(`sha256:${'0'.repeat(64)}`)).rejects.toMatchObject(unknown);
  });

  it.each([
    '',
    'blake3:',
    'abc',
    'blake3:ABC',
    `blake3:${'g'.repeat(64)}`,
    `md5:${'0'.repeat(32)}`,
    '../../..',
  ])('are not asked for by %j', async (digest) => {
    await expect(shared.store.readChunk(digest)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });
});
