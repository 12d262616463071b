import { describe, expect, it } from 'vitest';
import { idOf, packAdd, packMerge, packOf } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, expectSound, openerOf } from './suite.ts';

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
});
