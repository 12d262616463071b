import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/bytes.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import { idOf, request } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectReplayed, namedIn, openerOf } from './suite.ts';

async function refsOf(metadata: Metadata, namespace: number, limit = 2): Promise<readonly string[]> {
  const names: string[] = [];
  let after: Uint8Array | undefined;
  for (;;) {
    const rows = await metadata.listRefs({ namespace, limit, ...(after && { after }) });
    names.push(...rows.map(({ key }) => toHex(key)));
    after = rows.at(-1)?.key;
    if (rows.length < limit) return names.sort();
  }
}

describe.each(SUBJECTS)('$name', (subject) => {
  describe('a ref', () => {
    const { open } = openerOf(subject);
    const c = namedIn(subject);
    const { namespace } = c;

    it('moves from object to object, and remembers every move', async () => {
      const metadata = await open();
      await commit(metadata, c.object('a'), c.object('b'));
      expect((await commit(metadata, c.ref('main', 'a'))).outcomes).toMatchObject([{ existed: false }]);
      const { outcomes } = await commit(metadata, c.ref('main', 'b', 'a'));
      const [row] = await metadata.getRefs([c.key('main')]);
      expect(outcomes).toEqual([{ existed: true, moved: row?.moved }]);
      const moves = await metadata.getHistory('move', c.key('main'), { limit: 9 });
      expect(row).toEqual({ key: c.key('main'), target: c.objectKey('b'), moved: moves[0]?.time });
      const [a, b] = [c.objectKey('a'), c.objectKey('b')];
      expect(moves).toMatchObject([
        { kind: 'move', number: 2, from: a, to: b, message: 'to b' },
        { kind: 'move', number: 1, from: undefined, to: a, message: 'to a' },
      ]);
      expect(await metadata.counters()).toMatchObject({ objects: 2, refs: 1 });
      await expectReplayed(metadata, open);
    });

    it('moves only from where it is expected to be, and only to what is there', async () => {
      const metadata = await open();
      await commit(metadata, c.object('a'), c.object('b'));
      const outcomes = await metadata.commit([
        request(c.ref('main', 'a', 'b')),
        request(c.ref('main', 'a', null)),
        request(c.ref('main', 'b', null)),
        request(c.ref('main', undefined, 'b')),
        request(c.ref('main', 'nothing', 'a')),
        request(c.ref('other', 'b'), c.ref('main', 'b', 'a'), c.ref('main', 'b', 'a')),
        request(c.ref('main', 'b', 'a')),
      ]);
      expect(outcomes.map(codeOf)).toEqual([
        ...['PRECONDITION_FAILED', 'ok', 'PRECONDITION_FAILED', 'PRECONDITION_FAILED', 'OBJECT_NOT_FOUND'],
        ...['PRECONDITION_FAILED', 'ok'],
      ]);
      const [expected, actual] = [toHex(idOf('object b')), toHex(idOf('object a'))];
      expect(outcomes[0]).toMatchObject({
        error: { kind: 'conflict', details: { key: 'main', expected, actual: 'absent' } },
      });
      expect(outcomes[3]).toMatchObject({ error: { details: { expected, actual } } });
      expect(await refsOf(metadata, namespace)).toEqual([toHex(c.key('main'))]);
      expect(await metadata.getHistory('move', c.key('main'), { limit: 9 })).toHaveLength(2);
      expect(await metadata.getHistory('move', c.key('other'), { limit: 9 })).toEqual([]);
      await expectReplayed(metadata, open);
    });

    it('goes, keeps its history, and comes back', async () => {
      const metadata = await open();
      await commit(metadata, c.object('a'), c.ref('main', 'a'));
      const gone = await commit(metadata, c.ref('main', undefined, 'a', 'gone'));
      expect(gone.outcomes).toEqual([{ existed: true }]);
      expect(await metadata.getRefs([c.key('main')])).toEqual([undefined]);
      const again = await commit(metadata, c.ref('main', undefined, null));
      expect(again).toMatchObject({ commit: gone.commit, outcomes: [{ existed: false }] });
      await commit(metadata, c.ref('main', 'a', null, 'back'));
      const moves = await metadata.getHistory('move', c.key('main'), { limit: 9 });
      expect(moves.map(({ number, message, to }) => [number, message, to !== undefined])).toEqual([
        [3, 'back', true],
        [2, 'gone', false],
        [1, 'to a', true],
      ]);
      expect(await metadata.counters()).toMatchObject({ refs: 1 });
      await expectReplayed(metadata, open);
    });

    it('that stays where it is moves all the same', async () => {
      const metadata = await open();
      await commit(metadata, c.object('a'), c.ref('main', 'a'), c.ref('main', 'a', 'a', 'again'));
      expect(await metadata.getHistory('move', c.key('main'), { limit: 1 })).toMatchObject([
        { number: 2, from: c.objectKey('a'), to: c.objectKey('a'), message: 'again' },
      ]);
      await expectReplayed(metadata, open);
    });

    it('is listed with the others, page by page, and is no entry', async () => {
      const metadata = await open();
      const names = ['a', 'b/c', 'b', 'é', 'z'];
      await commit(metadata, c.object('o'), ...names.map((name) => c.ref(name, 'o')), c.put('a'), c.put('entry'));
      const meant = names.map((name) => toHex(c.key(name))).sort();
      for (const limit of [1, 2, 5, 99]) expect(await refsOf(metadata, namespace, limit)).toEqual(meant);
      expect(await metadata.counters()).toMatchObject({ entries: 2, refs: 5 });
      await commit(metadata, c.remove('a'));
      expect(await metadata.getRefs([c.key('a')])).toMatchObject([{ target: c.objectKey('o') }]);
    });
  });
});
