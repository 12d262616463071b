import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NamesFixture } from '../../../test/support/names-fixture.ts';
import { compareBytes, EMPTY_BYTES, toHex } from '../../bytes/bytes.ts';
import { NAMES_ITEM_BYTES_LEAST, NAMES_NODE_BYTES } from '../../limits.ts';
import { addToSum, EMPTY_SUM } from '../row-digest.ts';
import { RowSet } from '../row-set.ts';
import type { NodeRow } from './names-tables.ts';
import type { ItemRange } from './order-items.ts';
import { nodeWeight } from './tree-node.ts';
import { walkTree } from './tree-walk.ts';
import { type ItemChange, TreeWriter } from './tree-writer.ts';

let fixture: NamesFixture;
let root = 0;
let nextNode = 1;

beforeEach(async () => {
  fixture = await new NamesFixture().create();
  [root, nextNode] = [0, 1];
});

afterEach(() => fixture.close());

/** Applies one batch to the one tree of the fixture. */
async function apply(changes: readonly ItemChange[]): Promise<void> {
  await fixture.database.write(async (transaction) => {
    const nodes = new RowSet(fixture.names.nodes);
    const writer = new TreeWriter({ transaction, nodes, nextNode: () => nextNode++ });
    root = await writer.apply(
      root,
      changes.toSorted((a, b) => compareBytes(a.item, b.item)),
    );
    await nodes.save(transaction, EMPTY_SUM);
  });
}

async function read(range: ItemRange = { from: EMPTY_BYTES, before: undefined }, descending = false) {
  return fixture.database.read(async (reader) => {
    const found: string[] = [];
    let nodes = 0;
    const onNode = (): void => {
      nodes += 1;
    };
    const walk = { root, range, descending, onNode };
    for await (const items of walkTree(reader, fixture.names.nodes, walk)) found.push(...items.map(toHex));
    return { found, nodes };
  });
}

function allNodes(): Promise<readonly NodeRow[]> {
  return fixture.database.read(async (reader) => (await fixture.names.nodes.select(reader, '')).map(({ row }) => row));
}

function put(...items: readonly Uint8Array[]): readonly ItemChange[] {
  return items.map((item) => ({ item, present: true }));
}

function remove(...items: readonly Uint8Array[]): readonly ItemChange[] {
  return items.map((item) => ({ item, present: false }));
}

/** Items whose order is that of their numbers. */
function numbered(number: number, length = 8): Uint8Array {
  const item = new Uint8Array(length);
  new DataView(item.buffer).setUint32(0, number, false);
  return item;
}

const range = (start: number, end: number, length?: number) =>
  Array.from({ length: end - start }, (_, index) => numbered(start + index, length));

/** A few hundred items, some of them long: long ones make deep trees of few items. */
const items = fc
  .tuple(fc.integer({ min: 0, max: 400 }), fc.constantFrom(4, 5, 40, 700, 1000))
  .map(([number, length]) => numbered(((number * 2_654_435_761) % 2 ** 32) | 0, length));
const batches = fc.array(
  fc.uniqueArray(fc.record({ item: items, present: fc.boolean() }), {
    selector: ({ item }) => toHex(item),
    maxLength: 250,
    size: 'max',
  }),
  { minLength: 1, maxLength: 6 },
);

