import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, packAdd, packOf, request, striped } from '../../test/support/metadata-samples.ts';
import type { Metadata, MetadataProblem } from './contract.ts';

/** Of problems with the places of shards. */
function wordsOf(problems: readonly MetadataProblem[]): string[] {
  return problems.map(({ invariant, message }) => (invariant === 'shards-placed' ? message : invariant));
}

describe.each(['plain', 'sealed'] as const)('where shards lie, in the file of a %s store', (kind) => {
  let file: MetadataFile;
  let metadata: Metadata;

  beforeEach(async () => {
    file = await MetadataFile.make(kind);
    metadata = await file.open({ create: true });
    const places = [
      [1, 2, 3],
      [1, 0, 3],
    ];
    const samples = places.map((at, index) => striped(packOf(index + 1, [idOf(index)]), 2, at));
    await metadata.commit([request(...samples.map(packAdd))]);
  });

  afterEach(async () => {
    await file.remove();
  });

  const stripeId = () => packOf(1, []).pack.stripe.id;

  it('stands in the clear, and nothing of a row is written anew when it changes', async () => {
    const all = `SELECT * FROM ${kind === 'sealed' ? 'packs' : 'table_sums'} ORDER BY 1`;
    const withoutPlaces = () => file.query(all).map(({ shards: _, margin: __, verified_at: ___, ...rest }) => rest);
    const [rows, sums] = [withoutPlaces(), file.query('SELECT * FROM table_sums ORDER BY name')];
    await metadata.placeShards([{ packNumber: 1, stripeId: stripeId(), index: 1, from: 2, to: 7 }]);
    expect(withoutPlaces()).toEqual(rows);
    expect(file.query('SELECT * FROM table_sums ORDER BY name')).toEqual(sums);
    const [row] = file.query('SELECT hex(shards) AS shards, margin, verified_at FROM packs WHERE number = 1');
    expect(row).toMatchObject({ shards: '010000000000000007000000000000000300000000000000', margin: null });
  });

  it.each([
    "UPDATE packs SET shards = x'0100' WHERE number = 1",
    "UPDATE packs SET shards = 'text' WHERE number = 1",
    'UPDATE packs SET shards = 77 WHERE number = 1',
    "UPDATE packs SET shards = x'' WHERE number = 1",
  ])('is not known where it is malformed, told by a check, and healed by placing one (%s)', async (sql) => {
    file.tamper(sql);
    const [first, second] = await metadata.listPacks({ limit: 9 });
    expect([first?.places, second?.places]).toEqual([undefined, [1, 0, 3]]);
    expect(await metadata.locate('chunk', idOf(0))).toMatchObject([{ pack: { number: 1 }, suspect: false }]);
    expect((await metadata.packsVerifiedBefore({ before: 1, limit: 9 })).map(({ number }) => number)).toEqual([1, 2]);
    const { problems, tables } = await metadata.check();
    expect(wordsOf(problems)).toEqual(['pack 1: the places of its shards are malformed']);
    expect(tables.every(({ damagedRows, sumMatches }) => damagedRows === 0 && sumMatches)).toBe(true);
    const change = { packNumber: 1, stripeId: stripeId(), index: 0, from: undefined, to: 1 };
    expect(await metadata.placeShards([change])).toEqual([true]);
    expect((await metadata.check()).problems).toEqual([]);
  });

  it('is told by a check where a queue does not follow from it, and the queue holds nothing that needs no repair', async () => {
    file.tamper('UPDATE packs SET margin = -1 WHERE number = 1');
    file.tamper('UPDATE packs SET margin = 1, verified_at = 9 WHERE number = 2');
    expect(await metadata.packsToRepair({ limit: 1 })).toEqual([]);
    expect(wordsOf((await metadata.check()).problems)).toEqual([
      'pack 1: its place in the queue of repair does not follow from where its shards lie',
      'pack 2: its place in the queue of repair does not follow from where its shards lie',
    ]);
    file.tamper('UPDATE packs SET margin = NULL WHERE number = 1');
    file.tamper('UPDATE packs SET margin = 0 WHERE number = 2');
    expect(await metadata.packsToRepair({ limit: 1 })).toMatchObject([{ number: 2, margin: 0 }]);
    expect(wordsOf((await metadata.check()).problems)).toEqual([
      'pack 2: its place in the order of verification does not follow from its shards',
    ]);
  });

  it('is not believed where the row is damaged otherwise', async () => {
    file.tamper('UPDATE packs SET id = zeroblob(16) WHERE number = 2');
    await expect(metadata.packsToRepair({ limit: 9 })).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    const change = { packNumber: 2, stripeId: packOf(2, []).pack.stripe.id, index: 1, from: 0, to: 5 };
    await expect(metadata.placeShards([change])).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
  });
});
