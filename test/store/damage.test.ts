import { readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { cutOff, flipByte, packFiles } from '../support/store-files.ts';
import { all, reopen, storeTemplate } from '../support/stores.ts';

/** Two packs of chunks and one of manifest nodes; entries in the first, in the second and in both. */
const FIRST = noise(300_000, 81);
const SECOND = noise(200_000, 82);
const WIDE = noise(500 * 64, 83);
const template = storeTemplate(async (store) => {
  await store.put('first', FIRST, { chunking: 'fixed:50000' });
  await store.put(
    'wide',
    Array.from({ length: 500 }, (_, i) => WIDE.subarray(64 * i, 64 * i + 64)),
    { chunking: 'given' },
  );
  await store.put('second', SECOND, { chunking: 'fixed:50000' });
  await store.put('both', Buffer.concat([FIRST.subarray(0, 50_000), SECOND.subarray(0, 50_000)]), {
    chunking: 'fixed:50000',
  });
  await store.put('tiny', 'rides in the journal');
});
const CONTENTS: Readonly<Record<string, Uint8Array>> = {
  first: FIRST,
  second: SECOND,
  wide: WIDE,
  both: Buffer.concat([FIRST.subarray(0, 50_000), SECOND.subarray(0, 50_000)]),
  tiny: text('rides in the journal'),
};

/** What reading an entry gives: the right bytes, or the code of an error that names it. Wrong bytes fail the test. */
async function outcomeOf(store: Store, key: string): Promise<string> {
  try {
    const bytes = await store.get(key);
    expect(sameBytes(bytes, CONTENTS[key] as Uint8Array), `wrong bytes of ${key}`).toBe(true);
    return 'right';
  } catch (error) {
    expect(error).toMatchObject({ kind: 'corrupt', details: { key } });
    return (error as { code: string }).code;
  }
}

async function outcomes(store: Store): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of Object.keys(CONTENTS)) found[key] = await outcomeOf(store, key);
  return found;
}

/** The data pack that begins with the chunks of an entry: packs are written in the order of the puts. */
async function packOf(folder: string, which: 0 | 1): Promise<string> {
  const packs: string[] = [];
  for (const file of await packFiles(folder)) if ((await readFile(file)).length > 150_000) packs.push(file);
  const sized = await Promise.all(packs.map(async (file) => ({ file, size: (await readFile(file)).length })));
  return sized.toSorted((a, b) => b.size - a.size)[which]?.file as string;
}

describe('a flipped byte', () => {
  it('anywhere in any pack never gives wrong bytes, and hurts no entry of another pack', async () => {
    const folder = await template.copy();
    const store = await reopen(folder, { readOnly: true });
    const pack = await packOf(folder, 0);
    const whole = await readFile(pack);
    let hurt = 0;
    for (let position = 7; position < whole.length; position += 9973) {
      await flipByte(pack, position);
      const found = await outcomes(store);
      if (found.first !== 'right') hurt += 1;
      expect(found).toMatchObject({ second: 'right', tiny: 'right' });
      await flipByte(pack, position);
    }
    expect(hurt).toBeGreaterThan(25);
    expect(await outcomes(store)).toMatchObject({ first: 'right', both: 'right' });
  });

  it.each([0, 7])('of bit %i in a record is found by the record’s own check', async (bit) => {
    const folder = await template.copy();
    const pack = await packOf(folder, 0);
    for (const position of [1000, 60_000, 250_000]) await flipByte(pack, position, 1 << bit);
    const store = await reopen(folder);
    expect(await outcomeOf(store, 'first')).toBe('CHUNK_CORRUPT');
  });

  it('in a manifest node is told as such, naming the entry', async () => {
    const folder = await template.copy();
    const store = await reopen(folder, { readOnly: true });
    const codes = new Set<string>();
    for (const pack of await packFiles(folder)) {
      const { length } = await readFile(pack);
      if (length > 50_000) continue;
      for (let position = 300; position < length - 300; position += 1501) {
        await flipByte(pack, position);
        codes.add(await outcomeOf(store, 'wide'));
        await flipByte(pack, position);
      }
    }
    expect(codes).toContain('MANIFEST_CORRUPT');
    for (const code of codes) expect(['right', 'CHUNK_CORRUPT', 'MANIFEST_CORRUPT']).toContain(code);
  });
});

