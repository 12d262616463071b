import { describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { keysOf, memoryStore, SOUND, sharedStore } from '../support/stores.ts';

const KEYS = [
  'a',
  'a/b',
  'a/b/c',
  '/a',
  'a//b',
  'a/',
  '.',
  '..',
  '../../etc/passwd',
  '__index__',
  '__proto__',
  'constructor',
  ' ',
  ' leading and trailing ',
  'back\\slash',
  'C:\\x',
  'new\nline',
  'nul\0byte',
  'emoji 🦭',
  'é',
  'e\u0301',
  'CASE',
  'case',
  '%2e%2e%2f',
  "'; DROP TABLE entries; --",
  'holdfast.json',
  'packs/00/00.0',
  '-rf',
  '\u{10ffff}',
  '\uffff',
  '\ud7ff',
];

const shared = sharedStore();

describe('a key', () => {
  it('is data and never a path: every text names an entry of its own', async () => {
    const store = await memoryStore();
    for (const key of KEYS) await store.put(key, `content of ${key}`, { attributes: { key } });
    for (const key of KEYS) {
      expect(Buffer.from(await store.get(key)).toString()).toBe(`content of ${key}`);
      expect(await store.stat(key)).toMatchObject({ key, attributes: { key } });
    }
    expect(await keysOf(store)).toEqual(KEYS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const key of KEYS) expect(await store.delete(key)).toBe(true);
    expect(await keysOf(store)).toEqual([]);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it.each([
    ['1,024 letters', 'x'.repeat(1024)],
    ['1,024 bytes of wide characters', '🦭'.repeat(256)],
    ['one byte', '\0'],
  ])('may be %s', async (_, key) => {
    const { store } = shared;
    await store.put(key, 'x');
    await store.rename(key, `${key.slice(0, -2)}y`);
    expect(await store.has(key)).toBe(false);
    expect(await store.has(`${key.slice(0, -2)}y`)).toBe(true);
  });

  it('is not normalised: two spellings are two entries', async () => {
    const { store } = shared;
    await store.put('\u00e9', 'composed');
    expect(await store.has('e\u0301')).toBe(false);
  });
});

const BAD = [
  ['empty', ''],
  ['1,025 bytes', 'x'.repeat(1025)],
  ['257 wide characters', '🦭'.repeat(257)],
  ['half a surrogate pair', 'a\ud83e'],
  ['the other half', '\uddadb'],
] as const;

describe.each(BAD)('a key of %s', (_, key) => {
  const wrong = expect.objectContaining({ code: 'KEY_INVALID', kind: 'invalid' });

  it('is refused by every call that takes one', async () => {
    const { store } = shared;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => store.put(key, 'x'),
      () => store.get(key),
      () => store.has(key),
      () => store.stat(key),
      () => store.delete(key),
      () => store.rename(key, 'b'),
      () => store.rename('b', key),
      () => store.copy(key, 'b'),
      () => store.copy('b', key),
      () => store.getMany([key]),
      () => store.putMany([{ key, source: 'x' }]),
      () => store.batch((batch) => batch.put(key, 'x')),
      () => store.batch((batch) => batch.delete(key)),
      () => store.batch((batch) => batch.rename(key, 'b')),
      () => store.batch((batch) => batch.copy('b', key)),
      () => Array.fromAsync(store.read(key)),
      () => Array.fromAsync(store.chunks(key)),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(wrong);
  });

  it('is refused before anything of the content is read or stored', async () => {
    const { store } = shared;
    const before = await store.stats();
    let asked = 0;
    function* content(): Iterable<Uint8Array> {
      asked += 1;
      yield noise(200_000);
    }
    await expect(store.put(key, content())).rejects.toEqual(wrong);
    expect(asked).toBe(0);
    expect(await store.stats()).toEqual(before);
  });
});

describe('what is no text', () => {
  it.each([[5], [undefined], [{}], [['a']], [true]])('is a TypeError naming the key: %j', async (key) => {
    const { store } = shared;
    const failure = expect.objectContaining({ code: 'ARGUMENT_INVALID', parameter: 'key' });
    await expect(store.put(key as string, 'x')).rejects.toEqual(failure);
    await expect(store.get(key as string)).rejects.toBeInstanceOf(TypeError);
    await expect(store.delete(key as string)).rejects.toEqual(failure);
  });

  it('is no key for anything but put: null asks it for a name', async () => {
    await expect(shared.store.get(null as unknown as string)).rejects.toBeInstanceOf(TypeError);
    await expect(shared.store.delete(null as unknown as string)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('a put without a key', () => {
  it('names the entry by its digest, the same each time', async () => {
    const { store } = shared;
    const put = await store.put(null, 'abc');
    // BLAKE3("abc"), from the test vectors of its reference implementation's documentation: `printf abc | b3sum`.
    expect(put.key).toBe('blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85');
    expect(put.digest).toBe(put.key);
    expect((await store.put(null, 'abc')).key).toBe(put.key);
    expect(await store.get(put.key)).toEqual(await store.get(put.digest));
  });

  it('names it by a UUID on request, another one each time', async () => {
    const { store } = shared;
    const first = await store.put(null, 'abc', { name: 'uuid' });
    const second = await store.put(null, 'abc', { name: 'uuid' });
    expect(first.key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(second.key).not.toBe(first.key);
    expect(second.version).toBe(first.version);
  });

  it('refuses to name it by anything else', async () => {
    const failure = shared.store.put(null, 'abc', { name: 'md5' as 'uuid' });
    await expect(failure).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'name' });
    await expect(failure).rejects.toBeInstanceOf(RangeError);
  });
});
