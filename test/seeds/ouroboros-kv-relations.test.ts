/** What ouroboros-kv promises of parents and children (OU-20 to OU-25), asked of a plain store and of a sealed one. */
import { describe, expect, it } from 'vitest';
import type { Entries } from '../../src/index.ts';
import { blake3Text, noise } from '../support/contents.ts';
import { openKind } from '../support/kinds-of-entries.ts';
import { keysOf } from '../support/stores.ts';

async function keys(rows: AsyncIterable<{ readonly key: string }>): Promise<readonly string[]> {
  return (await Array.fromAsync(rows)).map(({ key }) => key);
}

/** root > (a > (a1, a2), b), and one that is related to nothing. */
async function familyOf(kind: 'plain' | 'sealed'): Promise<Entries> {
  const { entries } = await openKind(kind);
  await entries.putMany([
    { key: 'root', source: 'root' },
    { key: 'a', source: 'a', relations: { parent: 'root' } },
    { key: 'b', source: 'b', relations: { parent: 'root' } },
    { key: 'a1', source: 'a1', relations: { parent: 'a' } },
    { key: 'a2', source: 'a2', relations: { parent: 'a' } },
    { key: 'else', source: 'else' },
  ]);
  return entries;
}

describe.each(['plain', 'sealed'] as const)('ouroboros-kv, of relations in a %s store', (kind) => {
  it('OU-1 has entries with content, a parent, children, and counts of data and parity shards of their own', async () => {
    const entries = await familyOf(kind);
    const options = { redundancy: '3+2', relations: { parent: 'root', children: ['else'] } };
    const { key, digest } = await entries.put('all', noise(300_000), options);
    expect(digest).toBe(blake3Text(noise(300_000)));
    expect(await entries.stat(key, { placement: true })).toMatchObject({ weakest: { redundancy: '3+2' } });
    expect(await entries.relations.parent(key)).toBe('root');
    expect(await keys(entries.relations.children(key))).toEqual(['else']);
  });

  it('OU-20 makes both directions when a parent or children are written', async () => {
    const entries = await familyOf(kind);
    expect(await keys(entries.relations.children('root'))).toEqual(['a', 'b']);
    expect(await entries.relations.parent('a1')).toBe('a');
    expect(await entries.relations.parent('root')).toBeUndefined();
    await entries.put('top', 'top', { relations: { children: ['root', 'else'] } });
    expect(await entries.relations.parent('root')).toBe('top');
    expect(await keys(entries.relations.children('top'))).toEqual(['root', 'else']);
  });

  it('OU-21 lists descendants depth first and ancestors from the parent to the root; cycles cannot be', async () => {
    const entries = await familyOf(kind);
    expect(await keys(entries.relations.descendants('root'))).toEqual(['a', 'a1', 'a2', 'b']);
    expect(await keys(entries.relations.ancestors('a2'))).toEqual(['a', 'root']);
    await expect(entries.relations.set('root', 'a2')).rejects.toMatchObject({ code: 'RELATION_CYCLE' });
  });

  it('OU-22 lists the entries without a parent', async () => {
    const entries = await familyOf(kind);
    expect(await keys(entries.relations.roots())).toEqual(['else', 'root']);
  });

  it('OU-23 keeps relations of a batch', async () => {
    const entries = await familyOf(kind);
    await entries.batch(async (batch) => {
      await batch.put('b1', 'b1', { relations: { parent: 'b' } });
      batch.relate('else', 'b1');
    });
    expect(await keys(entries.relations.descendants('b'))).toEqual(['b1', 'else']);
  });

  it('OU-24 releases the children of a parent that is deleted, when asked to, and touches nothing else', async () => {
    const entries = await familyOf(kind);
    await expect(entries.delete('a')).rejects.toMatchObject({ code: 'ENTRY_HAS_CHILDREN' });
    await entries.delete('a', { children: 'release' });
    expect(await keys(entries.relations.roots())).toEqual(['a1', 'a2', 'else', 'root']);
    expect(await keys(entries.relations.children('root'))).toEqual(['b']);
    expect(await keysOf(entries)).toEqual(['a1', 'a2', 'b', 'else', 'root']);
  });

  it('OU-25 counts relations, and lists some of them', async () => {
    const entries = await familyOf(kind);
    expect(await entries.relations.counts()).toEqual({ entries: 6, related: 5, roots: 2, edges: 4 });
    expect(await entries.relations.counts('root')).toEqual({ children: 2, descendants: 4 });
    expect(await keys(entries.relations.children('root', { limit: 1 }))).toEqual(['a']);
    expect(await keys(entries.relations.roots({ prefix: 'r' }))).toEqual(['root']);
  });
});
