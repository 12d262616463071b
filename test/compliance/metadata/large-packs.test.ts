import { describe, expect, it } from 'vitest';
import { METADATA_ITEMS_HELD_MAX } from '../../../src/limits.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import { idOf, inlineOf, packAdd, packMerge, packOf, put, rename, request } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectSound, openerOf, whereIs } from './suite.ts';

/** Worked through in two parts, the last of them short. */
const COUNT = METADATA_ITEMS_HELD_MAX + 7;
const LAST = COUNT - 1;
const idsOf = (from: number, end: number): readonly Uint8Array[] =>
  Array.from({ length: end - from }, (_, index) => idOf(from + index));

const whole = packOf(1, idsOf(0, COUNT));

async function placesOf(metadata: Metadata, ...labels: readonly (string | number)[]): Promise<unknown> {
  return Promise.all(labels.map((label) => whereIs(metadata, label)));
}

describe.each(SUBJECTS)('a pack of more items than are held at once: $name', (subject) => {
  const { open } = openerOf(subject);

  it('is added, merged and replayed like a small one', async () => {
    const metadata = await open();
    const [newer, next] = [packOf(2, idsOf(5, 6)), packOf(3, idsOf(COUNT, COUNT + 2))];
    await commit(metadata, packAdd(whole), packAdd(newer), packAdd(next));
    expect(await metadata.counters()).toMatchObject({ chunks: COUNT + 2, packs: 3 });
    // Stale is the one that is found elsewhere by now; in two parts stands the first.
    const merged = packOf(4, [...idsOf(0, COUNT + 2), idOf(0)]);
    await commit(metadata, packMerge([merged], [whole, next]));
    expect(await placesOf(metadata, 0, 5, LAST, COUNT + 1)).toEqual(['pack 4', 'pack 2', 'pack 4', 'pack 4']);
    expect((await metadata.locate('chunk', idOf(0)))[0]).toMatchObject({
      ordinal: COUNT + 2,
      pack: { items: COUNT + 1 },
    });
    await expectSound(metadata);
    const rebuilt = await open();
    const directories = [newer, merged].map(({ pack, items }) => ({ packId: pack.id, items }));
    const rows = await metadata.outbox(0, 2 ** 30);
    await rebuilt.replay(
      [],
      rows.map(({ record }) => ({ record, directories, inline: [] })),
    );
    expect(await rebuilt.stateDigests()).toEqual(await metadata.stateDigests());
    await expectSound(rebuilt);
  });

  it('leaves the rest of its group alone when its request fails', async () => {
    const metadata = await open();
    await commit(metadata, packAdd(whole));
    const before = await metadata.stateDigests();
    const moving = packMerge([packOf(2, idsOf(0, COUNT))], [whole]);
    const short = packMerge([packOf(3, idsOf(0, LAST))], [whole]);
    expect((await metadata.commit([request(short)])).map(codeOf)).toEqual(['PRECONDITION_FAILED']);
    expect(await metadata.stateDigests()).toEqual(before);
    const outcomes = await metadata.commit([
      { changes: [put('x')], inline: [inlineOf(3)] },
      request(moving, rename('absent', 'z')),
      request(short),
      request(put('y')),
    ]);
    expect(outcomes.map(codeOf)).toEqual(['ok', 'ENTRY_NOT_FOUND', 'PRECONDITION_FAILED', 'ok']);
    expect(await placesOf(metadata, 0, 3, LAST)).toEqual(['pack 1', 'outbox 2', 'pack 1']);
    expect(await metadata.counters()).toMatchObject({ chunks: COUNT, packs: 1, entries: 2 });
    await expectSound(metadata);
    await commit(metadata, moving);
    expect(await placesOf(metadata, 0, 3, LAST)).toEqual(['pack 2', 'outbox 2', 'pack 2']);
    await expectSound(metadata);
  });
});
