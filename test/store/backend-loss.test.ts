import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, openStore, rebuildStore, type Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { testFolder } from '../support/stores.ts';

const OPTIONS = { keys: 'none', reserveBytes: 0 } as const;

interface Spread {
  readonly store: Store;
  readonly home: string;
  /** Takes a disk away, as if it were pulled out. */
  pull(disk: number): Promise<void>;
  plug(disk: number): Promise<void>;
}

async function spreadStore(disks: number, redundancy: string): Promise<Spread> {
  const root = await testFolder();
  const home = path.join(root, 'home');
  const at = (disk: number): string => path.join(root, `disk${disk}`);
  const backends = Array.from({ length: disks }, (_, index) => ({ location: at(index + 1) }));
  return {
    home,
    store: await createStore(home, { ...OPTIONS, redundancy, backends }),
    pull: (disk) => rename(at(disk), `${at(disk)}.away`),
    plug: (disk) => rename(`${at(disk)}.away`, at(disk)),
  };
}

describe('a store whose home is lost', () => {
  it('is made anew at another backend, and says what is true of it at once', async () => {
    const { store, home } = await spreadStore(3, '2+1');
    const content = noise(300_000, 4);
    await store.put('key', content);
    await store.close();
    await rm(home, { recursive: true });
    const disk = path.join(path.dirname(home), 'disk1');
    await rebuildStore(disk);
    await using opened = await openStore(disk, { reserveBytes: 0, readOnly: true });
    const status = await opened.backends.status();
    expect(status).toMatchObject({ degraded: 0, unreadable: 0, survives: { backends: { lossesMax: 1 } } });
    expect(status.backends.map(({ home: isHome }) => isHome)).toEqual([false, true, false, false]);
    expect(await opened.get('key')).toEqual(content);
    expect(await opened.maintenance.check()).toMatchObject({
      outcome: 'partial',
      problems: [{ code: 'BACKEND_UNREACHABLE', message: expect.stringContaining('backend main') }],
      garbage: { blobs: 0, bytes: 0 },
    });
  });
});

describe('a backend that is replaced right after a put', () => {
  it('is missed by all that lay there', async () => {
    const { store, home, pull } = await spreadStore(4, '2+1');
    const { backends } = store;
    for (const disk of [1, 2, 3]) {
      // The metadata learns with the next commit where the journal of this one lies.
      await store.put('key', noise(300_000, disk));
      await pull(disk);
      await backends.replace(`disk${disk}`, path.join(path.dirname(home), `new${disk}`));
      expect((await store.maintenance.repair()).outcome).toBe('ok');
      const { degraded, survives } = await backends.status();
      expect([degraded, survives.backends.lossesMax]).toEqual([0, 1]);
    }
    await store.close();
  });
});

describe('a backend that is away', () => {
  it('is named by reads that need it, with the entry that they are about', async () => {
    const { store, home, pull } = await spreadStore(3, '2+1');
    const content = noise(300_000, 1);
    await store.backends.setMap(['disk1', 'disk2', 'disk3']);
    await store.put('needed', content);
    await store.close();
    for (const disk of [1, 3]) await pull(disk);
    await using opened = await openStore(home, { reserveBytes: 0 });
    const failed: unknown = await opened.get('needed').catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      details: { key: 'needed', expected: 2, actual: 1 },
      message: expect.stringMatching(
        /entry "needed": .* 1 are good: shard 0 on disk1 is unreachable, shard 2 on disk3/,
      ),
    });
  });

  it('is asked before a read fails for want of it, however lately it failed', async () => {
    const { store, pull, plug } = await spreadStore(3, '2+1');
    const content = noise(300_000, 2);
    await store.backends.setMap(['disk1', 'disk2', 'disk3']);
    await store.put('key', content);
    await pull(1);
    expect(await store.get('key')).toEqual(content);
    await plug(1);
    await pull(3);
    expect(await store.get('key')).toEqual(content);
    await store.close();
  });

  it('counts as a loss at once, and no more once it is back', async () => {
    const { store, pull, plug } = await spreadStore(5, '3+2');
    await store.put('key', noise(300_000, 3));
    const lossesMax = async () => (await store.backends.status()).survives.backends.lossesMax;
    const seen = [await lossesMax()];
    for (const disk of [1, 2, 3]) {
      await pull(disk);
      seen.push(await lossesMax());
    }
    expect((await store.backends.status()).unreadable).toBeGreaterThan(0);
    for (const disk of [1, 2, 3]) await plug(disk);
    expect([...seen, await lossesMax()]).toEqual([2, 1, 0, -1, 2]);
    await store.close();
  });

  it('leaves a store that refused to write without it as good as it was', async () => {
    const { store, pull, plug } = await spreadStore(3, '2+1');
    for (const disk of [1, 2]) await pull(disk);
    await expect(store.put('key', noise(300_000, 3))).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
    expect(await store.has('key')).toBe(false);
    for (const disk of [1, 2]) await plug(disk);
    await store.put('key', noise(300_000, 3));
    expect((await store.maintenance.check()).outcome).toBe('ok');
    await store.close();
  });
});
