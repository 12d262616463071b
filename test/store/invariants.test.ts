import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { decodeStoreConfig, encodeObjectKey, scopeKey } from '../../src/format/index.ts';
import { CHECK_INVARIANTS, type CheckReport, type InvariantName, rebuildStore, type Store } from '../../src/index.ts';
import { unlock } from '../../src/keys/index.ts';
import type { EntryRow } from '../../src/metadata/contract.ts';
import { itemKey } from '../../src/metadata/rows.ts';
import type { WorkingState } from '../../src/metadata/working-state.ts';
import { noise } from '../support/contents.ts';
import { forgeRows } from '../support/forged-rows.ts';
import { makeSampleStore, SEALED_OPTIONS, STORE_KEY } from '../support/sealed-store.ts';
import { fileStore } from '../support/single-file.ts';
import { metadataFile, packFiles } from '../support/store-files.ts';
import { folderStore, reopen, storeTemplate, testFolder } from '../support/stores.ts';

/** Small, so that few bytes need a manifest node of their own. */
const CHUNK_BYTES = 136;

/** Something of everything: packs, a manifest in a pack, versions, relations, an object, a ref, a policy. */
const template = storeTemplate(async (store: Store) => {
  await store.versions.setPolicy({ last: 3 });
  await store.put('large', noise(70_000, 1), { chunking: `fixed:${CHUNK_BYTES}` });
  await store.put('parent', 'a parent');
  await store.put('child', 'a child', { relations: { parent: 'parent' } });
  await store.put('child', 'a child again');
  const { id } = await store.objects.putBlob('of an object');
  await store.refs.set('name', id);
  await store.maintenance.check({ invariants: ['reference-counts'] });
});

async function check(folder: string, invariants: true | readonly InvariantName[] = true): Promise<CheckReport> {
  const store = await reopen(folder);
  const report = await store.maintenance.check({ invariants });
  await store.close();
  return report;
}

/** Backends in folders. */
async function threeFolders(): Promise<readonly { readonly location: string }[]> {
  const folder = await testFolder();
  return [1, 2, 3].map((at) => ({ location: path.join(folder, String(at)) }));
}

/** Names of the invariants that a report says are violated. */
function violated({ invariants }: CheckReport): string[] {
  return invariants.filter(({ outcome }) => outcome === 'violated').map(({ name }) => name);
}

/** All rows of a table as a state has them once they are loaded. */
async function rowsOf<Row>(
  set: { loadWhere(...args: never[]): Promise<readonly Row[]> },
  state: WorkingState,
): Promise<readonly Row[]> {
  return await set.loadWhere(...([state.transaction, '', []] as never[]));
}

function tamper(folder: string, sql: string): void {
  const database = new DatabaseSync(metadataFile(folder));
  database.exec(sql);
  database.close();
}

