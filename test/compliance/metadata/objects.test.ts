import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/bytes.ts';
import { encodeObjectKey, parseObjectKey } from '../../../src/format/index.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import type { ObjectIndex } from '../../../src/metadata/object-contract.ts';
import { idOf, request } from '../../support/metadata-samples.ts';
import { NamedChanges } from '../../support/named-changes.ts';
import { TENANT } from '../../support/sealed-metadata.ts';
import { SEALED_SUBJECTS, SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectReplayed, expectSound, namedIn, openerOf } from './suite.ts';

type Query = Parameters<ObjectIndex['listObjects']>[0];

/** Digests of all objects that a query gives, page by page, as text in order. */
async function listed(metadata: Metadata, query: Omit<Query, 'limit'>, limit = 2): Promise<readonly string[]> {
  const found: string[] = [];
  let after: Uint8Array | undefined;
  do {
    const { rows, next } = await metadata.listObjects({ ...query, limit, ...(after && { after }) });
    expect(rows.length).toBeLessThanOrEqual(limit);
    found.push(...rows.map(({ key }) => toHex(parseObjectKey(key)?.digest ?? key)));
    after = next;
  } while (after);
  return found.sort();
}

const digests = (...labels: readonly string[]): readonly string[] =>
  labels.map((label) => toHex(idOf(`object ${label}`))).sort();

