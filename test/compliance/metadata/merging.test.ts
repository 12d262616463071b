import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/metadata/contract.ts';
import { idOf, packAdd, packMerge, packOf, put, remove, rename, request } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { codeOf, commit, entry, expectSound, openerOf } from './suite.ts';

const ids = (...labels: readonly string[]): readonly Uint8Array[] => labels.map(idOf);

describe.each(SUBJECTS)('$name', (subject) => {
  const { open } = openerOf(subject);

  it('finds a chunk that was copied twice in the last of its places', async () => {
    const metadata = await open();
    const [one, two] = [packOf(1, ids('a', 'b')), packOf(2, ids('a', 'c'))];
    await commit(metadata, packAdd(one), packAdd(two));
    await commit(metadata, packMerge([packOf(3, ids('a', 'b', 'a', 'c'))], [one, two]));
    expect((await metadata.locate('chunk', idOf('a')))[0]).toMatchObject({ pack: { number: 3, items: 3 }, ordinal: 2 });
    await expectSound(metadata);
  });

  it('leaves packs and their counts as they were where a request fails, however often it changed them', async () => {
    const metadata = await open();
    const one = packOf(1, ids('a', 'b', 'c'));
    await commit(metadata, packAdd(one));
    const moving = packMerge([packOf(2, ids('a', 'b', 'c'))], [one]);
    const outcomes = await metadata.commit([
      request(put('x')),
      request(moving, rename('absent', 'z')),
      request(put('y')),
    ]);
    expect(outcomes.map(codeOf)).toEqual(['ok', 'ENTRY_NOT_FOUND', 'ok']);
    expect((await metadata.locate('chunk', idOf('a')))[0]).toMatchObject({ pack: { number: 1, items: 3 } });
    await expectSound(metadata);
    await commit(metadata, moving);
    expect((await metadata.locate('chunk', idOf('c')))[0]).toMatchObject({ pack: { items: 3 } });
    await expectSound(metadata);
  });

  it('undoes what a request did that failed, also after others of the group changed the same', async () => {
    const metadata = await open();
    const failing = (...changes: readonly Change[]) => request(...changes, rename('absent', 'z'));
    const group = [failing(put('x')), request(put('x')), failing(remove('x')), failing(remove('x'))];
    const outcomes = await metadata.commit(group);
    expect(outcomes.map(codeOf)).toEqual(['ENTRY_NOT_FOUND', 'ok', 'ENTRY_NOT_FOUND', 'ENTRY_NOT_FOUND']);
    expect(await entry(metadata, 'x')).toBeDefined();
    await expectSound(metadata);
  });
});
