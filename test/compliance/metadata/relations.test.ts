import { describe, expect, it } from 'vitest';
import { utf8Decode } from '../../../src/bytes/bytes.ts';
import { unscopeKey } from '../../../src/format/index.ts';
import { ISOLATED_NAMESPACE_MIN } from '../../../src/limits.ts';
import type { Change, Metadata } from '../../../src/metadata/contract.ts';
import type { RelatedRow, RelationPlace } from '../../../src/metadata/object-contract.ts';
import { entryOf, request } from '../../support/metadata-samples.ts';
import { putIsolated } from '../../support/sealed-metadata.ts';
import { SEALED_SUBJECTS, SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectReplayed, namedIn, openerOf, refusal } from './suite.ts';

const nameOf = (key: Uint8Array): string => utf8Decode(unscopeKey(key).key);
const namesOf = (rows: readonly RelatedRow[]): string => rows.map(({ key }) => nameOf(key)).join(' ');

describe.each(SUBJECTS)('$name', (subject) => {
  describe('relations', () => {
    const { open } = openerOf(subject);
    const c = namedIn(subject);

    const putAll = (names: string): readonly Change[] => names.split(' ').map((name) => c.put(name));

    /** Commits entries and relations, written `child<parent`. */
    async function family(metadata: Metadata, names: string, ...edges: readonly string[]): Promise<void> {
      const relations = edges.map((edge) => c.relate(...(edge.split('<') as [string, string])));
      await commit(metadata, ...putAll(names), ...relations);
    }

    async function paged(metadata: Metadata, of: 'childrenOf' | 'descendantsOf', name: string, limit = 99) {
      const found: RelatedRow[] = [];
      let after: RelationPlace | undefined;
      for (;;) {
        const rows = await metadata[of](c.key(name), { limit, ...(after && { after }) });
        found.push(...rows);
        after = rows.at(-1)?.place;
        if (rows.length < limit) return namesOf(found);
      }
    }

    async function ancestors(metadata: Metadata, name: string, limit = 99) {
      const found: RelatedRow[] = [];
      for (;;) {
        const last = found.at(-1)?.key;
        const rows = await metadata.ancestorsOf(c.key(name), { limit, ...(last && { after: last }) });
        found.push(...rows);
        if (rows.length < limit) return namesOf(found);
      }
    }

    it('lead from an entry to its parent and to its children, page by page', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d e f g', 'b<a', 'c<a', 'd<b', 'e<b', 'f<d');
      const [a, b, none, g] = await metadata.getRelations(['a', 'b', 'none', 'g'].map((name) => c.key(name)));
      expect(a).toMatchObject({ key: c.key('a'), parent: undefined, children: 2 });
      expect(b).toMatchObject({ parent: c.key('a'), children: 2 });
      expect([none, g]).toEqual([undefined, undefined]);
      for (const limit of [1, 2, 99]) {
        expect(await paged(metadata, 'childrenOf', 'a', limit)).toBe('b c');
        expect(await paged(metadata, 'descendantsOf', 'a', limit)).toBe('b d f e c');
        expect(await ancestors(metadata, 'f', limit)).toBe('d b a');
        expect(await paged(metadata, 'descendantsOf', 'g', limit)).toBe('');
        expect(await paged(metadata, 'childrenOf', 'none', limit)).toBe('');
        expect(await ancestors(metadata, 'a', limit)).toBe('');
      }
      const [first] = await metadata.descendantsOf(c.key('a'), { limit: 1 });
      expect(first).toMatchObject({ parent: c.key('a'), children: 2, place: { depth: 1 } });
      await expectReplayed(metadata, open);
    });

    it('need entries that are there, and never lead in a circle', async () => {
      const metadata = await open();
      await family(metadata, 'a b d', 'b<a', 'd<b');
      expect(await refusal(metadata, c.relate('a', 'none'))).toBe('ENTRY_NOT_FOUND');
      expect(await refusal(metadata, c.relate('none', 'a'))).toBe('ENTRY_NOT_FOUND');
      expect(await refusal(metadata, c.relate('none'))).toBe('ENTRY_NOT_FOUND');
      for (const [child, parent] of [
        ['a', 'a'],
        ['a', 'b'],
        ['a', 'd'],
        ['b', 'd'],
      ] as const)
        expect(await refusal(metadata, c.relate(child, parent))).toBe('RELATION_CYCLE');
      const [outcome] = await metadata.commit([request(c.relate('a', 'd'))]);
      expect(outcome).toMatchObject({ error: { kind: 'conflict', details: { key: 'a', parent: 'd' } } });
      expect((await metadata.head()).commit).toBe(1);
      await commit(metadata, c.relate('b'), c.relate('a', 'd'));
      expect(await ancestors(metadata, 'a')).toBe('d b');
      await expectReplayed(metadata, open);
    });

    it('change: to another parent with all beneath, to none, and to the same', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d e', 'b<a', 'c<b', 'd<c');
      await commit(metadata, c.relate('b', 'e'));
      expect([await paged(metadata, 'descendantsOf', 'e'), await paged(metadata, 'childrenOf', 'a')]).toEqual([
        'b c d',
        '',
      ]);
      expect(await metadata.getRelations([c.key('a')])).toEqual([undefined]);
      const { commit: number } = await metadata.head();
      for (const change of [c.relate('b', 'e'), c.relate('e'), c.relate('a')])
        expect(await commit(metadata, change)).toMatchObject({ commit: number, outcomes: [{ existed: true }] });
      await commit(metadata, c.relate('c'), c.relate('b'));
      expect(await metadata.getRelations(['e', 'b'].map((name) => c.key(name)))).toEqual([undefined, undefined]);
      expect(await paged(metadata, 'descendantsOf', 'c')).toBe('d');
      await expectReplayed(metadata, open);
    });

    it('keep an entry with children from being deleted, unless it is said what becomes of them', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d e', 'b<a', 'c<b', 'd<b', 'e<d');
      const [refused] = await metadata.commit([request(c.remove('b'))]);
      expect(refused).toMatchObject({
        error: { kind: 'conflict', code: 'ENTRY_HAS_CHILDREN', details: { key: 'b', count: 2 } },
      });
      await commit(metadata, c.remove('b', { children: 'release' }));
      expect(await metadata.getRelations(['a', 'b', 'c'].map((name) => c.key(name)))).toEqual(Array(3).fill(undefined));
      expect(await paged(metadata, 'descendantsOf', 'd')).toBe('e');
      await commit(metadata, c.relate('d', 'a'), c.relate('c', 'e'));
      const { outcomes } = await commit(metadata, c.remove('d', { children: 'delete' }));
      expect(outcomes).toEqual([{ existed: true, deleted: 3 }]);
      expect(await metadata.counters()).toMatchObject({ entries: 1 });
      expect(await metadata.getRelations([c.key('a')])).toEqual([undefined]);
      expect((await commit(metadata, c.remove('a', { children: 'delete' }))).outcomes).toEqual([
        { existed: true, deleted: 1 },
      ]);
      expect((await commit(metadata, c.remove('a', { children: 'delete' }))).outcomes).toEqual([{ existed: false }]);
      await expectReplayed(metadata, open);
    });

    it('stay with an entry that is put again or copied over, and are not copied', async () => {
      const metadata = await open();
      await family(metadata, 'a b c x', 'b<a', 'c<b');
      await commit(metadata, c.put('b', 'newer'), c.copy('x', 'b', true), c.copy('b', 'y'));
      expect(await paged(metadata, 'descendantsOf', 'a')).toBe('b c');
      expect(await metadata.getRelations([c.key('y'), c.key('x')])).toEqual([undefined, undefined]);
      await expectReplayed(metadata, open);
    });

    it('go with an entry that is renamed, also over another one', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d', 'b<a', 'c<b', 'd<a');
      await commit(metadata, c.rename('b', 'bb'));
      expect(await paged(metadata, 'descendantsOf', 'a')).toBe('bb c d');
      expect(await ancestors(metadata, 'c')).toBe('bb a');
      expect(await refusal(metadata, c.rename('d', 'bb', true))).toBe('ENTRY_HAS_CHILDREN');
      expect(await refusal(metadata, c.rename('c', 'bb', true))).toBe('ENTRY_HAS_CHILDREN');
      await commit(metadata, c.rename('bb', 'd', true));
      expect(await paged(metadata, 'descendantsOf', 'a')).toBe('d c');
      await commit(metadata, c.rename('d', 'c', true), c.rename('c', 'c', true));
      expect(await paged(metadata, 'descendantsOf', 'a')).toBe('c');
      await commit(metadata, c.rename('a', 'c', true));
      expect(await metadata.getRelations([c.key('c')])).toEqual([undefined]);
      await expectReplayed(metadata, open);
    });

    it('go along when entries swap their keys in one commit', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d', 'c<a', 'd<b');
      await commit(metadata, c.rename('a', 'tmp'), c.rename('b', 'a'), c.rename('tmp', 'b'));
      expect([await paged(metadata, 'childrenOf', 'a'), await paged(metadata, 'childrenOf', 'b')]).toEqual(['d', 'c']);
      await expectReplayed(metadata, open);
    });

    it('are what they were when a request fails that has changed them', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d', 'b<a', 'c<b');
      const fails = c.rename('none', 'x');
      const outcomes = await metadata.commit([
        request(c.relate('d', 'c'), c.rename('a', 'z'), c.relate('b'), c.remove('c', { children: 'release' }), fails),
        request(c.put('p'), c.put('q'), c.relate('q', 'p')),
        // The row of p is in no database yet, and where it is was told last by a request that is undone.
        request(c.rename('p', 'r'), c.rename('r', 's'), fails),
        request(c.relate('d', 'q'), c.relate('q', 'b')),
        request(c.remove('a', { children: 'delete' }), fails),
        request(c.relate('q', 'p')),
        request(c.remove('a', { children: 'delete' }), c.relate('d', 'none')),
      ]);
      expect(outcomes.map(codeOf)).toEqual([
        ...['ENTRY_NOT_FOUND', 'ok', 'ENTRY_NOT_FOUND', 'ok', 'ENTRY_NOT_FOUND', 'ok', 'ENTRY_NOT_FOUND'],
      ]);
      expect(await paged(metadata, 'descendantsOf', 'a')).toBe('b c');
      expect(await paged(metadata, 'descendantsOf', 'p')).toBe('q d');
      await expectReplayed(metadata, open);
    });

    it('of one commit are seen by its later requests', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d');
      const outcomes = await metadata.commit([
        request(c.relate('b', 'a'), c.relate('c', 'b')),
        request(c.remove('a')),
        request(c.relate('a', 'c')),
        request(c.relate('d', 'c')),
        request(c.remove('b', { children: 'release' })),
        request(c.remove('a')),
        request(c.remove('c', { children: 'delete' })),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ok', 'ENTRY_HAS_CHILDREN', 'RELATION_CYCLE', ...Array(4).fill('ok')]);
      expect(outcomes.at(-1)).toMatchObject({ outcomes: [{ existed: true, deleted: 2 }] });
      expect(await metadata.counters()).toMatchObject({ entries: 0 });
      await expectReplayed(metadata, open);
    });

    it('are walked from no place that has left the family', async () => {
      const metadata = await open();
      await family(metadata, 'a b c d e f g', 'b<a', 'c<a', 'd<b', 'e<d', 'f<g');
      const [, d] = await metadata.descendantsOf(c.key('a'), { limit: 2 });
      const after = d?.place ?? { node: 0, depth: 0 };
      expect(namesOf(await metadata.descendantsOf(c.key('a'), { after, limit: 9 }))).toBe('e c');
      await commit(metadata, c.relate('d', 'g'));
      expect(await metadata.descendantsOf(c.key('a'), { after, limit: 9 })).toEqual([]);
      await commit(metadata, c.remove('d', { children: 'release' }));
      expect(await metadata.descendantsOf(c.key('a'), { after, limit: 9 })).toEqual([]);
    });
  });
});

describe.each(SEALED_SUBJECTS)('$name', (subject) => {
  const { open } = openerOf(subject);

  it('names all isolated entries of a family that is deleted', async () => {
    const metadata = await open();
    const c = namedIn(subject);
    const [one, two] = [ISOLATED_NAMESPACE_MIN + 1, ISOLATED_NAMESPACE_MIN + 2];
    const { namespace } = c;
    await commit(metadata, putIsolated(one, 'a', { namespace }), putIsolated(two, 'b', { namespace }), c.put('d'));
    await commit(metadata, c.relate('b', 'a'), c.relate('d', 'b'), c.policy({}));
    const { outcomes } = await commit(metadata, c.remove('a', { children: 'delete' }));
    expect(outcomes).toEqual([{ existed: true, deleted: 3, shredded: [one, two] }]);
    expect(await metadata.pendingShreds()).toEqual([one, two]);
    expect(await metadata.getHistory('version', c.key('d'), { limit: 9 })).toMatchObject([
      { row: { entry: entryOf('d') } },
    ]);
    await expectReplayed(metadata, open);
  });
});
