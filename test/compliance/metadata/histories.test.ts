import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/bytes.ts';
import type { HistoryKind } from '../../../src/format/index.ts';
import { ISOLATED_NAMESPACE_MIN, OPERATION_NUMBERS_MAX } from '../../../src/limits.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import { entryOf, request } from '../../support/metadata-samples.ts';
import { putIsolated } from '../../support/sealed-metadata.ts';
import { SEALED_SUBJECTS, SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectReplayed, namedIn, openerOf } from './suite.ts';

async function listedHistories(
  metadata: Metadata,
  kind: HistoryKind,
  query: { readonly namespace: number; readonly limit: number },
): Promise<readonly string[]> {
  const keys: string[] = [];
  let after: Uint8Array | undefined;
  do {
    const page = await metadata.listHistories(kind, { ...query, ...(after && { after }) });
    expect(page.keys.length).toBeLessThanOrEqual(query.limit);
    keys.push(...page.keys.map(toHex));
    after = page.next;
  } while (after);
  return keys.sort();
}

describe.each(SUBJECTS)('$name', (subject) => {
  describe('versions of an entry', () => {
    const { open } = openerOf(subject);
    const c = namedIn(subject);
    const { namespace } = c;

    /** Numbers of the versions of a key, newest first. */
    const numbers = async (metadata: Metadata, key = 'a'): Promise<readonly number[]> =>
      (await metadata.getHistory('version', c.key(key), { limit: 99 })).map(({ number }) => number);

    it('are what it was, numbered from 1, newest first', async () => {
      const metadata = await open();
      await commit(metadata, c.policy({}));
      for (const modified of [1, 2, 3]) await commit(metadata, c.put('a', `v${modified}`, { modified }));
      const found = await metadata.getHistory('version', c.key('a'), { limit: 9 });
      expect(found).toMatchObject([
        {
          kind: 'version',
          number: 2,
          row: { key: c.key('a'), entry: entryOf('v2'), created: 1, modified: 2, size: 10 },
        },
        { kind: 'version', number: 1, row: { key: c.key('a'), entry: entryOf('v1'), created: 1, modified: 1 } },
      ]);
      expect(found[0]?.row.version).not.toEqual(found[1]?.row.version);
      expect(await metadata.getHistory('version', c.key('a'), { before: 2, limit: 9 })).toEqual([found[1]]);
      expect(await metadata.getHistory('version', c.key('a'), { limit: 1 })).toEqual([found[0]]);
      expect(await metadata.getHistory('version', c.key('a'), { before: 1, limit: 9 })).toEqual([]);
      await expectReplayed(metadata, open);
    });

    it('are not kept without a policy, nor where a change says so', async () => {
      const metadata = await open();
      await commit(metadata, c.put('a', '1'), c.put('a', '2'), c.remove('a'));
      await commit(metadata, c.policy({}), c.put('a', '3'), c.put('a', '4', { keep: 'none' }));
      await commit(metadata, c.remove('a', { keep: 'none' }));
      expect(await numbers(metadata)).toEqual([]);
      expect((await metadata.listHistories('version', { namespace, limit: 9 })).keys).toEqual([]);
      await expectReplayed(metadata, open);
    });

    it('are kept by the policy of one change, else of the namespace, else of the store', async () => {
      const metadata = await open();
      const put = async (label: string, keep?: { last?: number }) =>
        commit(metadata, c.put('a', label, keep && { keep }));
      for (const label of ['1', '2', '3']) await put(label, { last: 9 });
      expect(await numbers(metadata)).toEqual([2, 1]);
      await commit(metadata, c.policy({ last: 2 }, 0));
      for (const label of ['4', '5']) await put(label);
      expect(await numbers(metadata)).toEqual([4, 3]);
      if (namespace > 0) {
        await commit(metadata, c.policy({ last: 1 }));
        await put('6');
        expect(await numbers(metadata)).toEqual([5]);
        await commit(metadata, c.policy(undefined));
        expect(await metadata.getPolicy(namespace)).toBeUndefined();
      }
      await put('7', { last: 3 });
      expect((await numbers(metadata)).length).toBe(namespace > 0 ? 2 : 3);
      await commit(metadata, c.policy(undefined, 0));
      await put('8');
      expect((await numbers(metadata)).length).toBe(namespace > 0 ? 2 : 3);
      await expectReplayed(metadata, open);
    });

    it('leave when the policy keeps none', async () => {
      const metadata = await open();
      for (const label of ['1', '2', '3']) await commit(metadata, c.put('a', label, { keep: {} }));
      await commit(metadata, c.policy({ last: 0 }), c.put('b', '1'), c.put('b', '2'), c.put('a', '4'));
      expect([await numbers(metadata), await numbers(metadata, 'b')]).toEqual([[], []]);
      await expectReplayed(metadata, open);
    });

    it('leave when they are older than the policy keeps them', async () => {
      const metadata = await open();
      for (const label of ['1', '2', '3']) await commit(metadata, c.put('a', label, { keep: { forMs: 1e9 } }));
      expect(await numbers(metadata)).toEqual([2, 1]);
      await commit(metadata, c.put('a', '4', { keep: { forMs: 0 } }));
      expect(await numbers(metadata)).toEqual([]);
      await expectReplayed(metadata, open);
    });

    it('are kept of what is deleted, renamed and replaced, under the old key', async () => {
      const metadata = await open();
      await commit(metadata, c.policy({}), c.put('a'), c.put('b'), c.put('d'));
      await commit(metadata, c.rename('a', 'b', true));
      expect([await numbers(metadata), await numbers(metadata, 'b')]).toEqual([[1], [1]]);
      await commit(metadata, c.copy('b', 'd', true), c.remove('b'));
      expect([await numbers(metadata, 'd'), await numbers(metadata, 'b')]).toEqual([[1], [2, 1]]);
      const [last] = await metadata.getHistory('version', c.key('b'), { limit: 1 });
      expect(last?.row.entry).toEqual(entryOf('a'));
      await commit(metadata, c.rename('d', 'd', true), c.copy('d', 'd', true));
      expect(await numbers(metadata, 'd')).toEqual([1]);
      await commit(metadata, c.put('a', 'anew'), c.put('a', 'newer'));
      expect(await numbers(metadata)).toEqual([2, 1]);
      await expectReplayed(metadata, open);
    });

    it('are kept of a whole family that is deleted', async () => {
      const metadata = await open();
      await commit(
        metadata,
        c.policy({ last: 2 }),
        c.put('a'),
        c.put('b'),
        c.put('c'),
        c.relate('b', 'a'),
        c.relate('c', 'b'),
      );
      const { outcomes } = await commit(metadata, c.remove('a', { children: 'delete' }));
      expect(outcomes).toEqual([{ existed: true, deleted: 3 }]);
      for (const key of ['a', 'b', 'c']) expect(await numbers(metadata, key)).toEqual([1]);
      await commit(metadata, c.put('a'), c.remove('a', { children: 'delete', keep: 'none' }));
      expect(await numbers(metadata)).toEqual([1]);
      await expectReplayed(metadata, open);
    });

    it('are not kept by a request that fails, and numbers go on as if it had never been', async () => {
      const metadata = await open();
      await commit(metadata, c.policy({ last: 2 }), c.put('a', '1'));
      const outcomes = await metadata.commit([
        request(c.put('a', '2'), c.policy({ last: 99 }), c.rename('none', 'x')),
        request(c.put('a', '3')),
        request(c.forget('version', 'a', [1]), c.put('a', '4'), c.rename('none', 'x')),
        request(c.put('a', '5'), c.put('a', '6')),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ENTRY_NOT_FOUND', 'ok', 'ENTRY_NOT_FOUND', 'ok']);
      expect(await numbers(metadata)).toEqual([3, 2]);
      expect(await metadata.getPolicy(namespace)).toEqual({ last: 2 });
      await expectReplayed(metadata, open);
    });

    it('are forgotten by their numbers: in the middle, at the ends, all, and none that are not there', async () => {
      const metadata = await open();
      await commit(metadata, c.policy({}), ...Array.from({ length: 9 }, (_, index) => c.put('a', `${index}`)));
      const forget = async (...gone: readonly number[]) =>
        (await commit(metadata, c.forget('version', 'a', gone))).outcomes;
      expect(await forget(4, 5, 4)).toEqual([{ existed: true, deleted: 2 }]);
      expect(await numbers(metadata)).toEqual([8, 7, 6, 3, 2, 1]);
      expect(await forget(1, 8, 99)).toEqual([{ existed: true, deleted: 2 }]);
      expect(await numbers(metadata)).toEqual([7, 6, 3, 2]);
      const { commit: before } = await metadata.head();
      expect(await forget(1, 4, 8, 100)).toEqual([{ existed: false, deleted: 0 }]);
      expect((await metadata.head()).commit).toBe(before);
      await commit(metadata, c.put('a', 'next'));
      expect(await numbers(metadata)).toEqual([9, 7, 6, 3, 2]);
      await commit(metadata, c.put('a', 'trimmed', { keep: { last: 3 } }));
      expect(await numbers(metadata)).toEqual([10, 9, 7]);
      expect(await forget(7, 9)).toEqual([{ existed: true, deleted: 2 }]);
      expect(await forget(10)).toEqual([{ existed: true, deleted: 1 }]);
      expect((await metadata.listHistories('version', { namespace, limit: 9 })).keys).toEqual([]);
      await commit(metadata, c.put('a', 'anew'));
      expect(await numbers(metadata)).toEqual([1]);
      await expectReplayed(metadata, open);
    });

    it('are not forgotten in place of others that had their numbers', async () => {
      const metadata = await open();
      await commit(metadata, c.policy({}), c.put('a', '1'), c.put('a', '2'));
      const [step] = await metadata.getHistory('version', c.key('a'), { limit: 1 });
      const time = step?.time ?? 0;
      const { outcomes } = await commit(metadata, c.forget('version', 'a', [1], [time - 1]));
      expect(outcomes).toEqual([{ existed: false, deleted: 0 }]);
      expect(await numbers(metadata)).toEqual([1]);
      await commit(metadata, c.forget('version', 'a', [1], [time]));
      expect(await numbers(metadata)).toEqual([]);
      await expectReplayed(metadata, open);
    });

    const isQuick = subject.name.startsWith('metadata in memory');

    if (isQuick)
      it('are found among very many that were forgotten, told in several operations', async () => {
        const metadata = await open();
        const count = OPERATION_NUMBERS_MAX + 100;
        await commit(
          metadata,
          c.policy({}),
          ...Array.from({ length: count + 1 }, (_, index) => c.put('a', `${index % 7}`)),
        );
        const middle = Array.from({ length: count - 2 }, (_, index) => index + 2);
        const { outcomes } = await commit(metadata, c.forget('version', 'a', middle));
        expect(outcomes).toEqual([{ existed: true, deleted: count - 2 }]);
        expect(await numbers(metadata)).toEqual([count, 1]);
        expect(await metadata.getHistory('version', c.key('a'), { limit: 2 })).toHaveLength(2);
        await commit(metadata, c.put('a', 'trims', { keep: { last: 1 } }));
        expect(await numbers(metadata)).toEqual([count + 1]);
        await expectReplayed(metadata, open);
      });

    it('and moves of refs are listed each by themselves, page by page, of what is gone too', async () => {
      const metadata = await open();
      const names = Array.from({ length: 7 }, (_, index) => `n${index}`);
      await commit(metadata, c.policy({}), c.object('o'));
      await commit(
        metadata,
        ...names.flatMap((name) => [c.put(name), c.remove(name), c.ref(name, 'o')]),
        c.ref('r', 'o'),
      );
      const meant = names.map((name) => toHex(c.key(name))).sort();
      for (const limit of [1, 2, 3, 7, 99]) {
        expect(await listedHistories(metadata, 'version', { namespace, limit })).toEqual(meant);
        expect(await listedHistories(metadata, 'move', { namespace, limit })).toEqual(
          [...meant, toHex(c.key('r'))].sort(),
        );
      }
      await commit(metadata, c.forget('move', 'n0', [1]));
      expect(await metadata.getRefs([c.key('n0')])).toMatchObject([{ target: c.objectKey('o') }]);
      expect(await listedHistories(metadata, 'move', { namespace, limit: 99 })).toHaveLength(7);
    });
  });
});

describe.each(SEALED_SUBJECTS)('$name', (subject) => {
  const { open } = openerOf(subject);

  it('keeps no version of an isolated entry, whose key is destroyed with it', async () => {
    const metadata = await open();
    const c = namedIn(subject);
    const isolated = (number: number) => putIsolated(ISOLATED_NAMESPACE_MIN + number, 'a', { namespace: c.namespace });
    await commit(metadata, c.policy({}), isolated(5), c.put('a'), c.put('a', 'newer'), isolated(6));
    await commit(metadata, c.remove('a'));
    const found = await metadata.getHistory('version', c.key('a'), { limit: 9 });
    expect(found.map(({ row }) => row.entry)).toEqual([entryOf('newer'), entryOf('a')]);
    await expectReplayed(metadata, open);
  });
});
