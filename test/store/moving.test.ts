import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openFsBackend } from '../../src/backend/index.ts';
import { createStore, migrateStore, openStore, type Progress } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { fillStore, heldBy } from '../support/moved-store.ts';
import { imageOf } from '../support/store-files.ts';
import { closedAfterTest, SOUND, storeTemplate, testFolder } from '../support/stores.ts';

const KEYS = { key: noise(32, 77) };
const plain = storeTemplate(fillStore);
const sealed = storeTemplate(fillStore, { keys: KEYS });
const KINDS = [
  ['plain', plain, undefined],
  ['sealed', sealed, KEYS],
] as const;

describe.each(KINDS)('a %s store that moves to another folder', (_, template, keys) => {
  const given = keys ? { keys } : {};
  const heldAt = async (folder: string): Promise<unknown> => {
    await using store = await openStore(folder, { ...given, reserveBytes: 0 });
    return await heldBy(store);
  };

  it('holds there what it held, goes on there, and is none any more where it was', async () => {
    const from = await template.copy();
    const held = await heldAt(await template.copy());
    const to = path.join(await testFolder(), 'new');
    const phases = new Set<string>();
    const onProgress = ({ phase }: Progress): unknown => phases.add(phase);
    const report = await migrateStore(from, to, { ...given, onProgress });
    expect(report).toMatchObject({ dryRun: false, resumed: false, problems: [], entries: expect.any(Number) });
    expect(report.copiedBlobs).toBe(report.blobs);
    expect(report.copiedBytes).toBe(report.bytes);
    expect([...phases].sort()).toEqual(['copy', 'rebuild']);
    const store = closedAfterTest(await openStore(to, given));
    expect(await heldBy(store)).toEqual(held);
    await store.put('later', 'x');
    await store.close();
    expect(await readdir(to)).not.toContain('holdfast-migration.json');
    await expect(openStore(from, given)).rejects.toMatchObject({
      code: 'NOT_A_STORE',
      message: expect.stringContaining('has moved'),
    });
    const { id } = store;
    const moved = `{\n  "format": 1,\n  "storeId": "${id}",\n  "to": "${pathToFileURL(to).href}"\n}\n`;
    expect(await readFile(path.join(from, 'holdfast-moved.json'), 'utf8')).toBe(moved);
    // And back, or anywhere else.
    const back = path.join(await testFolder(), 'back');
    await migrateStore(to, back, given);
    expect(Buffer.from(await closedAfterTest(await openStore(back, given)).get('later')).toString()).toBe('x');
  });

  it('is tried with nothing changed', async () => {
    const from = await template.copy();
    const to = path.join(await testFolder(), 'new');
    const before = await imageOf(from);
    const tried = await migrateStore(from, to, { ...given, dryRun: true });
    expect(tried).toMatchObject({ dryRun: true, resumed: false });
    expect(await imageOf(from)).toEqual(before);
    expect(await readdir(path.dirname(to))).toEqual([]);
    const { blobs, bytes } = await migrateStore(from, to, given);
    expect(tried).toMatchObject({ blobs, bytes, copiedBlobs: blobs, copiedBytes: bytes });
  });
});

describe('a move that was stopped', () => {
  const template = plain;
  const heldAt = async (folder: string): Promise<unknown> => {
    await using store = await openStore(folder, { reserveBytes: 0 });
    return await heldBy(store);
  };

  it('goes on from wherever it was stopped', async () => {
    const held = await heldAt(await template.copy());
    const from = await template.copy();
    const to = path.join(await testFolder(), 'new');
    let stops = 0;
    for (;;) {
      const controller = new AbortController();
      let seen = 0;
      const onProgress = (): void => {
        seen += 1;
        if (seen > stops * 5) controller.abort(new Error('stopped'));
      };
      const moving = migrateStore(from, to, { signal: controller.signal, onProgress });
      const outcome = await moving.catch((error: Error) => error.message);
      if (typeof outcome !== 'string') {
        expect(outcome.resumed).toBe(stops > 0);
        break;
      }
      expect(outcome).toBe('stopped');
      stops += 1;
      // As long as it is not done, the source is what it was.
      if (stops === 2) expect(await heldAt(from)).toEqual(held);
      await expect(openStore(to)).rejects.toMatchObject({
        code: expect.stringMatching(/NOT_A_STORE|STORE_NOT_FOUND/),
      });
    }
    expect(stops).toBeGreaterThan(3);
    expect(await heldAt(to)).toEqual(held);
  });

  it('takes over what changed at the source since it was stopped', async () => {
    const from = await template.copy();
    const to = path.join(await testFolder(), 'new');
    const stopped = AbortSignal.abort(new Error('stopped'));
    let at: AbortSignal | undefined;
    const onProgress = (): void => {
      at = stopped;
    };
    const options = { onProgress };
    await expect(
      migrateStore(from, to, {
        ...options,
        get signal() {
          return at as AbortSignal;
        },
      }),
    ).rejects.toThrow('stopped');
    const store = await openStore(from);
    await store.put('since', noise(300_000, 21));
    await store.delete('twice');
    await store.maintenance.gc({ graceMs: 0, deadShare: 0 });
    const held = await heldBy(store);
    await store.close();
    expect(await migrateStore(from, to)).toMatchObject({ resumed: true });
    expect(await heldAt(to)).toEqual(held);
  });
});

