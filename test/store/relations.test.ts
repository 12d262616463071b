/** Trees of entries: made, changed and listed, and what every change of an entry does to them. */
import { describe, expect, it } from 'vitest';
import { type Entries, rebuildStore } from '../../src/index.ts';
import { KINDS_OF_ENTRIES, openKind } from '../support/kinds-of-entries.ts';
import { folderStore, memoryStore, reopen, SOUND } from '../support/stores.ts';

async function putAll(entries: Entries, keys: readonly string[]): Promise<void> {
  await entries.putMany(keys.map((key) => ({ key, source: `content of ${key}` })));
}

/** Puts entries such as `a > b` in one commit: `b` with the parent `a`. */
async function grow(entries: Entries, ...pairs: readonly string[]): Promise<void> {
  for (const pair of pairs) {
    const [child = '', parent] = pair.split(' > ').reverse();
    if (!(await entries.has(child))) await entries.put(child, `content of ${child}`);
    if (parent !== undefined) await entries.relations.set(child, parent);
  }
}

async function keys(rows: AsyncIterable<{ readonly key: string }>): Promise<readonly string[]> {
  return (await Array.fromAsync(rows)).map(({ key }) => key);
}

async function family(entries: Entries, key: string): Promise<readonly string[]> {
  const rows = await Array.fromAsync(entries.relations.descendants(key));
  return rows.map((row) => `${'.'.repeat(row.depth)}${row.key}`);
}

