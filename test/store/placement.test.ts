import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, openStore, rebuildStore, type Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { testFolder } from '../support/stores.ts';

const POLL = { timeout: 10_000, interval: 200 };
const OPTIONS = { keys: 'none', reserveBytes: 0 } as const;

/** A store whose shards go to as many folders as asked, beside the folder of its metadata. */
async function spreadStore(
  disks: number,
  redundancy: string,
): Promise<{ readonly home: string; readonly store: Store }> {
  const root = await testFolder();
  const home = path.join(root, 'home');
  const backends = Array.from({ length: disks }, (_, at) => ({ location: path.join(root, `disk${at + 1}`) }));
  return { home, store: await createStore(home, { ...OPTIONS, redundancy, backends }) };
}

function diskOf(home: string, at: number): string {
  return path.join(path.dirname(home), `disk${at}`);
}

describe('a store of several backends', () => {
  it('puts the shards of every pack on different ones, and none at its home', async () => {
    const { store } = await spreadStore(5, '3+2');
    await store.put('large', noise(400_000, 1));
    await store.put('small', noise(100, 2));
    const { backends, packs, degraded, survives, warnings } = await store.backends.status();
    expect(backends.map(({ name }) => name)).toEqual(['main', 'disk1', 'disk2', 'disk3', 'disk4', 'disk5']);
    expect(backends[0]).toMatchObject({ shards: 0, weight: 0, home: true });
    expect(packs).toBeGreaterThan(1);
    expect({ degraded, warnings }).toEqual({ degraded: 0, warnings: [] });
    expect(survives.backends.lossesMax).toBe(2);
    await store.close();
  });

  it('reads everything without two of five, and says what is missing without three', async () => {
    const { home, store } = await spreadStore(5, 'personal');
    const content = noise(900_000, 3);
    await store.put('key', content);
    await store.close();
    for (const at of [2, 4]) await rm(diskOf(home, at), { recursive: true });
    const opened = await openStore(home, { reserveBytes: 0 });
    expect(await opened.get('key')).toEqual(content);
    expect((await opened.backends.status()).survives.backends.lossesMax).toBe(0);
    await opened.close();
    await rm(diskOf(home, 5), { recursive: true });
    const broken = await openStore(home, { reserveBytes: 0 });
    await expect(broken.get('key')).rejects.toMatchObject({ kind: 'unavailable', code: 'BACKEND_UNREACHABLE' });
    expect((await broken.stat('key')).size).toBe(content.length);
    await broken.close();
  });

  it('goes on writing while enough backends are there, and refuses when they are not', async () => {
    const { home, store } = await spreadStore(5, '3+2');
    await rm(diskOf(home, 1), { recursive: true });
    const told: unknown[] = [];
    store.on('degraded', (report) => told.push(report));
    await store.put('key', noise(300_000, 4));
    expect(told[0]).toMatchObject({ shards: 5, missing: 1 });
    expect((await store.backends.status()).degraded).toBeGreaterThan(0);
    await rename(diskOf(home, 2), `${diskOf(home, 2)}.away`);
    await expect(store.put('more', noise(300_000, 5))).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
    expect(await store.has('more')).toBe(false);
    await rename(`${diskOf(home, 2)}.away`, diskOf(home, 2));
    await expect.poll(() => store.put('more', noise(300_000, 5)).then(() => 'stored', String), POLL).toBe('stored');
    await store.close();
  });
});