describe('a move', () => {
  it('is refused while the store is open, and where there is something already', async () => {
    const from = await plain.copy();
    const to = path.join(await testFolder(), 'new');
    const open = closedAfterTest(await openStore(from, { reserveBytes: 0 }));
    await expect(migrateStore(from, to)).rejects.toMatchObject({ code: 'STORE_IN_USE' });
    await open.close();
    await expect(migrateStore(from, await plain.copy())).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    const other = await testFolder();
    await writeFile(path.join(other, 'thesis.txt'), 'mine');
    await expect(migrateStore(from, other)).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    await expect(migrateStore(from, from)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    for (const place of ['memory:', path.join(other, 'vault.hold')]) {
      await expect(migrateStore(from, place)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
      await expect(migrateStore(place, to)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    }
    await expect(migrateStore(other, to)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
    await expect(migrateStore(await sealed.copy(), to)).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
  });

  it('of the metadata alone is tried as well: the database is asked', async () => {
    const from = await plain.copy();
    const before = await imageOf(from);
    const target = { backend: from, metadata: 'postgres://nobody@127.0.0.1:1/db' };
    for (const dryRun of [true, false])
      await expect(migrateStore(from, target, { dryRun })).rejects.toMatchObject({ code: 'METADATA_BUSY' });
    expect(await imageOf(from)).toEqual(before);
  });

  it('reaches backends that modules of the caller open', async () => {
    const asked: string[] = [];
    const far = await testFolder();
    const openBackend = async (url: string) => {
      asked.push(url);
      return await openFsBackend(far, { create: true, reserveBytes: 0 });
    };
    const options = { backendModules: { far: { openBackend } } };
    const from = path.join(await testFolder(), 'from');
    const store = await createStore(from, {
      keys: 'none',
      reserveBytes: 0,
      ...options,
      redundancy: '1+1',
      homeWeight: 1,
      backends: [{ location: 'far://away' }],
    });
    await store.put('a', noise(200_000, 31));
    await store.close();
    asked.length = 0;
    const to = path.join(await testFolder(), 'new');
    await migrateStore(from, to, options);
    expect(asked).not.toEqual([]);
    const moved = closedAfterTest(await openStore(to, { reserveBytes: 0, ...options }));
    expect(await moved.maintenance.check({ invariants: true })).toMatchObject(SOUND);
  });

  it('is refused where another store is on its way to, or nobody can tell which', async () => {
    const to = path.join(await testFolder(), 'new');
    const from = await plain.copy();
    let calls = 0;
    const onProgress = (): void => {
      calls += 1;
      if (calls > 1) throw new Error('stopped');
    };
    await expect(migrateStore(from, to, { onProgress })).rejects.toThrow('stopped');
    const third = path.join(await testFolder(), 'third');
    await (await createStore(third, { keys: 'none', reserveBytes: 0 })).close();
    await expect(migrateStore(third, to)).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    await writeFile(path.join(to, 'holdfast-migration.json'), '{"format":1,');
    await expect(migrateStore(from, to)).rejects.toMatchObject({
      code: 'TARGET_EXISTS',
      details: { backendKey: 'holdfast-migration.json' },
    });
  });

  it('of a store with several backends moves its home, and leaves the others', async () => {
    const [from, a, b] = [await testFolder(), await testFolder(), await testFolder()];
    const options = { keys: 'none', reserveBytes: 0, redundancy: '2+1', homeWeight: 1 } as const;
    const store = closedAfterTest(
      await createStore(from, { ...options, backends: [{ location: a }, { location: b }] }),
    );
    await fillStore(store);
    const held = await heldBy(store);
    await store.close();
    const to = path.join(await testFolder(), 'new');
    await migrateStore(from, to);
    const moved = closedAfterTest(await openStore(to, { reserveBytes: 0 }));
    expect(await heldBy(moved)).toEqual(held);
    const urls = (await moved.backends.list()).map(({ url }) => url.replace('file://', ''));
    expect(urls).toEqual([to, a, b]);
    expect((await moved.backends.status()).warnings).toEqual([]);
  });
});
