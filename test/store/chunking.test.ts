import { describe, expect, it } from 'vitest';
import { CHUNKING_PROFILES, createStore } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { noise, pieces, sameBytes, text } from '../support/contents.ts';
import { all, folderStore, memoryStore, reopen, SOUND, sharedStore } from '../support/stores.ts';

const shared = sharedStore();

async function lengthsOf(key: string): Promise<number[]> {
  return (await all(shared.store.chunks(key))).map(({ length }) => length);
}

describe('chunking', () => {
  it('is chosen for each put, side by side in one store', async () => {
    const { store } = shared;
    const content = noise(9 * MIB, 21);
    const cuts: Record<string, number[]> = {};
    for (const chunking of [...Object.keys(CHUNKING_PROFILES), 'fixed:65536', 'fastcdc:4096:8192:16384:1']) {
      await store.put(chunking, content, { chunking });
      cuts[chunking] = await lengthsOf(chunking);
      expect(sameBytes(await store.get(chunking), content)).toBe(true);
    }
    expect(cuts['fixed-4m']).toEqual([4 * MIB, 4 * MIB, MIB]);
    expect(cuts['fixed:65536']).toEqual(Array.from({ length: 144 }, () => 64 * KIB));
    expect(Math.max(...(cuts['fastcdc:4096:8192:16384:1'] ?? []))).toBeLessThanOrEqual(16_384);
    expect(Math.min(...(cuts.buzhash ?? []).slice(0, -1))).toBeGreaterThanOrEqual(128 * KIB);
    expect(new Set(Object.values(cuts).map(String)).size).toBe(Object.keys(cuts).length);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('gives one content one digest and one root per cut', async () => {
    const { store } = shared;
    const content = noise(300_000, 22);
    const fine = await store.put('fine', content, { chunking: 'fixed:1000' });
    const coarse = await store.put('coarse', content, { chunking: 'fixed:100000' });
    expect(fine.digest).toBe(coarse.digest);
    expect((await store.stat('fine')).root).not.toBe((await store.stat('coarse')).root);
  });

  it('never depends on how the input arrives', async () => {
    const { store } = shared;
    const content = noise(2 * MIB, 23);
    await store.put('whole', content);
    for (const pieceBytes of [1000, 65_537, MIB]) {
      const put = await store.put('pieces', pieces(content, pieceBytes));
      expect(put.newBytes).toBe(0);
      expect(await lengthsOf('pieces')).toEqual(await lengthsOf('whole'));
    }
  });

  it.each([
    'fastcdc:64:256:1024:2',
    'fastcdc:65:256:1024:0',
    'fixed:64',
    'fixed:1000',
    'buzhash:64:1024:6',
    undefined,
  ])('of little that is in memory is that of a stream of it (%s)', async (chunking) => {
    const { store } = shared;
    const sizes = [0, 1, 63, 64, 65, 66, 999, 1000, 1001, 16_383, 16_384, 16_385, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1];
    for (const [at, size] of sizes.entries()) {
      const content = noise(size, 100 + at);
      const options = chunking === undefined ? {} : { chunking };
      const whole = await store.put('in memory', content, options);
      const streamed = await store.put('streamed', pieces(content, 1 + Math.floor(size / 3)), options);
      // Of content, cuts and root.
      expect(whole.version).toBe(streamed.version);
      expect(sameBytes(await store.get('in memory'), content)).toBe(true);
    }
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('of a store is what it was created with', async () => {
    const { path, store } = await folderStore({ chunking: 'fixed:1000' });
    await store.put('a', noise(2500));
    expect((await all(store.chunks('a'))).map(({ length }) => length)).toEqual([1000, 1000, 500]);
    await store.close();
    const again = await reopen(path);
    expect(await again.put('b', noise(2500))).toMatchObject({ chunks: 3, newBytes: 0 });
  });

  it.each([
    '',
    'fixed',
    'fixed:63',
    'fixed:33554433',
    'fastcdc:1:2:3',
    'rabin',
    'fixed:1e4',
    'default ',
  ])('is refused when it is none: %j', async (chunking) => {
    const { store } = shared;
    const wrong = { code: 'CHUNKING_INVALID', kind: 'invalid' };
    await expect(store.put('never', 'x', { chunking })).rejects.toMatchObject(wrong);
    await expect(createStore('memory:', { keys: 'none', chunking })).rejects.toMatchObject(wrong);
    expect(await store.has('never')).toBe(false);
  });
});

describe('given chunks', () => {
  it('are kept as they come', async () => {
    const { store } = shared;
    const chunks = [text('one'), noise(100_000, 24), text('one'), text('!')];
    const put = await store.put('given', chunks, { chunking: 'given' });
    expect(put).toMatchObject({ chunks: 4, size: 100_007, newBytes: 100_004 });
    expect(await lengthsOf('given')).toEqual([3, 100_000, 3, 1]);
    expect(sameBytes(await store.get('given'), Buffer.concat(chunks))).toBe(true);
  });

  it('may be as large as a chunk may be', async () => {
    const { store } = shared;
    const chunk = noise(32 * MIB, 25);
    expect(await store.put('largest', [chunk], { chunking: 'given' })).toMatchObject({ chunks: 1 });
    expect(sameBytes(await store.get('largest'), chunk)).toBe(true);
    await store.delete('largest');
  });

  it('may be none', async () => {
    expect(await shared.store.put('no-chunks', [], { chunking: 'given' })).toMatchObject({ chunks: 0, size: 0 });
  });

  it.each([
    ['an empty one', [text('a'), new Uint8Array(0)]],
    ['one that is too large', [new Uint8Array(32 * MIB + 1)]],
    ['bytes, which have no pieces', text('abc')],
    ['text', 'abc'],
    ['a path', { path: '/etc/hostname' }],
  ])('are refused with %s', async (_, source) => {
    const { store } = shared;
    await expect(store.put('refused', source, { chunking: 'given' })).rejects.toMatchObject({ code: 'CHUNKS_INVALID' });
    expect(await store.has('refused')).toBe(false);
  });

  it.each([5, null, undefined])('are a TypeError when they are no source: %j', async (source) => {
    const failure = shared.store.put('refused', source as unknown as string, { chunking: 'given' });
    await expect(failure).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'source' });
  });

  it('are no default of a store', async () => {
    const failure = createStore('memory:', { keys: 'none', chunking: 'given' });
    await expect(failure).rejects.toMatchObject({ code: 'CHUNKING_INVALID' });
  });

  it('of more than one manifest leaf and one lookup are listed, read and found again', async () => {
    const store = await memoryStore();
    const content = noise(9000 * 64, 26);
    const given = () => pieces(content, 64);
    const put = await store.put('many', given(), { chunking: 'given' });
    expect(put).toMatchObject({ chunks: 9000, newBytes: 9000 * 64 });
    expect(await store.put('many-again', given(), { chunking: 'given' })).toMatchObject({ newBytes: 0 });
    expect(sameBytes(await store.get('many'), content)).toBe(true);
    const [middle] = await all(store.read('many', { offset: 8191 * 64 - 1, length: 2 }));
    expect(middle?.[0]).toBe(content[8191 * 64 - 1]);
    expect((await all(store.chunks('many'))).at(-1)).toMatchObject({ index: 8999, offset: 8999 * 64 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('compression', () => {
  it('makes what can be made smaller smaller, and what cannot no larger than a record frame', async () => {
    const store = await memoryStore();
    const log = text('2026-01-01 GET /index.html 200\n'.repeat(20_000));
    const packed = await store.put('log', log);
    expect(packed.storedBytes).toBeLessThan(log.length / 20);
    const random = await store.put('random', noise(MIB, 27));
    expect(random.storedBytes).toBe(MIB);
    const { storedBytes } = await store.stats();
    expect(storedBytes).toBeLessThan(MIB + packed.storedBytes + 20_000);
  });

  it('works at the level a store was created with', async () => {
    const words = noise(40_000, 28).map((byte) => 97 + (byte % 4));
    const sizes: number[] = [];
    for (const compressionLevel of [1, 19]) {
      const store = await memoryStore({ compressionLevel });
      sizes.push((await store.put('words', words)).storedBytes);
      expect(sameBytes(await store.get('words'), words)).toBe(true);
    }
    expect(sizes[1]).toBeLessThan(sizes[0] as number);
  });

  it.each([0, 20, 1.5, Number.NaN])('has no level %d', async (compressionLevel) => {
    const failure = createStore('memory:', { keys: 'none', compressionLevel });
    await expect(failure).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'compressionLevel' });
  });
});
