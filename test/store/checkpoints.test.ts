import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/backend/contract.ts';
import { listAll } from '../../src/backend/list-all.ts';
import { createStore, isStoreError, openStore, rebuildStore, type Store } from '../../src/index.ts';
import { listJournalPacks } from '../../src/maintenance/journal-reader.ts';
import { writeCheckpoint } from '../../src/maintenance/write-checkpoint.ts';
import { SqliteDatabase } from '../../src/metadata/sqlite-database.ts';
import { type SeededRandom, seededRandom } from '../../src/testing/index.ts';
import { type CollectedStore, collectedStore } from '../support/collected-store.ts';
import { KINDS, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { SOUND, testFolder } from '../support/stores.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 26);

const SIZES = [0, 40, 700, 5000, 90_000] as const;

/** Does something to a store, of all that a checkpoint holds. */
async function changeSomething(store: Store, random: SeededRandom): Promise<void> {
  const name = (store.sealed ? ['', 'a', 'b'] : [''])[random.integer(store.sealed ? 3 : 1)] ?? '';
  const entries = name === '' ? store : store.namespace(name);
  const key = (): string => `k${random.integer(10)}`;
  const content = random.bytes(SIZES[random.integer(SIZES.length)] ?? 0);
  const changes: readonly (() => Promise<unknown>)[] = [
    () => entries.put(key(), content, { attributes: { a: 'b' } }),
    () => entries.put(key(), content, { keepVersions: { last: 3 } }),
    () => entries.put(key(), content, store.sealed ? { isolation: 'entry' } : {}),
    () => entries.delete(key(), { children: 'delete' }),
    () => entries.rename(key(), key(), { replace: true }),
    () => entries.copy(key(), key(), { replace: true }),
    () => entries.relations.set(key(), key()),
    async () => entries.refs.set(`ref ${key()}`, (await entries.objects.putBundle({ n: random.integer(5) })).id),
    () => entries.refs.delete(`ref ${key()}`),
    () => entries.versions.forget(key(), { last: 1 }),
    () => entries.versions.setPolicy({ last: random.integer(4) }),
    () => store.maintenance.gc({ deadShare: 0, graceMs: 0 }),
  ];
  try {
    await changes[random.integer(changes.length)]?.();
  } catch (error) {
    if (!isStoreError(error) || !['not-found', 'conflict', 'unsupported'].includes(error.kind)) throw error;
  }
}

async function fill(store: Store): Promise<void> {
  for (let at = 0; at < 12; at += 1) await store.put(`k${at}`, `content ${at % 7}`, { keepVersions: {} });
  await store.put('k3', 'another', { keepVersions: {} });
  await store.relations.set('k3', 'k0');
  await store.refs.set('main', (await store.objects.putBundle({ n: 1 })).id);
}

/** Backend keys of what lies there of checkpoints, the oldest first. */
async function checkpointKeys(backend: Backend): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of listAll(backend, { prefix: 'journal/' }))
    if (key.includes('/checkpoint-')) keys.push(key);
  return keys;
}

/** The first commit whose record lies in the journal. */
async function journalBegins(backend: Backend): Promise<number> {
  const [first] = await listJournalPacks(backend, 0);
  return first?.journal.firstCommit ?? 0;
}

async function imageOfJournal(backend: Backend): Promise<ReadonlyMap<string, Uint8Array>> {
  const image = new Map<string, Uint8Array>();
  for await (const { key } of listAll(backend, { prefix: 'journal/' }))
    image.set(key, (await backend.get(key)) as Uint8Array);
  return image;
}

async function contentsOf(store: Store): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for await (const { key } of store.list()) contents[key] = Buffer.from(await store.get(key)).toString();
  return contents;
}

