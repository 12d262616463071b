import { describe, expect, it } from 'vitest';
import type { Inspection, Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { SEALED_OPTIONS } from '../support/sealed-store.ts';
import { flipByte, imageOf, packFiles } from '../support/store-files.ts';
import { folderStore, memoryStore, reopen } from '../support/stores.ts';

/** With a pack of chunks, a pack of manifest nodes, small chunks in the journal, and an object. */
async function fill(store: Store): Promise<string> {
  await store.put('large', noise(120_000, 5), { chunking: 'fixed:64' });
  await store.put('small', 'some words');
  return (await store.objects.putBlob('of an object')).id;
}

async function idOfPack(store: Store, packClass: string): Promise<string> {
  for (let commit = 1; ; commit += 1) {
    const { record } = await store.maintenance.inspect(String(commit));
    for (const { type, pack } of record?.operations ?? []) {
      const { id, class: its } = (type === 'pack-add' ? pack : {}) as { id?: string; class?: string };
      if (id && its === packClass) return id;
    }
  }
}

function ok(inspection: Inspection): Inspection {
  expect(inspection).toMatchObject({ outcome: 'ok', problemCount: 0 });
  return inspection;
}

describe.each([
  ['a plain store', {}],
  ['a sealed store', SEALED_OPTIONS],
])('what %s holds under an id', (_, options) => {
  it('is packs, their items, objects and journal records', async () => {
    const store = await memoryStore(options);
    const object = await fill(store);
    const data = ok(await store.maintenance.inspect(`pack:${await idOfPack(store, 'data')}`));
    expect(data).toMatchObject({ kind: 'pack', pack: { header: { class: 'data' }, stripe: { k: 1, m: 0 } } });
    expect(data.pack?.stripe?.backends).toEqual([expect.any(String)]);
    const [item] = data.pack?.items ?? [];
    const chunk = ok(await store.maintenance.inspect(`chunk:${item?.id.slice(0, 13)}`));
    expect(chunk).toMatchObject({ kind: 'chunk', bytes: 64, place: { pack: data.pack?.header?.pack, item } });
    const meta = await store.maintenance.inspect(await idOfPack(store, 'meta'), { limit: 3 });
    const nodes = await Promise.all(
      (meta.pack?.items ?? []).map(({ id }) => store.maintenance.inspect(`manifest:${id}`, { limit: 2 })),
    );
    const leaf = nodes.find(({ manifest }) => manifest?.level === 0);
    expect(leaf && ok(leaf)).toMatchObject({ kind: 'manifest node', manifest: { children: [{ bytes: 64 }, {}] } });
    const [child] = leaf?.manifest?.children ?? [];
    expect(ok(await store.maintenance.inspect(child?.id ?? ''))).toMatchObject({ kind: 'chunk', bytes: 64 });
    const told = ok(await store.maintenance.inspect(`object:${object.slice(0, 8)}`));
    expect(told).toMatchObject({ kind: 'object', object: { id: object, type: 'blob', size: 12 } });
    const first = ok(await store.maintenance.inspect('1'));
    expect(first.record?.commit).toBe(1);
    expect(first.place?.pack ?? '').toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('an id', () => {
  it('that nothing has, that several things have, or that is none is refused', async () => {
    const store = await memoryStore();
    const object = await fill(store);
    const refused = async (id: unknown) => await store.maintenance.inspect(id as string).catch(({ code }) => code);
    expect(await refused('pack:0000000000')).toBe('ID_NOT_FOUND');
    expect(await refused('99999999')).toBe('ID_NOT_FOUND');
    expect(await refused('abc')).toBe('DIGEST_INVALID');
    expect(await refused('journal:abcd')).toBe('DIGEST_INVALID');
    expect(await refused(7)).toBe('ARGUMENT_INVALID');
    // The bytes of a small raw object are one chunk, of the same digest.
    const both = await store.maintenance.inspect(object).catch((error: unknown) => error);
    expect(both).toMatchObject({ code: 'ID_AMBIGUOUS', message: expect.stringContaining(`chunk:${object}, object:`) });
    await expect(store.maintenance.inspect('1', { limit: -1 })).rejects.toBeInstanceOf(RangeError);
  });

  it('of what is damaged or gone tells that, and reading it writes nothing', async () => {
    const { path, store } = await folderStore();
    await fill(store);
    const id = await idOfPack(store, 'data');
    await store.close();
    const file = (await packFiles(path)).find((name) => name.includes(id)) ?? '';
    await flipByte(file, 128 + 128 + 5);
    const before = await imageOf(path);
    const again = await reopen(path, { readOnly: true });
    const inspection = await again.maintenance.inspect(`pack:${id}`);
    expect(inspection).toMatchObject({ outcome: 'damaged', pack: { stripe: { k: 1 } } });
    await again.close();
    expect(await imageOf(path)).toEqual(before);
  });
});
