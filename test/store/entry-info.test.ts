import { describe, expect, it } from 'vitest';
import { noise, sameBytes, text } from '../support/contents.ts';
import { all, sharedStore } from '../support/stores.ts';

const shared = sharedStore();

describe('an entry', () => {
  it('keeps its type, attributes and parent, and tells size, digest, chunks and root', async () => {
    const { store } = shared;
    const first = await store.put('a', 'one');
    const attributes = { author: 'Zoë 🦭', empty: '', ['__proto__']: 'mine', constructor: 'too' };
    const put = await store.put('a', noise(300_000), { contentType: 'image/png', attributes, parent: first.version });
    const info = await store.stat('a');
    expect(info).toMatchObject({
      key: 'a',
      version: put.version,
      digest: put.digest,
      size: 300_000,
      chunks: put.chunks,
      contentType: 'image/png',
      parent: first.version,
    });
    expect(Object.entries(info.attributes).sort()).toEqual(Object.entries(attributes).sort());
    expect(info.root).toMatch(/^blake3:[0-9a-f]{64}$/);
  });

  it('leaves out what was not given', async () => {
    const { store } = shared;
    await store.put('bare', 'x');
    const info = await store.stat('bare');
    expect(info.attributes).toEqual({});
    expect('contentType' in info || 'parent' in info).toBe(false);
  });

  it('keeps the time it was created and tells when it was modified', async () => {
    const { store } = shared;
    const before = new Date().toISOString();
    await store.put('times', 'one');
    const one = await store.stat('times');
    await store.put('times', 'two');
    const two = await store.stat('times');
    expect(one.created).toBe(one.modified);
    expect(two.created).toBe(one.created);
    expect([before, one.modified, two.modified].toSorted()).toEqual([before, one.modified, two.modified]);
    expect(new Date(two.modified).toISOString()).toBe(two.modified);
  });

  it('is frozen, as every report is', async () => {
    const { store } = shared;
    await store.put('frozen', 'x', { attributes: { a: 'b' } });
    const info = await store.stat('frozen');
    const [listed] = await all(store.list({ prefix: 'frozen' }));
    const [chunk] = await all(store.chunks('frozen'));
    const check = await store.maintenance.check();
    const reports = [info, info.attributes, listed, chunk, await store.put('frozen', 'y'), await store.stats()];
    for (const report of [...reports, store.metrics(), check, check.problems])
      expect(Object.isFrozen(report)).toBe(true);
  });

  it('is absent after it was deleted: not found, and not missing', async () => {
    const { store } = shared;
    await store.put('gone', 'x');
    expect(await store.delete('gone')).toBe(true);
    expect(await store.delete('gone')).toBe(false);
    expect(await store.has('gone')).toBe(false);
    const absent = { code: 'ENTRY_NOT_FOUND', kind: 'not-found', details: { key: 'gone' } };
    await expect(store.get('gone')).rejects.toMatchObject(absent);
    await expect(store.stat('gone')).rejects.toMatchObject(absent);
    await expect(all(store.read('gone'))).rejects.toMatchObject(absent);
    await expect(all(store.chunks('gone'))).rejects.toMatchObject(absent);
  });
});

