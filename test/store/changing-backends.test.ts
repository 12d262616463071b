import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Backends, createStore, openStore } from '../../src/index.ts';
import { testFolder } from '../support/stores.ts';

const OPTIONS = { keys: 'none', reserveBytes: 0 } as const;

async function storeOfThree() {
  const root = await testFolder();
  const at = (name: string): string => path.join(root, name);
  const backends = ['a', 'b', 'c'].map((name) => ({ location: at(name) }));
  return { at, store: await createStore(at('home'), { ...OPTIONS, redundancy: '2+1', backends }) };
}

describe('a change of backends that cannot be meant', () => {
  it('is refused by its code, and the store is as it was', async () => {
    const { at, store } = await storeOfThree();
    await writeFile(at('file'), 'no folder');
    await (await createStore(at('other'), OPTIONS)).close();
    const foreign = await readdir(at('other'));
    const before = await store.backends.list();
    const wrong: readonly (readonly [code: string, call: (backends: Backends) => Promise<unknown>])[] = [
      ['BACKEND_INVALID', (backends) => backends.change('a', { domain: '' })],
      ['BACKEND_INVALID', (backends) => backends.change('a', { mode: 'draining' as 'active' })],
      ['BACKEND_MISMATCH', (backends) => backends.add({ location: at('file') })],
      ['BACKEND_NOT_FOUND', (backends) => backends.change('d', { weight: 2 })],
      ['BACKEND_NOT_FOUND', (backends) => backends.setMap(['a', 'd'])],
      ['BACKEND_NOT_FOUND', (backends) => backends.remove('d', { lost: true })],
      ['BACKEND_NOT_FOUND', (backends) => backends.replace('d', at('e'))],
      ['BACKEND_EXISTS', (backends) => backends.add({ location: path.join(at('home'), 'inside') })],
      ['BACKEND_EXISTS', (backends) => backends.change('a', { name: 'b' })],
      ['BACKEND_MISMATCH', (backends) => backends.change('a', { location: at('other') })],
      ['BACKEND_IN_USE', (backends) => backends.replace('main', at('e'))],
    ];
    for (const [at, [code, call]] of wrong.entries()) {
      await expect(call(store.backends), `${at}: ${code}`).rejects.toMatchObject({ code });
    }
    expect((await store.backends.list()).map(({ health, ...facts }) => facts)).toEqual(
      before.map(({ health, ...facts }) => facts),
    );
    expect(await readdir(at('other'))).toEqual(foreign);
    await store.close();
  });
});

it('the only backend that takes new data cannot go: nothing could be written any more', async () => {
  const root = await testFolder();
  const backends = [{ location: path.join(root, 'a'), name: 'a' }];
  const store = await createStore(path.join(root, 'home'), { ...OPTIONS, backends });
  const before = await store.backends.list();
  for (const go of [
    () => store.backends.drain('a'),
    () => store.backends.remove('a'),
    () => store.backends.remove('a', { lost: true }),
    () => store.backends.change('a', { weight: 0 }),
  ]) {
    await expect(go()).rejects.toMatchObject({ code: 'BACKEND_IN_USE', details: { backend: 'a' } });
  }
  expect((await store.backends.list()).map(({ mode }) => mode)).toEqual(before.map(({ mode }) => mode));
  await store.backends.change('main', { weight: 1 });
  await store.put('key', 'content');
  expect(await store.backends.drain('a')).toMatchObject({ outcome: 'ok' });
  await store.backends.remove('a');
  await store.put('key 2', 'content 2');
  expect((await store.backends.list()).map(({ name }) => name)).toEqual(['main']);
  await store.close();
});

describe('a home that is none of the backends', () => {
  it('is not opened', async () => {
    const { at, store } = await storeOfThree();
    await store.close();
    const marker = path.join(at('home'), 'holdfast-backend.json');
    const text = await readFile(marker, 'utf8');
    await rm(marker);
    await expect(openStore(at('home'))).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
    await writeFile(
      marker,
      text.replace(/(?<="backendId": ")./, (digit) => (digit === '0' ? '1' : '0')),
    );
    await expect(openStore(at('home'))).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
    await writeFile(marker, text.slice(0, -10));
    await expect(openStore(at('home'))).rejects.toMatchObject({ code: 'CONFIG_CORRUPT' });
    await writeFile(marker, text);
    await (await openStore(at('home'), { reserveBytes: 0 })).close();
  });
});