describe('a tree of names', () => {
  it('holds what an array would hold after any batches, and gives every range of it in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(batches, items, items, async (all, from, before) => {
        [root, nextNode] = [0, nextNode];
        await fixture.database.write((transaction) => transaction.run('DELETE FROM names_nodes', [[]]));
        const model = new Map<string, Uint8Array>();
        for (const batch of all) {
          await apply(batch);
          for (const { item, present } of batch) {
            if (present) model.set(toHex(item), item);
            else model.delete(toHex(item));
          }
          const expected = [...model.values()].toSorted(compareBytes);
          const { found, nodes } = await read();
          expect(found).toEqual(expected.map(toHex));
          expect((await allNodes()).length).toBe(nodes);
          const within = expected.filter((item) => compareBytes(item, from) >= 0 && compareBytes(item, before) < 0);
          expect((await read({ from, before }, true)).found).toEqual(within.toReversed().map(toHex));
        }
        for (const node of await allNodes()) expect(nodeWeight(node)).toBeLessThanOrEqual(NAMES_NODE_BYTES);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('reads few nodes for a page in the middle of many', async () => {
    for (let start = 0; start < 20_000; start += 2000) await apply(put(...range(start, start + 2000)));
    const perNode = NAMES_NODE_BYTES / NAMES_ITEM_BYTES_LEAST;
    const page = await read({ from: numbered(15_000), before: numbered(15_100) });
    expect(page.found).toEqual(range(15_000, 15_100).map(toHex));
    expect(page.nodes).toBeLessThanOrEqual(2 + 1 + Math.ceil(100 / (perNode / 2)));
    expect((await allNodes()).length).toBeLessThan((20_000 / perNode) * 2.2);
  });

  it('leaves nothing behind when everything is removed, in whatever order', async () => {
    const all = range(0, 3000);
    await apply(put(...all));
    await apply(remove(...all.filter((_, index) => index % 3 === 0)));
    await apply(remove(...all.slice(1000)));
    await apply(remove(...all.toReversed()));
    expect(root).toBe(0);
    expect(await allNodes()).toEqual([]);
  });

  it('joins nodes that removals left nearly empty', async () => {
    const all = range(0, 5000);
    await apply(put(...all));
    const left = all.filter((_, index) => index % 50 === 0);
    await apply(remove(...all.filter((_, index) => index % 50 !== 0)));
    const { found, nodes } = await read();
    expect(found).toEqual(left.map(toHex));
    expect(nodes).toBeLessThanOrEqual(6);
  });

  it('finds items that come before everything that is there', async () => {
    await apply(put(...range(1000, 2000)));
    await apply(remove(...range(1000, 1100)));
    for (let start = 900; start >= 0; start -= 100) await apply(put(...range(start, start + 100)));
    expect((await read()).found).toEqual([...range(0, 1000), ...range(1100, 2000)].map(toHex));
  });

  it('keeps an item reachable that lies before the first bound of a branch, when that branch joins another', async () => {
    await apply(put(...range(0, 1800, 1000)));
    const nodes = new Map((await allNodes()).map((node) => [node.number, node]));
    const leavesOf = (branch: NodeRow | undefined) => (branch?.children ?? []).map((number) => nodes.get(number));
    const [left, right] = leavesOf(nodes.get(root)).map(leavesOf);
    const itemsOf = (leaves: readonly (NodeRow | undefined)[] = []) => leaves.flatMap((leaf) => leaf?.items ?? []);
    const [emptied] = right ?? [];
    const early = emptied?.items[0] as Uint8Array;
    await apply(remove(...itemsOf(emptied && [emptied])));
    await apply(put(early));
    await apply(remove(...itemsOf(left?.slice(5)), ...itemsOf(right?.slice(5))));
    const { found } = await read();
    expect((await allNodes()).length).toBeLessThan(nodes.size - (left?.length ?? 0));
    expect(found).toContain(toHex(early));
    const kept = [...itemsOf(left?.slice(0, 5)), early, ...itemsOf(right?.slice(1, 5))].map(toHex);
    expect(found.slice(0, kept.length)).toEqual(kept);
  });

  it('takes bounds of a few bytes from names of a thousand', async () => {
    await apply(put(...range(0, 100, 1000)));
    const branches = (await allNodes()).filter(({ children }) => children);
    const bounds = branches.flatMap(({ items: all }) => all.slice(1));
    expect(bounds.length).toBeGreaterThan(5);
    expect(Math.max(...bounds.map(({ length }) => length))).toBeLessThanOrEqual(4);
  });

  it('reports a node that is gone, and an older copy of one', async () => {
    await apply(put(...range(0, 1000)));
    const leaf = (await allNodes()).find(({ children }) => !children) as NodeRow;
    const [before] = await fixture.database.read((reader) =>
      reader.all('SELECT * FROM names_nodes WHERE number = ?', [leaf.number]),
    );
    await apply(put(...range(0, 1000).flatMap((item) => [Uint8Array.of(...item, 1), Uint8Array.of(...item, 2)])));
    await fixture.database.write((transaction) =>
      transaction.run('UPDATE names_nodes SET sealed = ? WHERE number = ?', [[before?.sealed ?? null, leaf.number]]),
    );
    await expect(read()).rejects.toMatchObject({ code: 'METADATA_CORRUPT', details: { key: String(leaf.number) } });
    await fixture.database.write((transaction) =>
      transaction.run('DELETE FROM names_nodes WHERE number = ?', [[leaf.number]]),
    );
    await expect(read()).rejects.toMatchObject({ code: 'METADATA_CORRUPT', details: { key: String(leaf.number) } });
    await expect(apply(remove(...leaf.items))).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
  });

  it('keeps sums that are those of its rows', async () => {
    await apply(put(...range(0, 500)));
    const rows = await fixture.database.read((reader) => fixture.names.nodes.select(reader, ''));
    const sum = rows.reduce((total, { digest }) => addToSum(total, digest, 1), EMPTY_SUM);
    await fixture.database.write(async (transaction) => {
      const nodes = new RowSet(fixture.names.nodes);
      const writer = new TreeWriter({ transaction, nodes, nextNode: () => nextNode++ });
      await writer.apply(root, remove(...range(0, 500)));
      expect(await nodes.save(transaction, sum)).toEqual(EMPTY_SUM);
    });
  });
});