describe('type and attributes', () => {
  it.each([
    ['too many bytes', { attributes: { a: 'x'.repeat(16 * 1024 - 5) } }],
    ['a name that is empty', { attributes: { '': 'x' } }],
    ['half a surrogate pair', { attributes: { a: '\ud800' } }],
    ['a type that is too long', { contentType: 'x'.repeat(257) }],
    ['a type that is no text', { contentType: '\udc00' }],
  ])('are refused with %s, and the old entry stays', async (_, options) => {
    const { store } = shared;
    await store.put('kept', 'old');
    await expect(store.put('kept', 'new', options)).rejects.toMatchObject({ code: 'ATTRIBUTES_INVALID' });
    expect(await store.get('kept')).toEqual(text('old'));
  });

  it.each([
    ['an array', { attributes: ['a'] }],
    ['null', { attributes: null }],
    ['a number as value', { attributes: { a: 1 } }],
    ['a number as type', { contentType: 1 }],
  ])('of a wrong kind are a TypeError: %s', async (_, options) => {
    const failure = shared.store.put('x', 'x', options as unknown as { contentType: string });
    await expect(failure).rejects.toBeInstanceOf(TypeError);
  });

  it('may be as large as allowed', async () => {
    const { store } = shared;
    const attributes = { a: 'x'.repeat(16 * 1024 - 6) };
    const contentType = 'é'.repeat(128);
    await store.put('large', 'x', { attributes, contentType });
    expect(await store.stat('large')).toMatchObject({ attributes, contentType });
  });
});

describe('copy and rename', () => {
  it('move no bytes and keep version, type and attributes', async () => {
    const { store } = shared;
    const content = noise(400_000, 9);
    const put = await store.put('from', content, { contentType: 'x/y', attributes: { a: 'b' } });
    const before = await store.stats();
    expect(await store.copy('from', 'copy')).toMatchObject({ key: 'copy', version: put.version, contentType: 'x/y' });
    const moved = await store.rename('from', 'to');
    expect(moved).toMatchObject({ key: 'to', version: put.version, attributes: { a: 'b' } });
    const after = await store.stats();
    expect(after.uniqueBytes).toBe(before.uniqueBytes);
    expect(after.logicalBytes).toBe(before.logicalBytes + content.length);
    expect(after.storedBytes - before.storedBytes).toBeLessThan(5000);
    expect(await store.has('from')).toBe(false);
    expect(sameBytes(await store.get('copy'), content)).toBe(true);
    await store.delete('copy');
    expect(sameBytes(await store.get('to'), content)).toBe(true);
  });

  it('replace only when told to', async () => {
    const { store } = shared;
    await store.put('m1', 'one');
    await store.put('m2', 'two');
    const taken = { code: 'ENTRY_EXISTS', details: { key: 'm2' } };
    await expect(store.rename('m1', 'm2')).rejects.toMatchObject(taken);
    await expect(store.copy('m1', 'm2')).rejects.toMatchObject(taken);
    expect(await store.get('m2')).toEqual(text('two'));
    await store.copy('m1', 'm2', { replace: true });
    expect(await store.get('m2')).toEqual(text('one'));
    await store.put('m1', 'three');
    await store.rename('m1', 'm2', { replace: true });
    expect(await store.get('m2')).toEqual(text('three'));
    expect(await store.has('m1')).toBe(false);
  });

  it('of an absent entry are not found', async () => {
    const { store } = shared;
    const absent = { code: 'ENTRY_NOT_FOUND', details: { key: 'never' } };
    await expect(store.rename('never', 'x1')).rejects.toMatchObject(absent);
    await expect(store.copy('never', 'x1')).rejects.toMatchObject(absent);
    expect(await store.has('x1')).toBe(false);
  });

  it('onto itself leave the entry as it is', async () => {
    const { store } = shared;
    await store.put('self', 'x');
    await expect(store.rename('self', 'self')).rejects.toMatchObject({ code: 'ENTRY_EXISTS' });
    await store.rename('self', 'self', { replace: true });
    await store.copy('self', 'self', { replace: true });
    expect(await store.get('self')).toEqual(text('x'));
    expect((await store.maintenance.check()).outcome).toBe('ok');
  });

  it('give a copy times of its own, and a renamed entry keeps its', async () => {
    const { store } = shared;
    await store.put('t1', 'x');
    const { created, modified } = await store.stat('t1');
    expect(await store.rename('t1', 't2')).toMatchObject({ created, modified });
    const copy = await store.copy('t2', 't3');
    expect(copy.created).toBe(copy.modified);
    expect(copy.created >= created).toBe(true);
  });
});
