import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../../../src/bytes/bytes.ts';
import { decodeEntry, entryVersion } from '../../../src/format/index.ts';
import { copy, entryOf, put, remove, rename, request } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { codeOf, commit, entry, expectSound, openerOf, refusal } from './suite.ts';

const versionOf = (label: string): Uint8Array => entryVersion(decodeEntry(entryOf(label)));

describe.each(SUBJECTS)('$name', (subject) => {
  describe('entries', () => {
    const { open } = openerOf(subject);

    it('are found as they were put', async () => {
      const metadata = await open();
      const { outcomes } = await commit(metadata, put('a', 'v1', { modified: 5, shape: { size: 7 } }));
      const row = {
        key: utf8Encode('a'),
        entry: entryOf('v1', { size: 7 }),
        version: entryVersion(decodeEntry(entryOf('v1', { size: 7 }))),
        ...{ size: 7, created: 5, modified: 5 },
      };
      expect(outcomes).toEqual([{ existed: false, row }]);
      expect(await metadata.getEntries([utf8Encode('b'), utf8Encode('a'), utf8Encode('a')])).toEqual([
        ...[undefined, row, row],
      ]);
    });

    it('keep their created time when overwritten', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1', { modified: 5 }));
      const { outcomes } = await commit(metadata, put('a', 'v2', { modified: 9 }));
      expect(outcomes[0]).toMatchObject({ existed: true, row: { created: 5, modified: 9, version: versionOf('v2') } });
    });

    it('are put only when absent, or at a version, if asked', async () => {
      const metadata = await open();
      const absent = { condition: { absent: true } } as const;
      const at = (label: string) => ({ condition: { version: versionOf(label) } });
      expect(await refusal(metadata, put('a', 'v1', at('v1')))).toBe('PRECONDITION_FAILED');
      expect(await refusal(metadata, put('a', 'v1', absent))).toBe('ok');
      expect(await refusal(metadata, put('a', 'v2', absent))).toBe('ENTRY_EXISTS');
      expect(await refusal(metadata, put('a', 'v2', at('v2')))).toBe('PRECONDITION_FAILED');
      expect(await refusal(metadata, put('a', 'v2', at('v1')))).toBe('ok');
      expect((await metadata.head()).commit).toBe(2);
    });

    it('are deleted, at a version if asked; deleting an absent one does nothing', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1'));
      expect(await refusal(metadata, remove('a', versionOf('v2')))).toBe('PRECONDITION_FAILED');
      expect((await commit(metadata, remove('a', versionOf('v1')))).outcomes).toEqual([{ existed: true }]);
      expect(await refusal(metadata, remove('a', versionOf('v1')))).toBe('PRECONDITION_FAILED');
      expect(await commit(metadata, remove('a'))).toEqual({ ok: true, commit: 2, outcomes: [{ existed: false }] });
      expect(await metadata.head()).toMatchObject({ commit: 2 });
    });

    it('keep times and version when renamed', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1', { modified: 5 }), put('b', 'v2', { modified: 6 }));
      expect(await refusal(metadata, rename('x', 'c'))).toBe('ENTRY_NOT_FOUND');
      expect(await refusal(metadata, rename('a', 'b'))).toBe('ENTRY_EXISTS');
      const { outcomes } = await commit(metadata, rename('a', 'b', true));
      const row = { key: utf8Encode('b'), version: versionOf('v1'), created: 5, modified: 5 };
      expect(outcomes[0]).toMatchObject({ existed: true, row });
      expect(await entry(metadata, 'a')).toBeUndefined();
      expect(await entry(metadata, 'b')).toMatchObject(row);
    });

    it('stay when renamed to their own name', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1'));
      expect(await refusal(metadata, rename('a', 'a'))).toBe('ENTRY_EXISTS');
      await commit(metadata, rename('a', 'a', true));
      expect(await entry(metadata, 'a')).toMatchObject({ version: versionOf('v1') });
      expect(await metadata.counters()).toMatchObject({ entries: 1 });
    });

    it('begin a life of their own when copied', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1', { modified: 5 }), put('b', 'v2', { modified: 6 }));
      expect(await refusal(metadata, copy('x', 'c'))).toBe('ENTRY_NOT_FOUND');
      expect(await refusal(metadata, copy('a', 'b'))).toBe('ENTRY_EXISTS');
      const { outcomes } = await commit(metadata, copy('a', 'b', { replace: true, modified: 9 }));
      const row = { version: versionOf('v1'), entry: entryOf('v1'), created: 9, modified: 9 };
      expect(outcomes[0]).toMatchObject({ existed: true, row });
      expect(await entry(metadata, 'a')).toMatchObject({ created: 5 });
    });

    it('are counted with their bytes', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1', { shape: { size: 2 ** 41 } }), put('b', 'v2', { shape: { size: 7 } }));
      await commit(metadata, copy('b', 'c'), put('a', 'v3', { shape: { size: 1 } }), rename('b', 'd'));
      expect(await metadata.counters()).toMatchObject({ entries: 3, logicalBytes: 15, outbox: 2 });
      await commit(metadata, remove('c'), rename('a', 'd', true));
      expect(await metadata.counters()).toMatchObject({ entries: 1, logicalBytes: 1 });
      await expectSound(metadata);
    });
  });

  describe('a request', () => {
    const { open } = openerOf(subject);

    it('sees its own earlier changes', async () => {
      const metadata = await open();
      const { outcomes } = await commit(
        ...[metadata, put('a', 'v1'), rename('a', 'b'), put('b', 'v2', { condition: { version: versionOf('v1') } })],
        ...[remove('b'), put('b', 'v3', { condition: { absent: true } })],
      );
      expect(outcomes.map(({ existed }) => existed)).toEqual([false, false, true, true, false]);
      expect(await entry(metadata, 'a')).toBeUndefined();
      expect(await entry(metadata, 'b')).toMatchObject({ version: versionOf('v3') });
    });

    it('that fails undoes only itself, whole', async () => {
      const metadata = await open();
      const outcomes = await metadata.commit([
        request(put('a', 'v1')),
        request(put('a', 'v2'), put('b', 'v2'), rename('x', 'y')),
        request(
          put('c', 'v3', { condition: { absent: true } }),
          put('a', 'v4', { condition: { version: versionOf('v1') } }),
        ),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ok', 'ENTRY_NOT_FOUND', 'ok']);
      expect(outcomes).toMatchObject([{ commit: 1 }, {}, { commit: 1 }]);
      expect((await metadata.listEntries({ limit: 9 })).map(({ version }) => version)).toEqual([
        ...[versionOf('v4'), versionOf('v3')],
      ]);
      await expectSound(metadata);
    });

    it('tells what its condition expected and what was there', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1'));
      const [outcome] = await metadata.commit([request(put('a', 'v2', { condition: { version: versionOf('v2') } }))]);
      const hex = (label: string): string => Buffer.from(versionOf(label)).toString('hex');
      expect(outcome).toMatchObject({
        error: { kind: 'conflict', details: { key: 'a', expected: hex('v2'), actual: hex('v1') } },
      });
    });

    it('tells which entry is not there, or is there at which version', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1'), put('b', 'v2'));
      const outcomes = await metadata.commit([request(rename('x', 'c')), request(copy('a', 'b'))]);
      const actual = Buffer.from(versionOf('v2')).toString('hex');
      expect(outcomes.map((outcome) => !outcome.ok && outcome.error)).toMatchObject([
        { code: 'ENTRY_NOT_FOUND', details: { key: 'x' } },
        { code: 'ENTRY_EXISTS', details: { key: 'b', actual } },
      ]);
    });

    it('with bytes that are no entry fails alone', async () => {
      const metadata = await open();
      const broken = { ...put('a'), entry: new Uint8Array([1, 2, 3]) };
      const outcomes = await metadata.commit([request(broken), request(put('b'))]);
      expect(outcomes.map(codeOf)).toEqual(['ENTRY_CORRUPT', 'ok']);
    });

    it('is not committed when none of its group passes', async () => {
      const metadata = await open();
      const before = await metadata.head();
      expect((await metadata.commit([request(rename('x', 'y')), request(copy('x', 'y'))])).map(codeOf)).toEqual([
        ...['ENTRY_NOT_FOUND', 'ENTRY_NOT_FOUND'],
      ]);
      expect(await metadata.commit([])).toEqual([]);
      expect(await metadata.head()).toEqual(before);
    });
  });
});