describe.each(KINDS)('checkpoints of a $kind store', ({ keys }) => {
  let living: CollectedStore;
  afterEach(() => living.store.close());

  /** Compares what is rebuilt with what the store ended as, and goes on with another process. */
  const rebuiltAlike = async (): Promise<number | undefined> => {
    await living.store.close();
    const { metadata, report } = await rebuiltMetadata(living.backend, keys);
    expect(report.passedOver).toEqual([]);
    expect(await metadata.stateDigests()).toEqual(await living.metadata.stateDigests());
    expect(await metadata.check()).toMatchObject({ problems: [] });
    living = { ...living, ...(await living.start()) };
    return report.checkpoint;
  };

  const changeSome = async (random: SeededRandom, count: number): Promise<void> => {
    for (let step = 0; step < count; step += 1) await changeSomething(living.store, random);
  };

  it(`hold all of the state, whatever it is and whenever they are taken (seed ${SEED})`, async () => {
    living = await collectedStore(keys);
    const random = seededRandom(SEED);
    await living.store.put('k0', 'the first');
    if (keys) for (const name of ['a', 'b']) await living.store.namespaces.create(name);
    for (let round = 0; round < 2; round += 1) {
      await changeSome(random, 5 + random.integer(10));
      await living.store.maintenance.gc({ checkpoint: random.integer(2) === 0, graceMs: 0 });
      await living.store.put('k0', 'again');
      const { commit, packs } = await living.store.maintenance.checkpoint();
      expect(packs).toBe(1);
      expect(await living.store.maintenance.checkpoint()).toEqual({ commit, packs: 0, bytes: 0 });
      expect(await rebuiltAlike()).toBe(commit);
      await changeSome(random, random.integer(7));
      expect(await rebuiltAlike()).toBe(commit);
    }
    expect(await living.store.maintenance.check()).toMatchObject(SOUND);
  });

  it('that were not finished are none, and go with the next collection', async () => {
    living = await collectedStore(keys);
    await fill(living.store);
    const { commit } = await living.store.maintenance.checkpoint();
    await living.store.put('later', 'than the first');
    const context = living.engine.upkeep.context();
    let settled = 0;
    const dying = {
      ...context,
      settleJournal: async () => {
        settled += 1;
        if (settled === 2) living.end();
        await context.settleJournal();
      },
    };
    await expect(writeCheckpoint(dying, { packBytes: 1 })).rejects.toThrow();
    const written = await checkpointKeys(living.backend);
    expect(written.length).toBeGreaterThan(4);
    living = { ...living, ...(await living.start()) };
    expect(await rebuiltAlike()).toBe(commit);
    expect(await living.store.maintenance.gc()).toMatchObject({ leakedPacks: written.length - 1 });
    expect(await checkpointKeys(living.backend)).toHaveLength(1);
    expect(await living.store.maintenance.check()).toMatchObject(SOUND);
  });

  it('build all their packs in one array, which may be given', async () => {
    living = await collectedStore(keys);
    await fill(living.store);
    const context = living.engine.upkeep.context();
    const arrays: unknown[] = [];
    const write: typeof context.packs.write = (pack, options) => {
      arrays.push(pack.frame.buffer);
      return context.packs.write(pack, options);
    };
    const packs = new Proxy(context.packs, {
      get: (of, name) => (name === 'write' ? write : Reflect.get(of, name, of)),
    });
    for (const buffer of [undefined, new Uint8Array(2 ** 20)]) {
      arrays.length = 0;
      await writeCheckpoint({ ...context, packs, buffer }, { packBytes: 1, anew: true });
      expect(arrays.length).toBeGreaterThan(4);
      // The first one grows.
      expect(new Set(arrays.slice(buffer ? 0 : 1)).size).toBeLessThanOrEqual(buffer ? 1 : 2);
      if (buffer) expect(arrays[0]).toBe(buffer.buffer);
    }
    expect(await living.store.maintenance.check()).toMatchObject(SOUND);
  });

  it('that are damaged are passed over, for the one before or all of the journal, and told', async () => {
    living = await collectedStore(keys);
    const { store, backend } = living;
    await fill(store);
    const first = await store.maintenance.checkpoint();
    await store.put('between', 'the two');
    await writeCheckpoint(living.engine.upkeep.context(), { packBytes: 1 });
    await store.put('after', 'both');
    await store.close();
    for (const [found, told] of [
      [first.commit, 1],
      [undefined, 2],
    ]) {
      const newest = (await checkpointKeys(backend)).at(told === 1 ? -2 : 0) as string;
      const bytes = (await backend.get(newest)) as Uint8Array;
      bytes[300] = (bytes[300] as number) ^ 1;
      await backend.put(newest, bytes);
      const { metadata, report } = await rebuiltMetadata(backend, keys);
      expect(report.checkpoint).toBe(found);
      expect(report.passedOver.map(({ kind }) => kind)).toEqual(
        Array.from({ length: told as number }, () => 'corrupt'),
      );
      expect(await metadata.stateDigests()).toEqual(await living.metadata.stateDigests());
    }
  });

  it('let the journal before them go, two at a time, and a rebuild, a check and either of them do without it', async () => {
    living = await collectedStore(keys);
    const { store, backend } = living;
    await fill(store);
    expect(await store.maintenance.gc({ checkpoint: true })).toMatchObject({ outcome: 'ok', journalPacksRemoved: 0 });
    await store.put('between', 'the two');
    const before = await journalBegins(backend);
    expect(before).toBe(1);
    const planned = await store.maintenance.gc({ checkpoint: true, dryRun: true });
    expect(await journalBegins(backend)).toBe(1);
    const report = await store.maintenance.gc({ checkpoint: true });
    expect(report.checkpoint).toBeGreaterThan(0);
    expect(planned).toMatchObject({ checkpoint: report.checkpoint, journalPacksRemoved: 0 });
    expect((await store.maintenance.gc({ dryRun: true })).checkpoint).toBe(0);
    expect(report.journalPacksRemoved).toBeGreaterThan(0);
    expect(report.journalBytesFreed).toBeGreaterThan(0);
    expect(await journalBegins(backend)).toBeGreaterThan(1);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.put('after', 'both');
    expect(await rebuiltAlike()).toBe(report.checkpoint);
    const [older = '', newest = ''] = await checkpointKeys(backend);
    const kept = await backend.get(newest);
    await backend.delete(newest);
    const { metadata, report: found } = await rebuiltMetadata(backend, keys);
    expect(found.checkpoint).toBeLessThan(report.checkpoint);
    expect(await metadata.stateDigests()).toEqual(await living.metadata.stateDigests());
    await backend.delete(older);
    await expect(rebuiltMetadata(backend, keys)).rejects.toMatchObject({ code: 'JOURNAL_GAP' });
    await backend.put(newest, kept as Uint8Array);
  });

  it('tell metadata that is older than they are to be rebuilt, and what comes back of the journal brings nothing back', async () => {
    living = await collectedStore(keys);
    const { store, backend } = living;
    await fill(store);
    await store.put('gone', new Uint8Array(3000).fill(7));
    await store.maintenance.check();
    const away = await imageOfJournal(backend);
    const older = await rebuiltMetadata(backend, keys);
    await store.delete('gone');
    for (let round = 0; round < 3; round += 1) {
      await store.put('round', `${round}`);
      await store.maintenance.gc({ checkpoint: true, deadShare: 0 });
    }
    expect(await checkpointKeys(backend)).toHaveLength(2);
    await store.close();
    const stale = startProcess({ backend, metadata: older.home.open(), keys });
    await expect(stale).rejects.toMatchObject({ code: 'JOURNAL_GAP', message: expect.stringContaining('rebuild') });
    for (const [key, bytes] of away) if (!(await backend.head(key))) await backend.put(key, bytes);
    living = { ...living, ...(await living.start()) };
    // Between what came back and where the journal begins there are records that nobody needs.
    expect(await living.store.maintenance.check()).toMatchObject(SOUND);
    expect(await rebuiltAlike()).toBeGreaterThan(0);
    expect(await living.store.has('gone')).toBe(false);
    await living.store.put('last', 'one');
    await living.store.maintenance.gc({ checkpoint: true });
    expect(await journalBegins(backend)).toBeGreaterThan(1);
    expect(await rebuiltAlike()).toBeGreaterThan(0);
  });

  it('are written anew when the keys they lie under are forgotten', async () => {
    if (!keys) return;
    living = await collectedStore(keys);
    const { store } = living;
    await fill(store);
    await store.maintenance.checkpoint();
    await store.keys.rotate();
    expect(await store.keys.rekey()).toMatchObject({ done: true });
    expect(await store.keys.epochs()).toHaveLength(1);
    expect(await checkpointKeys(living.backend)).toHaveLength(1);
    expect(await rebuiltAlike()).toBeGreaterThan(0);
  });

  it('are not made of state that has lost a row', async () => {
    living = await collectedStore(keys);
    await fill(living.store);
    const snapshot = vi.spyOn(SqliteDatabase.prototype, 'snapshot');
    snapshot.mockImplementationOnce(async function (this: SqliteDatabase) {
      snapshot.mockRestore();
      const whole = await this.snapshot();
      // The last row of each page.
      const all: typeof whole.all = async (sql, parameters) => {
        const rows = await whole.all(sql, parameters);
        return sql.includes('FROM entries') ? rows.slice(0, -1) : rows;
      };
      return { ...whole, all };
    });
    await expect(living.store.maintenance.checkpoint()).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
    expect(await checkpointKeys(living.backend)).toEqual([]);
  });
});

describe('a checkpoint of a store on a disk', () => {
  it.each([
    ['a folder', 'store'],
    ['one file', 'store.hold'],
  ])('in %s is of one commit, while others are made', async (_, name) => {
    const path = join(await testFolder(), name);
    const store = await createStore(path, { keys: 'none', reserveBytes: 0, gc: 'manual' });
    for (let at = 0; at < 20; at += 1) await store.put(`k${at}`, `content ${at}`);
    let isOver = false;
    const putting = (async () => {
      for (let at = 0; !isOver; at += 1) await store.put(`k${at % 90}`, `changed ${at}`);
    })();
    const commits = new Set<number>();
    for (let round = 0; round < 2; round += 1) commits.add((await store.maintenance.checkpoint()).commit);
    isOver = true;
    await putting;
    expect(commits.size).toBe(2);
    const before = await contentsOf(store);
    const { entries, chunks } = await store.stats();
    await store.close();
    const report = await rebuildStore(path, { reserveBytes: 0 });
    expect(report).toMatchObject({ entries, chunks, checkpoint: Math.max(...commits), problems: [] });
    const rebuilt = await openStore(path, { reserveBytes: 0 });
    expect(await contentsOf(rebuilt)).toEqual(before);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
    await rebuilt.close();
  });
});