/** What each forged change of the template violates, and nothing else. */
const FORGERIES: readonly (readonly [
  what: string,
  names: readonly InvariantName[],
  work: (state: WorkingState) => Promise<void> | void,
])[] = [
  [
    'the store counts an entry too many',
    ['counters'],
    (state) => {
      state.head = { ...state.head, entries: state.head.entries + 1 };
    },
  ],
  [
    'a pack counts an item too many',
    ['items-placed', 'directories-agree'],
    async (state) => {
      const pack = (await rowsOf(state.packs, state)).find(({ descriptor }) => descriptor.class === 'data');
      if (pack) state.packs.put({ ...pack, items: pack.items + 1 });
    },
  ],
  [
    'a pack has more live bytes than its items',
    ['live-bytes'],
    async (state) => {
      const [pack] = await rowsOf(state.packs, state);
      if (pack) state.packs.put({ ...pack, liveBytes: pack.liveBytes + 7 });
    },
  ],
  [
    'an item is condemned in a pack that does not say so',
    ['condemned-marked', 'condemned-unreachable'],
    async (state) => {
      const [row] = await rowsOf(state.items, state);
      if (row) state.items.put({ ...row, condemned: 1 });
    },
  ],
  [
    'an item is found where its pack has another',
    ['directories-agree'],
    async (state) => {
      const row = (await rowsOf(state.items, state)).find(({ kind }) => kind === 'chunk');
      if (row) state.items.put({ ...row, inner: row.inner + 1 });
    },
  ],
  [
    'a history counts a step too many',
    ['histories-count'],
    async (state) => {
      const [row] = await rowsOf(state.histories, state);
      if (row) state.histories.put({ ...row, steps: row.steps + 1 });
    },
  ],
  [
    'a parent counts a child too many',
    ['relations-resolve'],
    async (state) => {
      const set = state.named('relations') as unknown as typeof state.histories;
      const [row] = await rowsOf(set, state);
      if (row) set.put({ ...row, children: 9 } as never);
    },
  ],
  [
    'a ref names an object that is not there',
    ['refs-resolve'],
    async (state) => {
      const [row] = await rowsOf(state.refs, state);
      const target = encodeObjectKey({ namespace: 0, objectClass: 'raw', digest: new Uint8Array(32).fill(9) });
      if (row) state.refs.put({ ...row, target });
    },
  ],
  [
    'the head names another record than the last',
    ['journal-chain'],
    (state) => {
      state.head = { ...state.head, digest: new Uint8Array(32).fill(7) };
    },
  ],
  [
    'an object has lost its row, and its ref what it names',
    ['refs-resolve', 'reference-counts'],
    async (state) => {
      for (const { key } of await rowsOf(state.objects, state)) state.objects.remove([key]);
    },
  ],
  [
    'a chunk is counted once too often',
    ['reference-counts'],
    async (state) => {
      const row = (await rowsOf(state.items, state)).find(({ refs }) => refs > 0);
      if (row) state.items.put({ ...row, refs: row.refs + 1 });
    },
  ],
  [
    'an object is counted less often than it is named',
    ['reference-counts'],
    async (state) => {
      const [row] = await rowsOf(state.objects, state);
      if (row) state.objects.put({ ...row, refs: row.refs - 1 });
    },
  ],
  [
    'something is condemned that an entry needs',
    ['condemned-unreachable'],
    async (state) => {
      const row = (await rowsOf(state.items, state)).find(({ refs, pack }) => refs > 0 && pack > 0);
      await state.loadItems(row ? [row] : []);
      if (row === undefined) return;
      state.head = { ...state.head, epoch: state.head.epoch + 1 };
      state.items.put({ ...row, condemned: state.head.epoch });
      state.packs.put({ ...state.packByNumber(row.pack), condemned: state.head.epoch });
    },
  ],
  [
    'a chunk that an entry needs has no row',
    ['entries-resolve', 'reference-counts'],
    async (state) => {
      const rows = await rowsOf(state.items, state);
      const row = rows.find(({ kind, length }) => kind === 'chunk' && length === CHUNK_BYTES);
      await state.loadItems(row ? [row] : []);
      if (row) state.removeItem(itemKey(row.kind, row.id));
    },
  ],
];