describe.each(SUBJECTS)('$name', (subject) => {
  describe('objects', () => {
    const { open, openAgain } = openerOf(subject);
    const c = namedIn(subject);
    const { namespace } = c;

    it('are found by their keys, with their type and when they were put', async () => {
      const metadata = await open();
      const before = Date.now();
      const { outcomes } = await commit(metadata, c.object('a'), c.object('t', { objectType: 'tree' }));
      expect(outcomes).toEqual([{ existed: false }, { existed: false }]);
      const [a, none, t] = await metadata.getObjects([c.objectKey('a'), c.objectKey('x'), c.objectKey('t')]);
      expect(none).toBeUndefined();
      expect(a).toMatchObject({ key: c.objectKey('a'), type: 'blob', entry: c.object('a').entry });
      expect(t).toMatchObject({ type: 'tree' });
      expect(a?.stored).toBeGreaterThanOrEqual(before);
      expect(a?.stored).toBe(t?.stored);
      expect(await metadata.counters()).toMatchObject({ objects: 2, refs: 0 });
      await expectReplayed(metadata, open);
    });

    it('that nothing refers to are removed once they are condemned, and stay away in a replay', async () => {
      const metadata = await open();
      await commit(metadata, c.object('a'), c.object('b'));
      while (!(await metadata.census(1000)));
      const references = await metadata.uncountedReferences({ limit: 9 });
      await metadata.countReferences(references.map(({ number }) => ({ number, items: [], objects: [] })));
      const keys = [c.objectKey('a'), c.objectKey('b')];
      expect(await metadata.condemnObjects(keys.slice(0, 1))).toBe(1);
      const { outcomes } = await commit(metadata, { type: 'object-remove', keys });
      expect(outcomes).toEqual([{ existed: true, deleted: 1 }]);
      expect(await metadata.getObjects(keys)).toMatchObject([undefined, { type: 'blob' }]);
      await expectReplayed(metadata, open);
    });

    it('that are there stay as they are, and no commit is made of it', async () => {
      const metadata = await open();
      await commit(metadata, c.object('a'));
      const again = { ...c.object('a', { refersTo: ['gone'] }), objectType: 'tree' as const };
      const { outcomes, commit: number } = await commit(metadata, again);
      expect(outcomes).toEqual([{ existed: true }]);
      expect(number).toBe(1);
      expect(await metadata.getObjects([c.objectKey('a')])).toMatchObject([{ type: 'blob' }]);
    });

    it('refer to what is there, or was put earlier in the same request', async () => {
      const metadata = await open();
      const outcomes = await metadata.commit([
        request(c.object('leaf'), c.object('top', { refersTo: ['leaf'] })),
        request(c.object('early', { refersTo: ['late'] }), c.object('late')),
        request(c.object('other', { refersTo: ['early'] })),
        request(c.object('second', { refersTo: ['top', 'leaf'] })),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ok', 'OBJECT_NOT_FOUND', 'OBJECT_NOT_FOUND', 'ok']);
      expect(outcomes[1]).toMatchObject({
        error: { kind: 'not-found', details: { object: toHex(idOf('object late')) } },
      });
      expect(await listed(metadata, { namespace })).toEqual(digests('leaf', 'top', 'second'));
      await expectReplayed(metadata, open);
    });

    it('are listed by class, type and first bytes of their digests, page by page', async () => {
      const metadata = await open();
      const names = Array.from({ length: 9 }, (_, index) => `${index}`);
      await commit(metadata, ...names.map((name) => c.object(name)), c.object('b', { objectType: 'bundle' }));
      const structured = { key: c.objectKey('0', 'structured'), objectType: 'tree' } as const;
      await commit(metadata, c.object('0', structured));
      for (const limit of [1, 2, 11, 99]) {
        expect(await listed(metadata, { namespace }, limit)).toEqual(digests(...names, 'b', '0'));
        expect(await listed(metadata, { namespace, objectClass: 'raw' }, limit)).toEqual(digests(...names, 'b'));
        expect(await listed(metadata, { namespace, objectClass: 'structured' }, limit)).toEqual(digests('0'));
        expect(await listed(metadata, { namespace, types: ['tree', 'bundle'] }, limit)).toEqual(digests('0', 'b'));
        for (const length of [0, 1, 4, 32]) {
          const digestPrefix = idOf('object 0').slice(0, length);
          const meant = digests(...names, 'b', '0').filter((digest) => digest.startsWith(toHex(digestPrefix)));
          expect(await listed(metadata, { namespace, digestPrefix }, limit)).toEqual(meant);
        }
      }
    });

    it('whose digests begin with the largest bytes are found by them', async () => {
      const metadata = await open();
      const keys = (['raw', 'structured'] as const).map((objectClass) =>
        encodeObjectKey({ namespace, objectClass, digest: new Uint8Array(32).fill(0xff) }),
      );
      await commit(metadata, ...keys.map((key) => c.object('x', { key })));
      const query = { namespace, digestPrefix: new Uint8Array(3).fill(0xff) };
      expect((await metadata.listObjects({ ...query, limit: 9 })).rows).toHaveLength(2);
      expect(await listed(metadata, query, 1)).toHaveLength(2);
    });

    it('are there after the metadata was opened again', async () => {
      if (!openAgain) return;
      const metadata = await open();
      await commit(metadata, c.object('a'), c.put('e'), c.ref('r', 'a'), c.policy({ last: 3 }));
      await metadata.close();
      const again = await openAgain();
      expect(await listed(again, { namespace })).toEqual(digests('a'));
      expect(await again.getRefs([c.key('r')])).toMatchObject([{ target: c.objectKey('a') }]);
      expect(await again.getPolicy(namespace)).toEqual({ last: 3 });
      await commit(again, c.put('e', 'later'), c.put('f'), c.relate('e', 'f'));
      await expectReplayed(again, open);
    });
  });
});

describe.each(SEALED_SUBJECTS)('$name', (subject) => {
  describe('what is named in namespaces', () => {
    const { open } = openerOf(subject);
    const [ours, theirs] = [new NamedChanges(0), new NamedChanges(TENANT)];
    const everything = (c: NamedChanges) => [
      ...[c.policy({}), c.put('a'), c.put('b'), c.put('a', 'newer'), c.relate('a', 'b')],
      ...[c.object('o'), c.ref('r', 'o'), c.ref('r', undefined)],
    ];

    it('never meets under the same names', async () => {
      const metadata = await open();
      await commit(metadata, ...everything(theirs));
      expect(await metadata.getObjects([ours.objectKey('o')])).toEqual([undefined]);
      expect(await metadata.getHistory('version', ours.key('a'), { limit: 9 })).toEqual([]);
      expect(await metadata.getRelations([ours.key('a')])).toEqual([undefined]);
      expect(await metadata.listRefs({ namespace: 0, limit: 9 })).toEqual([]);
      expect(await listed(metadata, { namespace: 0 })).toEqual([]);
      expect(await metadata.listHistories('move', { namespace: 0, limit: 9 })).toEqual({ keys: [] });
      expect(await metadata.getPolicy(0)).toBeUndefined();
      await commit(metadata, ...everything(ours));
      expect(await listed(metadata, { namespace: 0 })).toEqual(await listed(metadata, { namespace: TENANT }));
      expect(await metadata.counters()).toMatchObject({ objects: 2, refs: 0 });
      await expectReplayed(metadata, open);
    });

    it('stands sealed in the journal', async () => {
      const metadata = await open();
      const secret = new NamedChanges(TENANT);
      await commit(metadata, secret.put('hidden-name'), secret.put('hidden-parent'));
      await commit(metadata, secret.object('o'), secret.ref('hidden-ref', 'o', undefined, 'hidden-message'));
      await commit(metadata, secret.relate('hidden-name', 'hidden-parent'), secret.policy({ last: 2 }));
      await commit(
        metadata,
        secret.put('hidden-name', 'newer'),
        secret.remove('hidden-parent', { children: 'delete' }),
      );
      await commit(metadata, secret.forget('move', 'hidden-ref', [1]), secret.forget('version', 'hidden-name', [1]));
      for (const { record } of await metadata.outbox(0, 2 ** 30)) {
        expect(Buffer.from(record).includes('hidden')).toBe(false);
        expect(Buffer.from(record).includes(Buffer.from(secret.objectKey('o').subarray(6)))).toBe(false);
      }
      await expectReplayed(metadata, open);
    });

    it('leaves with them, whole', async () => {
      const metadata = await open();
      await commit(metadata, ...everything(ours));
      const digestsOfOurs = await metadata.stateDigests();
      // More rows than one page of them.
      const refs = Array.from({ length: 1010 }, (_, index) => theirs.ref(`${index}`, 'o'));
      await commit(metadata, ...everything(theirs), ...refs);
      expect(await metadata.listRefs({ namespace: TENANT, limit: 9999 })).toHaveLength(1010);
      await commit(metadata, { type: 'namespace-drop', namespace: TENANT });
      expect(await metadata.stateDigests()).toEqual(digestsOfOurs);
      expect(await metadata.getPolicy(TENANT)).toBeUndefined();
      expect(await metadata.listHistories('version', { namespace: TENANT, limit: 9 })).toEqual({ keys: [] });
      await expectSound(metadata);
      await expectReplayed(metadata, open);
    });
  });
});
