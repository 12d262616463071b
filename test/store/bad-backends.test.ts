import { readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, openStore, type Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { testFolder } from '../support/stores.ts';

const OPTIONS = { keys: 'none', reserveBytes: 0 } as const;

interface Made {
  readonly root: string;
  readonly store: Store;
}

async function makeStore(redundancy = 'none', disks: readonly string[] = ['one', 'two', 'three']): Promise<Made> {
  const root = await testFolder();
  const backends = disks.map((name) => ({ location: path.join(root, name) }));
  return { root, store: await createStore(path.join(root, 'home'), { ...OPTIONS, redundancy, backends }) };
}

async function exchange(a: string, b: string): Promise<void> {
  await rename(a, `${a}.moving`);
  await rename(b, a);
  await rename(`${a}.moving`, b);
}

async function names(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).sort();
}

describe('a backend that cannot be', () => {
  it('is refused for its name, its place, or what it is', async () => {
    const { root, store } = await makeStore();
    const add = (location: string, name?: string): Promise<unknown> =>
      store.backends.add({ location, ...(name !== undefined && { name }) });
    await expect(add(path.join(root, 'four'), 'Not A Name')).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
    await expect(add('ftp://example.org/there')).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' });
    await expect(add('')).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
    await expect(add('a\0b')).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
    await expect(add('half \ud800')).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
    await expect(add(path.join(root, 'four'), 'two')).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    await expect(add(path.join(root, 'two'))).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    await expect(add(path.join(root, 'two', 'within'))).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    await expect(add(root)).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    await expect(store.backends.drain('nobody')).rejects.toMatchObject({
      code: 'BACKEND_NOT_FOUND',
      kind: 'not-found',
    });
    await expect(store.backends.remove('main')).rejects.toMatchObject({ code: 'BACKEND_IN_USE' });
    expect((await store.backends.list()).map(({ name }) => name)).toEqual(['main', 'one', 'two', 'three']);
    await store.close();
  });

  it('is refused where another store is, and nothing is changed there', async () => {
    const [mine, other] = [await makeStore(), await makeStore()];
    await other.store.put('key', noise(100_000));
    for (const place of ['home', 'one']) {
      const folder = path.join(other.root, place);
      const before = await names(folder);
      await expect(mine.store.backends.add({ location: folder })).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
      expect(await names(folder)).toEqual(before);
    }
    await mine.store.close();
    const options = { ...OPTIONS, backends: [{ location: path.join(other.root, 'one') }] };
    const creating = createStore(path.join(mine.root, 'second'), options);
    await expect(creating).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
    await other.store.close();
  });
});

describe('a redundancy that cannot be', () => {
  it('is refused, at creation, of a put and of a rebalance', async () => {
    const { root, store } = await makeStore();
    for (const redundancy of ['0+2', '200+56', 'much', '3+']) {
      const creating = createStore(path.join(root, 'other'), { ...OPTIONS, redundancy });
      await expect(creating, redundancy).rejects.toMatchObject({ code: 'REDUNDANCY_INVALID' });
      await expect(store.put('key', noise(10), { redundancy })).rejects.toMatchObject({ code: 'REDUNDANCY_INVALID' });
      await expect(store.backends.rebalance({ redundancy })).rejects.toMatchObject({ code: 'REDUNDANCY_INVALID' });
    }
    await store.close();
  });

  it('is warned of where there are too few failure domains', async () => {
    const { store } = await makeStore('3+2');
    expect((await store.backends.status()).warnings).toEqual([
      expect.stringMatching(/5 shards.* 3 failure domains.* only 1 may be lost, not 2/),
    ]);
    await store.put('key', noise(200_000));
    expect((await store.backends.status()).survives.backends.lossesMax).toBe(1);
    await store.backends.change('two', { domain: 'one' });
    expect((await store.backends.status()).survives.domains.lossesMax).toBeLessThan(2);
    await store.close();
  });
});

describe('a backend that is not the one it should be', () => {
  it('is not believed, and left as it is', async () => {
    const five = ['one', 'two', 'three', 'four', 'five'];
    const { root, store } = await makeStore('3+2', five);
    const content = noise(300_000);
    await store.put('key', content);
    await store.close();
    const at = (name: string): string => path.join(root, name);
    await exchange(at('one'), at('two'));
    const before = await names(path.join(at('one'), 'packs'));
    const opened = await openStore(at('home'), { reserveBytes: 0 });
    const listed = await opened.backends.list();
    expect(listed.map(({ health }) => health.state)).toEqual(['up', 'down', 'down', 'up', 'up', 'up']);
    expect(listed[1]?.health.lastError).toMatch(/there is another backend of this store/);
    expect(await opened.get('key')).toEqual(content);
    expect(await names(path.join(at('one'), 'packs'))).toEqual(before);
    await opened.backends.change('one', { location: at('two') }).then(
      () => expect.unreachable('two backends in one place'),
      (error: unknown) => expect(error).toMatchObject({ code: 'BACKEND_EXISTS' }),
    );
    await opened.close();
    await exchange(at('one'), at('two'));
    const whole = await openStore(at('home'), { reserveBytes: 0 });
    expect((await whole.backends.status()).survives.backends.lossesMax).toBe(2);
    await whole.close();
  });

  it('is found again where it has moved to', async () => {
    const { root, store } = await makeStore('2+1');
    await store.put('key', noise(300_000));
    await store.close();
    await rename(path.join(root, 'two'), path.join(root, 'elsewhere'));
    const opened = await openStore(path.join(root, 'home'), { reserveBytes: 0 });
    const wrong = opened.backends.change('two', { location: path.join(root, 'three') });
    await expect(wrong).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
    await opened.backends.change('two', { location: path.join(root, 'elsewhere') });
    expect((await opened.backends.status()).survives.backends.lossesMax).toBe(1);
    await opened.close();
  });

  it('is not opened as a store of its own when nobody can tell which it is', async () => {
    const { root, store } = await makeStore('2+1');
    await store.close();
    await rename(path.join(root, 'two', 'holdfast-backend.json'), path.join(root, 'mark'));
    await expect(openStore(path.join(root, 'two'))).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
  });
});
