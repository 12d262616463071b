import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../../src/metadata/contract.ts';
import { idOf, packAdd, packOf } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, expectSound, openerOf, whereIs } from './suite.ts';

/** What a job may be about to do when its process is taken for dead. */
const CHANGES: readonly (readonly [string, (metadata: Metadata) => Promise<unknown>])[] = [
  ['takeLease', (metadata) => metadata.takeLease('gc')],
  ['leaveLease', (metadata) => metadata.leaveLease('gc')],
  ['countReferences', (metadata) => metadata.countReferences([])],
  ['parkReferences', (metadata) => metadata.parkReferences([])],
  ['census', (metadata) => metadata.census(10)],
  ['recount', (metadata) => metadata.recount()],
  ['advanceEpoch', (metadata) => metadata.advanceEpoch()],
  ['condemnItems', (metadata) => metadata.condemnItems(1, [{ kind: 'chunk', id: idOf('a') }])],
  ['clearCondemned', (metadata) => metadata.clearCondemned([1])],
  ['condemnObjects', (metadata) => metadata.condemnObjects([])],
  ['forgetPacks', (metadata) => metadata.forgetPacks([1])],
  ['fenceSessions', (metadata) => metadata.fenceSessions([])],
  ['placeShards', (metadata) => metadata.placeShards([])],
  ['markVerified', (metadata) => metadata.markVerified([])],
  ['replay', (metadata) => metadata.replay([packOf(7, []).pack], [])],
];

describe.each(SUBJECTS)('$name', (subject) => {
  const { open, openAgain } = openerOf(subject);

  it.each(CHANGES)('refuses %s of a session that was fenced', async (_, change) => {
    const metadata = await open();
    await commit(metadata, packAdd(packOf(1, [idOf('a')])));
    const id = await metadata.openSession('asleep');
    await metadata.takeLease('gc');
    const before = [
      await metadata.stateDigests(),
      await metadata.collectionState(),
      await metadata.listPacks({ limit: 9 }),
    ];
    await metadata.fenceSessions([id]);
    await expect(change(metadata)).rejects.toMatchObject({ code: 'SESSION_FENCED' });
    const after = [
      await metadata.stateDigests(),
      await metadata.collectionState(),
      await metadata.listPacks({ limit: 9 }),
    ];
    expect(after).toEqual(before);
    expect(await whereIs(metadata, 'a')).toBe('pack 1');
    await expectSound(metadata);
  });

  it.skipIf(!openAgain)('gives a lease to one session until it leaves it or ends', async () => {
    const [one, two] = [await open(), await openAgain?.()];
    if (!two) return;
    const id = await one.openSession('one');
    await two.openSession('two');
    expect(await one.takeLease('gc')).toBeUndefined();
    expect(await one.takeLease('gc')).toBeUndefined();
    expect(await two.takeLease('gc')).toMatchObject({ id, process: 'one', ended: false });
    expect(await two.takeLease('scrub')).toBeUndefined();
    await two.leaveLease('gc');
    expect(await two.takeLease('gc')).toMatchObject({ process: 'one' });
    await one.leaveLease('gc');
    expect(await two.takeLease('gc')).toBeUndefined();
    expect(await one.takeLease('gc')).toMatchObject({ process: 'two' });
    await two.endSession(true);
    expect(await one.takeLease('gc')).toBeUndefined();
    await one.fenceSessions([id]);
    await two.openSession('three');
    await two.forgetSessions([id]);
    await expect(one.takeLease('gc')).rejects.toMatchObject({ code: 'SESSION_FENCED' });
    expect(await two.takeLease('gc')).toBeUndefined();
    expect(await two.takeLease('scrub')).toBeUndefined();
    await expectSound(two);
  });
});
