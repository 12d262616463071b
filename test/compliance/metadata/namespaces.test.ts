import { describe, expect, it } from 'vitest';
import { decodeJournalRecord, type Operation } from '../../../src/format/index.ts';
import { ISOLATED_NAMESPACE_MIN } from '../../../src/limits.ts';
import type { Change, Metadata } from '../../../src/metadata/contract.ts';
import { idOf, inlineOf, packAdd, put, remove, request } from '../../support/metadata-samples.ts';
import { SampleJournal } from '../../support/sample-journal.ts';
import { keyOf, putIn, putIsolated, ringOf, sealedPackOf, TENANT } from '../../support/sealed-metadata.ts';
import { SEALED_SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectSound, openerOf, whereIs } from './suite.ts';

const ISOLATED = ISOLATED_NAMESPACE_MIN + 5;
const NOTHING = { entries: 0, logicalBytes: 0, chunks: 0, uniqueBytes: 0, storedBytes: 0 };
const DROP: Change = { type: 'namespace-drop', namespace: TENANT };

const move = (type: 'rename' | 'copy', from: string, to: string): Change =>
  ({ type, from: keyOf(from), to: keyOf(to), replace: true, modified: 5 }) as Change;

async function operationsOf(metadata: Metadata, commitNumber: number): Promise<readonly Operation[]> {
  const [row] = await metadata.outbox(commitNumber - 1, 1);
  return decodeJournalRecord(row?.record ?? new Uint8Array()).operations.filter(({ type }) => type !== 'incarnation');
}

async function keysOf(metadata: Metadata, prefix?: Uint8Array): Promise<number> {
  return (await metadata.listEntries({ limit: 9999, ...(prefix && { prefix }) })).length;
}