describe('an invariant', () => {
  it('has a name and a line that says what it is, and holds in stores of all kinds', async () => {
    expect(new Set(CHECK_INVARIANTS.map(({ name }) => name)).size).toBe(CHECK_INVARIANTS.length);
    for (const { summary } of CHECK_INVARIANTS) expect(summary.length).toBeLessThan(110);
    const sealed = await testFolder();
    await makeSampleStore(sealed);
    const { file, store: single } = await fileStore();
    const { path: spread, store } = await folderStore({ backends: await threeFolders(), redundancy: '2+1' });
    for (const one of [single, store]) {
      await one.put('key', noise(300_000, 2));
      await one.close();
    }
    for (const [folder, keys] of [[await template.copy()], [sealed, SEALED_OPTIONS.keys], [file], [spread]] as const) {
      const opened = await reopen(folder, keys && { keys });
      const { outcome, invariants, problems } = await opened.maintenance.check({ invariants: true });
      expect({ outcome, problems, folder }).toEqual({ outcome: 'ok', problems: [], folder });
      expect(invariants.map(({ name, outcome: its }) => [name, its])).toEqual(
        CHECK_INVARIANTS.map(({ name }) => [name, 'ok']),
      );
      await opened.close();
    }
  });

  it.each(FORGERIES)('is found violated, and no other, when %s', async (_, names, work) => {
    const folder = await template.copy();
    await forgeRows(metadataFile(folder), work);
    const report = await check(folder);
    expect(violated(report)).toEqual(names);
    expect(report.outcome).toBe('damaged');
    for (const { name, violations, violationCount } of report.invariants)
      if (names.includes(name)) expect(violations.length, name).toBe(violationCount);
  });

  it('of rows is violated by those that were changed or taken away behind the back of the metadata', async () => {
    const changed = await template.copy();
    tamper(changed, 'UPDATE policies SET digest = zeroblob(16)');
    expect(violated(await check(changed, ['row-digests', 'counters']))).toEqual(['row-digests']);
    const gone = await template.copy();
    tamper(gone, 'DELETE FROM policies');
    expect(violated(await check(gone))).toEqual(['table-sums']);
  });

  it('of packs and what stands on them is violated when a pack is gone', async () => {
    const folder = await template.copy();
    for (const file of await packFiles(folder)) await rm(file);
    expect(violated(await check(folder, ['packs-present', 'live-bytes']))).toEqual(['packs-present']);
    // Its problems are not told where nobody asked for them, and what is lost with it is.
    const alone = await check(folder, ['entries-resolve']);
    expect(alone.invariants.map(({ name }) => name)).toEqual(['entries-resolve']);
    expect(violated(alone)).toEqual(['entries-resolve']);
  });

  it('of versions and objects is violated when their content has no row', async () => {
    const folder = await template.copy();
    await forgeRows(metadataFile(folder), async (state) => {
      const rows = (await rowsOf(state.items, state)).filter(
        ({ kind, length }) => kind === 'chunk' && length !== CHUNK_BYTES,
      );
      await state.loadItems(rows);
      for (const { kind, id } of rows) state.removeItem(itemKey(kind, id));
    });
    const names = ['entries-resolve', 'versions-resolve', 'objects-resolve'] as const;
    expect(violated(await check(folder, names))).toEqual(names);
  });

  it('of shards is violated when one is gone from its backend', async () => {
    const backends = await threeFolders();
    const { path: folder, store } = await folderStore({ backends, redundancy: '2+1', heal: 'manual' });
    await store.put('key', noise(300_000, 2));
    await store.close();
    const [disk, other] = backends;
    const names = await readdir(disk?.location ?? '', { recursive: true });
    const shard = names.find((name) => /^packs.*\.\d+$/.test(name));
    const from = path.join(disk?.location ?? '', shard ?? '');
    const to = path.join(other?.location ?? '', shard ?? '');
    await mkdir(path.dirname(to), { recursive: true });
    await cp(from, to);
    const stray = await reopen(folder, { heal: 'manual' });
    const found = await stray.maintenance.check({ invariants: true });
    expect([violated(found), found.garbage.blobs]).toEqual([['no-stray-shards'], 1]);
    await stray.close();
    await rm(to);
    await rm(from);
    const opened = await reopen(folder, { heal: 'manual' });
    expect(violated(await opened.maintenance.check({ invariants: true }))).toEqual(['shards-placed']);
  });

  it('of leaks is violated by packs that nobody has committed, but for those of a process at work', async () => {
    const folder = await template.copy();
    const [pack = ''] = await packFiles(folder);
    const leaked = path.join(folder, 'packs', '00', `${'e'.repeat(16)}${'0'.repeat(16)}.0`);
    await mkdir(path.dirname(leaked), { recursive: true });
    await cp(pack, leaked);
    const report = await check(folder);
    expect([violated(report), report.problems.map(({ code }) => code)]).toEqual([['no-leaked-packs'], ['LEAKED']]);
    const store = await reopen(folder);
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 1 } });
    await store.maintenance.gc({ graceMs: 0 });
    expect((await store.maintenance.check({ invariants: true })).problems).toEqual([]);
    const database = new DatabaseSync(metadataFile(folder), { readOnly: true });
    const session = database.prepare('SELECT id FROM sessions WHERE ended IS NULL').get()?.id as Uint8Array;
    database.close();
    await cp(pack, path.join(folder, 'packs', '00', `${Buffer.from(session).toString('hex')}${'f'.repeat(14)}00.0`));
    expect((await store.maintenance.check({ invariants: true })).problems).toEqual([]);
  });

  it('of the config is violated when the one on the backend is not the one the metadata knows', async () => {
    const { path: folder, store } = await folderStore();
    await rm(path.join(folder, 'holdfast.json'));
    expect(violated(await store.maintenance.check({ invariants: ['config-agrees'] }))).toEqual(['config-agrees']);
  });

  it('of sealed stores is violated by tallies and lists that are not those of their rows', async () => {
    const folder = await testFolder();
    await makeSampleStore(folder);
    const config = decodeStoreConfig(await readFile(path.join(folder, 'holdfast.json')));
    if (config.keys === 'none') return;
    const { secrets } = await unlock(config, { key: STORE_KEY });
    const keys = { secrets, generation: config.generation };
    await forgeRows(
      metadataFile(folder),
      (state) => state.tally.countEntry(undefined, { key: scopeKey(1, utf8Encode('x')), size: 9 } as EntryRow),
      keys,
    );
    const opened = await reopen(folder, { keys: SEALED_OPTIONS.keys });
    expect(violated(await opened.maintenance.check({ invariants: true }))).toEqual(['namespace-tallies']);
    await opened.close();
    tamper(folder, 'DELETE FROM names_log');
    const again = await reopen(folder, { keys: SEALED_OPTIONS.keys });
    expect(violated(await again.maintenance.check({ invariants: ['entry-order'] }))).toEqual(['entry-order']);
  });

  it('of counts holds while references wait to be counted, and is skipped where it cannot be told', async () => {
    const folder = await template.copy();
    const store = await reopen(folder, { gc: 'manual' });
    await store.put('more', noise(70_000, 4), { chunking: `fixed:${CHUNK_BYTES}` });
    await store.put('large', 'and less');
    await store.delete('parent', { children: 'release' });
    await store.close();
    const names = ['reference-counts', 'condemned-unreachable'] as const;
    const reading = await reopen(folder, { readOnly: true });
    const waiting = await reading.maintenance.check({ invariants: names });
    expect(waiting.invariants.map(({ outcome, checked }) => [outcome, checked > 500])).toEqual([
      ['ok', true],
      ['ok', true],
    ]);
    await reading.close();
    await forgeRows(metadataFile(folder), async (state) => {
      const row = (await rowsOf(state.items, state)).find(({ refs }) => refs > 0);
      if (row) state.items.put({ ...row, refs: row.refs + 1 });
    });
    const again = await reopen(folder, { readOnly: true });
    expect(violated(await again.maintenance.check({ invariants: names }))).toEqual(['reference-counts']);
    await again.close();
    await rebuildStore(folder, { reserveBytes: 0 });
    const rebuilt = await reopen(folder, { readOnly: true });
    const { outcome, invariants } = await rebuilt.maintenance.check({ invariants: names });
    expect([outcome, ...invariants.map((one) => one.outcome)]).toEqual(['partial', 'skipped', 'skipped']);
    await rebuilt.close();
    const counting = await reopen(folder);
    await counting.maintenance.gc({ graceMs: 0 });
    expect((await counting.maintenance.check({ invariants: true })).problems).toEqual([]);
    expect((await counting.maintenance.check({ invariants: names })).outcome).toBe('ok');
  });

  it('that there is none of is refused', async () => {
    const { store } = await folderStore();
    await expect(store.maintenance.check({ invariants: ['nonsense' as never] })).rejects.toBeInstanceOf(RangeError);
    await expect(store.maintenance.check({ invariants: 'all' as never })).rejects.toBeInstanceOf(TypeError);
    expect((await store.maintenance.check({ invariants: [] })).invariants).toEqual([]);
  });
});