describe('backends of a store', () => {
  it('come later to a store that had one, and get what it holds', async () => {
    const root = await testFolder();
    const store = await createStore(path.join(root, 'home'), OPTIONS);
    const content = noise(500_000, 6);
    await store.put('key', content);
    for (const at of [1, 2, 3]) await store.backends.add({ location: path.join(root, `disk${at}`) });
    await store.put('later', noise(300_000, 7));
    const dry = await store.backends.rebalance({ redundancy: '2+1', dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, outcome: 'ok' });
    expect(dry.packsRewritten).toBeGreaterThan(0);
    const report = await store.backends.rebalance({ redundancy: '2+1' });
    expect(report).toMatchObject({ dryRun: false, outcome: 'ok', problemCount: 0 });
    const status = await store.backends.status();
    expect(status).toMatchObject({ redundancy: '2+1', weaker: 0, degraded: 0 });
    expect(status.survives.backends.lossesMax).toBe(1);
    expect(await store.get('key')).toEqual(content);
    expect((await store.maintenance.check()).outcome).toBe('ok');
    await store.close();
  });

  it('are drained and leave, and nothing is lost', async () => {
    const { home, store } = await spreadStore(4, '2+1');
    const content = noise(700_000, 8);
    // Drawn by lot, its shards might all lie elsewhere.
    await store.backends.setMap(['disk1', 'disk2', 'disk3']);
    await store.put('key', content);
    await expect(store.backends.remove('disk2')).rejects.toMatchObject({ code: 'BACKEND_IN_USE' });
    const drained = await store.backends.drain('disk2');
    expect(drained).toMatchObject({ outcome: 'ok' });
    await store.backends.remove('disk2');
    await rm(diskOf(home, 2), { recursive: true });
    expect((await store.backends.list()).map(({ name }) => name)).toEqual(['main', 'disk1', 'disk3', 'disk4']);
    expect(await store.get('key')).toEqual(content);
    expect((await store.backends.status()).survives.backends.lossesMax).toBe(1);
    await store.close();
    const opened = await openStore(home, { reserveBytes: 0 });
    expect(await opened.get('key')).toEqual(content);
    await opened.close();
  });

  it('get more redundancy for content that a put asks it for', async () => {
    const { store } = await spreadStore(5, 'none');
    const content = noise(300_000, 9);
    await store.put('weak', content);
    expect((await store.stat('weak', { placement: true })).weakest).toMatchObject({ redundancy: '1+0', lossesMax: 0 });
    const put = await store.put('strong', content, { redundancy: '3+2' });
    expect(put.newBytes).toBe(content.length);
    expect((await store.stat('strong', { placement: true })).weakest).toMatchObject({ lossesMax: 2 });
    expect((await store.stat('weak', { placement: true })).weakest).toMatchObject({ lossesMax: 2 });
    expect((await store.put('again', content, { redundancy: '3+2' })).newBytes).toBe(0);
    await store.close();
  });
});

describe('a store of several backends that lost its metadata', () => {
  it('is rebuilt from any of them, with two of five gone', async () => {
    const { home, store } = await spreadStore(5, '3+2');
    const content = noise(700_000, 10);
    await store.put('key', content);
    await store.put('small', noise(50, 11));
    await store.close();
    for (const at of [1, 3]) await rm(diskOf(home, at), { recursive: true });
    await rm(path.join(home, '.metadata'), { recursive: true });
    await expect(openStore(home)).rejects.toMatchObject({ code: 'METADATA_MISSING' });
    expect((await rebuildStore(home)).problems).toEqual([]);
    const rebuilt = await openStore(home, { reserveBytes: 0 });
    expect(await rebuilt.get('key')).toEqual(content);
    expect(await rebuilt.get('small')).toEqual(noise(50, 11));
    await rebuilt.close();
    // The folder of the metadata is lost as well: any other one will do.
    await rm(home, { recursive: true });
    const elsewhere = diskOf(home, 5);
    expect((await rebuildStore(elsewhere)).problems).toEqual([]);
    const moved = await openStore(elsewhere, { reserveBytes: 0 });
    expect(await moved.get('key')).toEqual(content);
    await moved.close();
  });
});

describe('a store in one file with backends of several kinds', () => {
  it('spreads over them, loses two, and is rebuilt', async () => {
    const root = await testFolder();
    const home = path.join(root, 'home.hold');
    const at = (name: string): { readonly location: string } => ({ location: path.join(root, name) });
    const backends = [at('one.hold'), at('two.hold'), at('a'), at('b'), at('c')];
    const store = await createStore(home, { ...OPTIONS, redundancy: '3+2', backends });
    const content = noise(600_000, 15);
    await store.put('key', content);
    await store.close();
    await rm(path.join(root, 'one.hold'));
    await rm(path.join(root, 'b'), { recursive: true });
    const opened = await openStore(home, { reserveBytes: 0 });
    expect(await opened.get('key')).toEqual(content);
    await opened.close();
    expect((await rebuildStore(home)).problems).toEqual([]);
    const rebuilt = await openStore(home, { reserveBytes: 0 });
    expect(await rebuilt.get('key')).toEqual(content);
    await rebuilt.close();
  });
});

describe('two processes', () => {
  it('follow each other when backends come and go', async () => {
    const { home, store } = await spreadStore(3, '2+1');
    const other = await openStore(home, { reserveBytes: 0 });
    const content = noise(300_000, 12);
    await store.put('before', content);
    await other.backends.add({ location: diskOf(home, 4) });
    await other.put('with the new one', noise(400_000, 13));
    expect(await store.get('with the new one')).toEqual(noise(400_000, 13));
    await store.backends.drain('disk1');
    await store.backends.remove('disk1');
    await other.put('without the old one', noise(400_000, 14));
    const { backends, degraded } = await store.backends.status();
    expect(backends.map(({ name }) => name)).toEqual(['main', 'disk2', 'disk3', 'disk4']);
    expect(degraded).toBe(0);
    expect(await store.get('without the old one')).toEqual(noise(400_000, 14));
    expect(await other.get('before')).toEqual(content);
    await other.close();
    await store.close();
  });
});
