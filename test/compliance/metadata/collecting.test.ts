import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/bytes/bytes.ts';
import type { Change, Metadata } from '../../../src/metadata/contract.ts';
import { idOf, inlineOf, packAdd, packOf } from '../../support/metadata-samples.ts';
import { SampleJournal } from '../../support/sample-journal.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, expectSound, openerOf, refusal, whereIs } from './suite.ts';

const removal = (...labels: readonly string[]): Change => ({
  type: 'items-remove',
  items: labels.map((label) => ({ kind: 'chunk', id: idOf(label) })),
});

/** Everything that was there when counting began is met. */
async function met(metadata: Metadata): Promise<Metadata> {
  while (!(await metadata.census(1000)));
  return metadata;
}

/** A pack of two chunks that nothing refers to, both condemned. */
async function condemned(metadata: Metadata): Promise<void> {
  await commit(metadata, packAdd(packOf(1, ['a', 'b'].map(idOf))));
  const items = ['a', 'b'].map((label) => ({ kind: 'chunk' as const, id: idOf(label) }));
  expect(await metadata.condemnItems(1, items)).toMatchObject({ items: 2 });
}

describe.each(SUBJECTS)('$name', (subject) => {
  const { open } = openerOf(subject);

  it('dooms nothing that an operation of a session may count on', async () => {
    const metadata = await met(await open());
    await metadata.openSession('a process');
    await condemned(metadata);
    expect(await refusal(metadata, removal('a', 'b'))).toBe('PRECONDITION_FAILED');
    expect(await whereIs(metadata, 'a')).toBe('pack 1');
    await metadata.publishEpoch(await metadata.currentEpoch());
    expect((await commit(metadata, removal('a', 'b'))).outcomes).toMatchObject([{ deleted: 2 }]);
    expect(await whereIs(metadata, 'a')).toBeUndefined();
    await expectSound(metadata);
  });

  it('dooms nothing before everything was met that was there when counting began', async () => {
    const metadata = await open();
    await commit(metadata, packAdd(packOf(1, [idOf('a')])));
    await met(metadata);
    await metadata.condemnItems(1, [{ kind: 'chunk', id: idOf('a') }]);
    await metadata.recount();
    expect(await refusal(metadata, removal('a'))).toBe('PRECONDITION_FAILED');
    expect(await whereIs(metadata, 'a')).toBe('pack 1');
  });

  it('takes what is condemned for absent where somebody looks for it to count on it', async () => {
    const metadata = await met(await open());
    await commit(metadata, packAdd(packOf(2, [idOf('kept')])));
    const ids = concatBytes([idOf('a'), idOf('kept')]);
    expect(await metadata.knownItems('chunk', ids)).toEqual([false, true]);
    await metadata.condemnItems(1, [{ kind: 'chunk', id: idOf('kept') }]);
    expect(await metadata.knownItems('chunk', ids)).toEqual([false, false]);
    expect(await metadata.locate('chunk', idOf('kept'))).toMatchObject([{ condemned: true }]);
  });

  it('dooms nothing that lives again', async () => {
    const metadata = await met(await open());
    await condemned(metadata);
    await commit(metadata, packAdd(packOf(2, [idOf('a')])));
    expect((await commit(metadata, removal('a', 'b'))).outcomes).toMatchObject([{ deleted: 1 }]);
    expect(await whereIs(metadata, 'a')).toBe('pack 2');
    await expectSound(metadata);
  });

  it('takes nothing from a session that was fenced, and says so', async () => {
    const metadata = await open();
    const id = await metadata.openSession('asleep');
    await metadata.fenceSessions([id]);
    expect(await metadata.listSessions()).toMatchObject([{ ended: true, process: 'asleep' }]);
    const fenced = { code: 'SESSION_FENCED' };
    await expect(commit(metadata, packAdd(packOf(1, [idOf('a')])))).rejects.toMatchObject(fenced);
    await expect(metadata.publishEpoch(await metadata.currentEpoch())).rejects.toMatchObject(fenced);
    expect(await whereIs(metadata, 'a')).toBeUndefined();
    await expect(metadata.forgetSessions([id])).rejects.toMatchObject(fenced);
  });

  it('stays done in a rebuild, where a journal pack nobody was told of holds a removed chunk and comes after the removal', async () => {
    const [metadata, journal, rebuilt] = [await open(), new SampleJournal(), await open()];
    const flush = async () => {
      const flushed = await journal.flush(metadata, { after: (await metadata.head()).flushed });
      if (flushed) await metadata.markFlushed([flushed]);
    };
    await commit(metadata, packAdd(journal.write([idOf('a')])));
    await flush();
    await metadata.commit([{ changes: [packAdd(journal.write([idOf('b')]))], inline: [inlineOf('x')] }]);
    const untold = await journal.flush(metadata, { after: 1 });
    await flush();
    await met(metadata);
    const place = Number((await whereIs(metadata, 'x'))?.split(' ')[1]);
    expect(await metadata.condemnItems(place, [{ kind: 'chunk', id: idOf('x') }])).toMatchObject({ items: 1 });
    expect((await commit(metadata, removal('x'))).outcomes).toMatchObject([{ deleted: 1 }]);
    await flush();
    const told = journal.listing.filter(({ pack }) => pack !== untold?.pack);
    journal.mergeJournal(told);
    for (const { pack } of told) journal.delete(pack.id);
    expect(journal.listing.map(({ pack }) => pack.journal?.firstCommit)).toEqual([1, 2]);
    await journal.recover(rebuilt);
    expect(await rebuilt.head()).toMatchObject({ commit: 3 });
    expect(await whereIs(rebuilt, 'x')).toBeUndefined();
    await expectSound(rebuilt);
  });

  it('takes nothing from an older copy that catches up: what a merged journal pack lacks is found in its source', async () => {
    const [metadata, journal, older] = [await open(), new SampleJournal(), await open()];
    await commit(metadata, packAdd(journal.write([idOf('a')])));
    await journal.flush(metadata);
    await metadata.commit([{ changes: [packAdd(journal.write([idOf('b')]))], inline: [inlineOf('x')] }]);
    await journal.flush(metadata, { after: 1 });
    const [first, source] = journal.listing;
    if (!first || !source) throw new Error('nothing was flushed');
    await journal.adopt(older, first);
    await older.advanceEpoch();
    journal.mergeJournal([first, source]);
    expect(journal.listing.map(({ pack }) => pack.journal)).toMatchObject([
      { firstCommit: 1, lastCommit: 1 },
      { firstCommit: 1, lastCommit: 2 },
      { firstCommit: 2, lastCommit: 2 },
    ]);
    await journal.recover(older);
    expect(await whereIs(older, 'x')).toMatch(/^pack \d$/);
    await expectSound(older);
  });
});