describe.each(KINDS_OF_ENTRIES)('relations of %s entries', (kind) => {
  it('are told from above and from below', async () => {
    const { store, entries } = await openKind(kind);
    const { relations } = entries;
    await grow(entries, 'alone', 'a', 'a > b', 'b > c', 'a > d', 'b > e');
    expect(await relations.parent('b')).toBe('a');
    expect(await relations.parent('a')).toBeUndefined();
    expect(await relations.parent('alone')).toBeUndefined();
    expect(await Array.fromAsync(relations.children('a'))).toEqual([
      { key: 'b', parent: 'a', children: 2 },
      { key: 'd', parent: 'a', children: 0 },
    ]);
    expect(await Array.fromAsync(relations.ancestors('c'))).toEqual([
      { key: 'b', parent: 'a', children: 2, height: 1 },
      { key: 'a', children: 2, height: 2 },
    ]);
    expect(await family(entries, 'a')).toEqual(['.b', '..c', '..e', '.d']);
    expect(await keys(relations.descendants('a', { depth: 1 }))).toEqual(['b', 'd']);
    expect(await keys(relations.descendants('a', { limit: 2 }))).toEqual(['b', 'c']);
    expect(await Array.fromAsync(relations.roots())).toEqual([
      { key: 'a', children: 2 },
      { key: 'alone', children: 0 },
    ]);
    expect(await keys(relations.roots({ parents: true }))).toEqual(['a']);
    expect(await keys(relations.roots({ prefix: 'al' }))).toEqual(['alone']);
    expect(await relations.counts('a')).toEqual({ children: 2, descendants: 4 });
    expect(await relations.counts('alone')).toEqual({ children: 0, descendants: 0 });
    expect(await relations.counts()).toEqual({ entries: 6, related: 5, roots: 2, edges: 4 });
    for (const key of ['alone', 'c']) expect(await keys(relations.children(key))).toEqual([]);
    for (const key of ['alone', 'a']) expect(await keys(relations.ancestors(key))).toEqual([]);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('move with their child, and never lead in a circle', async () => {
    const { entries } = await openKind(kind);
    await grow(entries, 'a', 'a > b', 'b > c', 'other');
    for (const [child, parent] of [
      ['a', 'a'],
      ['a', 'b'],
      ['a', 'c'],
    ] as const) {
      const failure = { kind: 'conflict', code: 'RELATION_CYCLE', details: { key: child, parent } };
      await expect(entries.relations.set(child, parent)).rejects.toMatchObject(failure);
    }
    await entries.relations.set('b', 'other');
    expect(await family(entries, 'other')).toEqual(['.b', '..c']);
    expect(await family(entries, 'a')).toEqual([]);
    await entries.relations.remove('b');
    await entries.relations.remove('b');
    expect(await keys(entries.relations.roots())).toEqual(['a', 'b', 'other']);
  });

  it('are made by a put, in its commit', async () => {
    const { store, entries } = await openKind(kind);
    await putAll(entries, ['top', 'x', 'y']);
    const { commit } = await store.stats();
    await entries.put('middle', 'm', { relations: { parent: 'top', children: ['x', 'y'] } });
    // A namespace has its small chunks in packs of its own, which are committed before.
    expect((await store.stats()).commit - commit).toBe(kind === 'namespace' ? 2 : 1);
    expect(await family(entries, 'top')).toEqual(['.middle', '..x', '..y']);
    const named = await entries.put(null, 'named by digest', { relations: { parent: 'top' } });
    expect(await entries.relations.parent(named.key)).toBe('top');
    const absent = entries.put('new', 'n', { relations: { parent: 'nobody' } });
    await expect(absent).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND', details: { key: 'nobody' } });
    for (const relations of [{ parent: 'self' }, { children: ['self'] }])
      await expect(entries.put('self', 's', { relations })).rejects.toMatchObject({ code: 'RELATION_CYCLE' });
    await expect(entries.put('x', 'x', { relations: { children: ['top'] } })).rejects.toMatchObject({
      code: 'RELATION_CYCLE',
    });
    expect(await entries.has('new')).toBe(false);
    expect(await entries.has('self')).toBe(false);
    expect(await entries.get('x')).toEqual(new TextEncoder().encode('content of x'));
  });

  it('stay when content is replaced, go along with a rename, and are none of a copy', async () => {
    const { entries } = await openKind(kind);
    await grow(entries, 'top', 'top > a', 'a > b', 'target');
    await entries.put('a', 'new content');
    expect(await family(entries, 'top')).toEqual(['.a', '..b']);
    await entries.rename('a', 'moved');
    expect(await family(entries, 'top')).toEqual(['.moved', '..b']);
    await entries.copy('moved', 'copied');
    expect(await entries.relations.parent('copied')).toBeUndefined();
    expect(await entries.relations.counts('copied')).toEqual({ children: 0, descendants: 0 });
    await entries.copy('target', 'moved', { replace: true });
    expect(await family(entries, 'top')).toEqual(['.moved', '..b']);
    // The target leaves its own relations for those of what replaces it; children would be left without a parent.
    await entries.relations.set('target', 'top');
    await entries.rename('b', 'target', { replace: true });
    expect(await family(entries, 'top')).toEqual(['.moved', '..target']);
    const onto = entries.rename('copied', 'moved', { replace: true });
    await expect(onto).rejects.toMatchObject({ code: 'ENTRY_HAS_CHILDREN', details: { key: 'moved', count: 1 } });
    await entries.put('a', 'another one');
    expect(await entries.relations.parent('a')).toBeUndefined();
  });

  it('say what becomes of children when their parent is deleted', async () => {
    const { store, entries } = await openKind(kind);
    await grow(entries, 'top', 'top > a', 'a > b', 'b > c', 'top > z', 'other');
    const refused = { kind: 'conflict', code: 'ENTRY_HAS_CHILDREN', details: { key: 'a', count: 1 } };
    await expect(entries.delete('a')).rejects.toMatchObject(refused);
    await expect(entries.delete('a', { children: 'keep' as never })).rejects.toThrow(RangeError);
    expect(await entries.delete('a', { children: 'release' })).toBe(true);
    expect(await family(entries, 'top')).toEqual(['.z']);
    expect(await keys(entries.relations.roots())).toEqual(['b', 'other', 'top']);
    expect(await family(entries, 'b')).toEqual(['.c']);
    await entries.relations.set('b', 'top');
    const { deletes } = store.metrics();
    expect(await entries.delete('top', { children: 'delete' })).toBe(true);
    expect(store.metrics().deletes - deletes).toBe(4);
    expect(await keys(entries.list())).toEqual(['other']);
    expect(await entries.delete('top', { children: 'delete' })).toBe(false);
    expect(await entries.relations.counts()).toEqual({ entries: 1, related: 0, roots: 1, edges: 0 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('are changed in the order of a batch', async () => {
    const { entries } = await openKind(kind);
    await grow(entries, 'old', 'old > kept');
    await entries
      .batch(async (batch) => {
        const later = batch.put('later', 'l', { relations: { parent: 'first' } });
        // Its place in the batch is before this one, which it needs: the commit would refuse it.
        batch.relate('kept', null);
        await later.catch(() => undefined);
        batch.delete('old');
        throw new Error('given up');
      })
      .catch(() => undefined);
    expect(await family(entries, 'old')).toEqual(['.kept']);
    await entries.batch(async (batch) => {
      await batch.put('first', 'f');
      await batch.put('second', 's', { relations: { parent: 'first', children: ['kept'] } });
      batch.rename('first', 'renamed');
      batch.relate('old', 'renamed');
      batch.delete('old', { children: 'release' });
    });
    expect(await family(entries, 'renamed')).toEqual(['.second', '..kept']);
    const forward = entries.batch(async (batch) => {
      await batch.put('x', 'x', { relations: { parent: 'y' } });
      await batch.put('y', 'y');
    });
    await expect(forward).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND', details: { key: 'y' } });
    expect(await entries.has('x')).toBe(false);
    await entries.putMany([
      { key: 'y', source: 'y' },
      { key: 'x', source: 'x', relations: { parent: 'y' } },
    ]);
    expect(await family(entries, 'y')).toEqual(['.x']);
    await entries.batch((batch) => batch.delete('renamed', { children: 'delete' }));
    expect(await keys(entries.list())).toEqual(['x', 'y']);
  });
});

describe('relations', () => {
  it('say what is wrong with a call', async () => {
    const { entries } = await openKind('plain');
    const { relations } = entries;
    await grow(entries, 'a', 'a > b', 'c');
    const absent = { kind: 'not-found', code: 'ENTRY_NOT_FOUND', details: { key: 'nobody' } };
    for (const call of [
      () => relations.set('nobody', 'a'),
      () => relations.set('a', 'nobody'),
      () => relations.remove('nobody'),
      () => relations.parent('nobody'),
      () => keys(relations.children('nobody')),
      () => keys(relations.ancestors('nobody')),
      () => keys(relations.descendants('nobody')),
      () => relations.counts('nobody'),
    ])
      await expect(call()).rejects.toMatchObject(absent);
    await expect(keys(relations.children('a', { after: 'c' }))).rejects.toThrow(RangeError);
    await expect(keys(relations.children('a', { after: 'nobody' }))).rejects.toThrow(RangeError);
    await expect(keys(relations.children('a', { limit: -1 }))).rejects.toThrow(RangeError);
    await expect(keys(relations.descendants('a', { depth: 0 }))).rejects.toThrow(RangeError);
    await expect(relations.set('a', '')).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(entries.put('x', 'x', { relations: { children: 'b' as never } })).rejects.toThrow(TypeError);
  });

  it('do not reach from one namespace into another', async () => {
    const { store, entries } = await openKind('namespace');
    await grow(store, 'a', 'a > b');
    await grow(entries, 'b', 'c');
    await expect(entries.relations.set('b', 'a')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
    await entries.relations.set('c', 'b');
    expect(await family(store, 'a')).toEqual(['.b']);
    expect(await entries.relations.counts()).toEqual({ entries: 2, related: 2, roots: 1, edges: 1 });
    await store.delete('a', { children: 'delete' });
    expect(await family(entries, 'b')).toEqual(['.c']);
  });

  it('of isolated entries are like any other; deleting the family destroys their keys', async () => {
    const { store, entries } = await openKind('sealed');
    await entries.put('top', 'secret', { isolation: 'entry' });
    await entries.put('below', 'secret too', { isolation: 'entry', relations: { parent: 'top' } });
    await entries.put('top', 'replaced', { isolation: 'entry' });
    expect(await family(entries, 'top')).toEqual(['.below']);
    await entries.delete('top', { children: 'delete' });
    expect(await keys(entries.list())).toEqual([]);
    expect(await store.namespaces.shred()).toMatchObject({ done: true });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('survive a rebuild', async () => {
    const { path, store } = await folderStore();
    await grow(store, 'a', 'a > b', 'b > c', 'a > d', 'gone', 'gone > e');
    await store.rename('b', 'moved');
    await store.delete('gone', { children: 'release' });
    await store.close();
    await rebuildStore(path);
    const again = await reopen(path);
    expect((await family(again, 'a')).toSorted()).toEqual(['..c', '.d', '.moved']);
    expect(await again.relations.parent('c')).toBe('moved');
    expect(await keys(again.relations.roots())).toEqual(['a', 'e']);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('are listed page by page: thousands of children, and a line of thousands', async () => {
    const store = await memoryStore();
    const count = 1500;
    const name = (at: number): string => `${at}`.padStart(5, '0');
    await store.batch(async (batch) => {
      await batch.put('wide', '');
      await batch.put(`deep ${name(0)}`, '');
      for (let at = 1; at <= count; at += 1) {
        await batch.put(`wide ${name(at)}`, '', { relations: { parent: 'wide' } });
        await batch.put(`deep ${name(at)}`, '', { relations: { parent: `deep ${name(at - 1)}` } });
      }
    });
    const children = await keys(store.relations.children('wide'));
    expect(children).toEqual(Array.from({ length: count }, (_, index) => `wide ${name(index + 1)}`));
    const after = store.relations.children('wide', { after: `wide ${name(700)}`, limit: 700 });
    expect(await keys(after)).toEqual(children.slice(700, 1400));
    expect(await keys(store.relations.descendants('wide'))).toEqual(children);
    const deep = await Array.fromAsync(store.relations.descendants(`deep ${name(0)}`));
    expect(deep.map(({ depth }) => depth)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    const ancestors = await Array.fromAsync(store.relations.ancestors(`deep ${name(count)}`));
    expect(ancestors.map(({ key }) => key)).toEqual(
      Array.from({ length: count }, (_, index) => `deep ${name(count - 1 - index)}`),
    );
    expect(ancestors.at(-1)).toMatchObject({ height: count, children: 1 });
    expect(await store.relations.counts('deep 00000')).toEqual({ children: 1, descendants: count });
    expect(await keys(store.relations.roots())).toEqual(['deep 00000', 'wide']);
    await expect(store.relations.set('deep 00000', `deep ${name(count)}`)).rejects.toMatchObject({
      code: 'RELATION_CYCLE',
    });
    await store.delete('deep 00000', { children: 'delete' });
    expect(await store.stats()).toMatchObject({ entries: count + 1 });
  });
});