describe.each(SEALED_SUBJECTS)('$name', (subject) => {
  describe('a namespace', () => {
    const { open } = openerOf(subject);

    it('is not left by its entries', async () => {
      const metadata = await open();
      await commit(metadata, putIn(TENANT, 'a'));
      for (const type of ['rename', 'copy'] as const) {
        const leaving = metadata.commit([request({ ...move(type, 'a', 'a'), to: put('a').key } as Change)]);
        await expect(leaving).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
      }
      expect(await metadata.getEntries([keyOf('a'), put('a').key])).toMatchObject([{ key: keyOf('a') }, undefined]);
    });

    it('has entries of its own under the same keys', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'ours', { shape: { size: 3 } }), putIn(TENANT, 'a', { size: 5 }));
      const rows = await metadata.getEntries([put('a').key, keyOf('a'), keyOf('a', 8)]);
      expect(rows.map((row) => row?.size)).toEqual([3, 5, undefined]);
      expect(await keysOf(metadata, keyOf('', TENANT).subarray(0, 5))).toBe(1);
      await expectSound(metadata);
    });

    it('is counted by itself', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'x', { shape: { size: 3 } }), putIn(TENANT, 'a', { size: 5 }));
      const sample = sealedPackOf(1, [idOf('x'), idOf('y')]);
      await commit(metadata, packAdd(sample), packAdd(sealedPackOf(2, [idOf('z')], 0)));
      await metadata.commit([{ changes: [], inline: [inlineOf('w')] }]);
      const { storedBytes } = sample.pack;
      expect(await metadata.namespaceCounters(TENANT)).toEqual({
        ...{ entries: 1, logicalBytes: 5, chunks: 2, uniqueBytes: 200, storedBytes },
      });
      expect(await metadata.namespaceCounters(0)).toMatchObject({ entries: 1, logicalBytes: 3, chunks: 2 });
      expect(await metadata.namespaceCounters(8)).toEqual(NOTHING);
      expect(await metadata.counters()).toMatchObject({ entries: 2, logicalBytes: 8, chunks: 4 });
      await commit(metadata, { type: 'delete', key: keyOf('a') });
      expect(await metadata.namespaceCounters(TENANT)).toMatchObject({ entries: 0, logicalBytes: 0, chunks: 2 });
      await expectSound(metadata);
    });

    it('stands sealed in the journal, entries and names', async () => {
      const metadata = await open();
      await commit(metadata, putIn(TENANT, 'a name that nobody else may read'));
      await commit(metadata, move('rename', 'a name that nobody else may read', 'b'), move('copy', 'b', 'c'));
      expect((await operationsOf(metadata, 1)).map(({ type }) => type)).toEqual(['scoped']);
      expect(await operationsOf(metadata, 2)).toMatchObject([
        { type: 'scoped', namespace: TENANT },
        { type: 'scoped', namespace: TENANT },
      ]);
      const [row] = await metadata.outbox(0, 1);
      expect(Buffer.from(row?.record ?? []).includes('nobody else')).toBe(false);
    });

    it('grows up to its quota, and shrinks whatever the quota', async () => {
      const metadata = await open();
      const within = (logicalBytesMax: number, ...changes: readonly Change[]) => ({
        ...request(...changes),
        quotas: [{ namespace: TENANT, logicalBytesMax }],
      });
      const outcomes = await metadata.commit([
        within(10, putIn(TENANT, 'a', { size: 6 })),
        within(10, putIn(TENANT, 'b', { size: 6 })),
        within(10, putIn(TENANT, 'c', { size: 4 }), put('ours', 'ours', { shape: { size: 1000 } })),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ok', 'QUOTA_EXCEEDED', 'ok']);
      expect(outcomes[1]).toMatchObject({ error: { kind: 'exhausted', details: { namespace: TENANT, expected: 10 } } });
      expect(await metadata.namespaceCounters(TENANT)).toMatchObject({ entries: 2, logicalBytes: 10 });
      const again = await metadata.commit([
        within(10, putIn(TENANT, 'a', { size: 7 })),
        within(5, putIn(TENANT, 'a', { size: 5 })),
        within(10, putIn(TENANT, 'c', { size: 5 })),
        within(0, { type: 'delete', key: keyOf('a') }),
      ]);
      expect(again.map(codeOf)).toEqual(['QUOTA_EXCEEDED', 'ok', 'ok', 'ok']);
      expect(await metadata.namespaceCounters(TENANT)).toMatchObject({ entries: 1, logicalBytes: 5 });
      await expectSound(metadata);
    });

    it('keeps small packs to itself', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(sealedPackOf(1, [])), packAdd(sealedPackOf(2, [], 0)));
      const small = { class: 'data', bytesBelow: 9999, limit: 9 } as const;
      expect((await metadata.smallPacks(small)).map(({ number }) => number)).toEqual([2]);
      expect(await metadata.smallPacks({ ...small, namespace: TENANT })).toMatchObject([
        { number: 1, seal: { namespace: TENANT, epoch: 1, salt: sealedPackOf(1, []).pack.seal?.salt } },
      ]);
    });
  });

  describe('a dropped namespace', () => {
    const { open } = openerOf(subject);

    it('is not the default one', async () => {
      const metadata = await open();
      await commit(metadata, put('ours'));
      const dropping = metadata.commit([request({ type: 'namespace-drop', namespace: 0 })]);
      await expect(dropping).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
      expect(await keysOf(metadata)).toBe(1);
    });

    it('leaves nothing in the state but packs to delete', async () => {
      const metadata = await open();
      const entries = Array.from({ length: 1500 }, (_, index) => putIn(TENANT, `k${index}`));
      await commit(metadata, ...entries, put('ours'));
      const ids = Array.from({ length: 1500 }, (_, index) => idOf(index));
      await commit(metadata, packAdd(sealedPackOf(1, ids)), packAdd(sealedPackOf(2, [idOf('z')], 0)));
      expect((await commit(metadata, DROP)).outcomes).toEqual([{ existed: false }]);
      expect(await metadata.namespaceCounters(TENANT)).toEqual(NOTHING);
      expect(await metadata.counters()).toMatchObject({ entries: 1, chunks: 1, packs: 1 });
      expect(await keysOf(metadata)).toBe(1);
      expect(await keysOf(metadata, keyOf('', TENANT).subarray(0, 5))).toBe(0);
      expect(await whereIs(metadata, 7)).toBeUndefined();
      expect((await metadata.droppedPacks(9)).map(({ number }) => number)).toEqual([1]);
      expect(await operationsOf(metadata, 3)).toEqual([DROP]);
      await expectSound(metadata);
    });

    it('takes isolated entries with it, whose key pages wait to be destroyed', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(sealedPackOf(1, [idOf('x')], ISOLATED)));
      await commit(metadata, putIsolated(ISOLATED, 'a', { namespace: TENANT }), putIn(TENANT, 'b'));
      await commit(metadata, DROP);
      const dropped = [TENANT, ISOLATED].map((namespace) => ({ type: 'namespace-drop', namespace }));
      expect(await operationsOf(metadata, 3)).toEqual(dropped);
      expect(await metadata.pendingShreds()).toEqual([ISOLATED]);
      expect(await whereIs(metadata, 'x')).toBeUndefined();
      await expectSound(metadata);
    });

    it('takes nothing more once its key is gone', async () => {
      const metadata = await open();
      await commit(metadata, putIn(TENANT, 'a'));
      await metadata.unlock(ringOf(1, []), 2);
      const outcomes = await metadata.commit([request(putIn(TENANT, 'b')), request(put('ours'))]);
      expect(outcomes.map(codeOf)).toEqual(['NAMESPACE_KEY_GONE', 'ok']);
      await commit(metadata, DROP);
      expect(await metadata.namespaceCounters(TENANT)).toEqual(NOTHING);
      await expectSound(metadata);
    });

    it('is dropped with a commit that passes, whole, and not with one that fails', async () => {
      const metadata = await open();
      await commit(metadata, putIn(TENANT, 'a'), put('b'));
      const fails = request(DROP, put('b', 'again', { condition: { absent: true } }));
      expect((await metadata.commit([fails, request(put('c'))])).map(codeOf)).toEqual(['ENTRY_EXISTS', 'ok']);
      expect(await metadata.namespaceCounters(TENANT)).toMatchObject({ entries: 1 });
      await metadata.commit([request(DROP), request(putIn(TENANT, 'too late'))]);
      expect(await metadata.namespaceCounters(TENANT)).toEqual(NOTHING);
      await expectSound(metadata);
    });
  });

  describe('an isolated entry', () => {
    const { open } = openerOf(subject);

    it('tells size and version without its key', async () => {
      const metadata = await open();
      const [put1, put2] = [putIsolated(ISOLATED, 'a', { size: 12 }), putIsolated(ISOLATED + 1, 'a', { size: 12 })];
      const { outcomes } = await commit(metadata, put1);
      expect(outcomes).toMatchObject([{ existed: false, row: { size: 12 } }]);
      expect(outcomes[0]).not.toHaveProperty('shredded');
      const again = await commit(metadata, put2);
      expect(again.outcomes).toMatchObject([{ existed: true, shredded: [ISOLATED], row: { size: 12 } }]);
      expect(again.outcomes[0]?.row?.version).not.toEqual(outcomes[0]?.row?.version);
    });

    it.each([
      { how: 'deleted', change: remove('a') },
      { how: 'overwritten', change: put('a') },
      { how: 'replaced by a rename', change: { ...move('rename', 'b', 'a'), from: put('b').key, to: put('a').key } },
      { how: 'replaced by a copy', change: { ...move('copy', 'b', 'a'), from: put('b').key, to: put('a').key } },
    ])('that is $how takes its packs along and leaves its key page to be destroyed', async ({ change }) => {
      const metadata = await open();
      await commit(metadata, put('b'), putIsolated(ISOLATED, 'a'), packAdd(sealedPackOf(1, [idOf('x')], ISOLATED)));
      const { outcomes } = await commit(metadata, change as Change);
      expect(outcomes).toMatchObject([{ existed: true, shredded: [ISOLATED] }]);
      expect((await operationsOf(metadata, 2)).at(-1)).toEqual({ type: 'namespace-drop', namespace: ISOLATED });
      expect(await whereIs(metadata, 'x')).toBeUndefined();
      expect(await metadata.droppedPacks(9)).toMatchObject([{ seal: { namespace: ISOLATED } }]);
      expect(await metadata.pendingShreds()).toEqual([ISOLATED]);
      await metadata.forgetShreds([ISOLATED, ISOLATED + 9]);
      expect(await metadata.pendingShreds()).toEqual([]);
      await expectSound(metadata);
    });

    it('stays one when renamed, and is not copied', async () => {
      const metadata = await open();
      await commit(metadata, putIsolated(ISOLATED, 'a'), packAdd(sealedPackOf(1, [idOf('x')], ISOLATED)));
      const [a, b] = [put('a').key, put('b').key];
      expect(await metadata.commit([request({ ...move('copy', 'a', 'b'), from: a, to: b } as Change)])).toMatchObject([
        { ok: false, error: { code: 'ENTRY_ISOLATED', details: { key: 'a' } } },
      ]);
      const { outcomes } = await commit(metadata, { type: 'rename', from: a, to: b, replace: false });
      const self = await commit(metadata, { type: 'rename', from: b, to: b, replace: true });
      for (const outcome of [outcomes[0], self.outcomes[0]]) expect(outcome).not.toHaveProperty('shredded');
      expect(await whereIs(metadata, 'x')).toBe('pack 1');
      expect(await metadata.pendingShreds()).toEqual([]);
      await expectSound(metadata);
    });

    it('may come and go within one commit', async () => {
      const metadata = await open();
      const { outcomes } = await commit(
        ...[metadata, packAdd(sealedPackOf(1, [idOf('x')], ISOLATED)), putIsolated(ISOLATED, 'a'), put('a', 'plain')],
      );
      expect(outcomes.at(-1)).toMatchObject({ shredded: [ISOLATED] });
      expect(await whereIs(metadata, 'x')).toBeUndefined();
      await expectSound(metadata);
    });

    it('pages what is to be shredded', async () => {
      const metadata = await open();
      const numbers = Array.from({ length: 5 }, (_, index) => ISOLATED + index);
      await commit(metadata, ...numbers.map((number) => putIsolated(number, `k${number}`)));
      await commit(metadata, ...numbers.map((number) => remove(`k${number}`)));
      expect(await metadata.pendingShreds({ limit: 2 })).toEqual(numbers.slice(0, 2));
      expect(await metadata.pendingShreds({ after: ISOLATED + 2 })).toEqual(numbers.slice(3));
    });
  });

  describe('a replay', () => {
    const { open } = openerOf(subject);

    async function live(metadata: Metadata, journal: SampleJournal): Promise<void> {
      await commit(metadata, putIn(TENANT, 'a'), putIn(TENANT, 'b', { size: 3 }), put('a'));
      await commit(metadata, move('rename', 'a', 'c'), move('copy', 'c', 'd'), putIsolated(ISOLATED, 'i'));
      await commit(metadata, putIsolated(ISOLATED + 1, 'j', { namespace: TENANT }), remove('i'));
      const flushed = await journal.flush(metadata);
      if (flushed) await metadata.markFlushed([flushed]);
    }

    it('gives what running gave, namespaces and isolated entries included', async () => {
      const [metadata, journal, rebuilt] = [await open(), new SampleJournal(), await open()];
      await live(metadata, journal);
      await journal.recover(rebuilt);
      expect(await rebuilt.stateDigests()).toEqual(await metadata.stateDigests());
      expect(await rebuilt.namespaceCounters(TENANT)).toEqual(await metadata.namespaceCounters(TENANT));
      expect(await rebuilt.pendingShreds()).toEqual([ISOLATED]);
      await expectSound(rebuilt);
    });

    it('skips what was done to a namespace whose key is gone', async () => {
      const [metadata, journal, rebuilt] = [await open(), new SampleJournal(), await open()];
      await live(metadata, journal);
      await commit(metadata, DROP);
      const flushed = await journal.flush(metadata, { after: 3 });
      if (flushed) await metadata.markFlushed([flushed]);
      await rebuilt.unlock(ringOf(1, []), 2);
      await journal.recover(rebuilt);
      expect(await rebuilt.stateDigests()).toEqual(await metadata.stateDigests());
      expect(await rebuilt.pendingShreds()).toEqual(await metadata.pendingShreds());
      await expectSound(rebuilt);
    });
  });
});