describe('a pack', () => {
  it.each([
    ['cut by a byte', (file: string) => cutOff(file, 1)],
    ['cut in half', async (file: string) => truncate(file, (await readFile(file)).length >> 1)],
    ['cut to nothing', (file: string) => truncate(file, 0)],
    ['filled with zeros', async (file: string) => writeFile(file, new Uint8Array((await readFile(file)).length))],
    ['filled with noise', async (file: string) => writeFile(file, noise((await readFile(file)).length))],
    ['replaced by text', (file: string) => writeFile(file, 'not a pack')],
    ['longer than it was', async (file: string) => writeFile(file, Buffer.concat([noise(9), await readFile(file)]))],
  ])('%s never gives wrong bytes, and is found by check', async (_, damage) => {
    const folder = await template.copy();
    const pack = await packOf(folder, 0);
    await damage(pack);
    const store = await reopen(folder);
    expect(await outcomes(store)).toMatchObject({ second: 'right', tiny: 'right' });
    const report = await store.maintenance.check();
    expect(report.outcome).toBe('damaged');
    expect(JSON.stringify(report.problems)).toContain(path.basename(pack, '.0'));
  });

  it('that is gone makes its entries missing and leaves the others; the store opens', async () => {
    const folder = await template.copy();
    await rm(await packOf(folder, 0));
    const store = await reopen(folder);
    expect(await outcomes(store)).toMatchObject({
      first: 'CHUNK_MISSING',
      both: 'CHUNK_MISSING',
      second: 'right',
      tiny: 'right',
    });
    const report = await store.maintenance.check();
    expect(report.outcome).toBe('damaged');
    const named = report.problems.flatMap(({ code, key }) => (key ? [`${code} ${key}`] : []));
    expect(named).toEqual(expect.arrayContaining(['CHUNK_MISSING both', 'CHUNK_MISSING first']));
  });

  it('is no other pack, even under its name', async () => {
    const folder = await template.copy();
    const [first, second] = [await packOf(folder, 0), await packOf(folder, 1)];
    await rename(first, `${folder}/x`);
    await rename(second, first);
    await rename(`${folder}/x`, second);
    const store = await reopen(folder);
    const found = await outcomes(store);
    expect([found.first, found.second, found.both]).toEqual(['CHUNK_CORRUPT', 'CHUNK_CORRUPT', 'CHUNK_CORRUPT']);
    expect((await store.maintenance.check()).outcome).toBe('damaged');
  });

  it('of another store is not taken for ours', async () => {
    const folder = await template.copy();
    const [ours] = await packFiles(folder);
    const other = await template.copy();
    const [theirs] = await packFiles(other);
    await rm(ours as string);
    await rename(theirs as string, path.join(folder, 'packs', '00', 'ffffffffffffffff0000000000000000.0'));
    const store = await reopen(folder);
    const report = await store.maintenance.check();
    expect(report.garbage.blobs).toBe(1);
    expect(report.outcome).toBe('damaged');
  });
});

describe('a read of damage', () => {
  it('in chunks that a range does not touch does not concern it', async () => {
    const folder = await template.copy();
    await rm(await packOf(folder, 0));
    const store = await reopen(folder);
    const bytes = Buffer.concat(await all(store.read('both', { offset: 60_000, length: 10 })));
    expect(sameBytes(bytes, SECOND.subarray(10_000, 10_010))).toBe(true);
    await expect(all(store.read('both', { offset: 0, length: 1 }))).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
  });

  it('concerns readChunk and getMany too', async () => {
    const folder = await template.copy();
    const store = await reopen(folder);
    const chunks = await all(store.chunks('first'));
    await rm(await packOf(folder, 0));
    await expect(store.readChunk(chunks[0]?.digest as string)).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
    await expect(store.getMany(['tiny', 'first'])).rejects.toMatchObject({
      kind: 'corrupt',
      details: { key: 'first' },
    });
    const [tiny] = await store.getMany(['tiny']);
    expect(tiny).toEqual(CONTENTS.tiny);
  });
});

describe('large content', () => {
  const LARGE = noise(7 * MIB, 84);
  const large = storeTemplate((store) => store.put('large', LARGE));

  it('is given up to the damage, and nothing of what comes after', async () => {
    const folder = await large.copy();
    const [pack = ''] = await packFiles(folder);
    await flipByte(pack, 6 * MIB);
    const store = await reopen(folder);
    let given = 0;
    const reading = async (): Promise<void> => {
      for await (const piece of store.read('large')) {
        expect(sameBytes(piece, LARGE.subarray(given, given + piece.length))).toBe(true);
        given += piece.length;
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'CHUNK_CORRUPT', details: { key: 'large' } });
    expect(given).toBeGreaterThan(MIB);
    expect(given).toBeLessThan(6 * MIB);
    const [tail] = await all(store.read('large', { offset: LARGE.length - 5 }));
    expect(sameBytes(tail as Uint8Array, LARGE.subarray(-5))).toBe(true);
  });

  it('with one damaged byte is never given as a whole, wherever it is', async () => {
    const folder = await large.copy();
    const store = await reopen(folder, { readOnly: true });
    for (const file of await packFiles(folder)) {
      const { length } = await readFile(file);
      for (const position of [200, length >> 2, length - 200 * KIB].filter((at) => at > 0)) {
        await flipByte(file, position);
        const bytes = await store.get('large').catch((error: unknown) => error);
        if (bytes instanceof Uint8Array) expect(sameBytes(bytes, LARGE)).toBe(true);
        else expect(bytes).toMatchObject({ kind: 'corrupt', details: { key: 'large' } });
        await flipByte(file, position);
      }
    }
    expect(sameBytes(await store.get('large'), LARGE)).toBe(true);
  });
});
