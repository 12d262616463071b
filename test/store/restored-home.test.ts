import { cp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createStore, openStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { CHEAP_ARGON2 } from '../support/sealed.ts';
import { testFolder } from '../support/stores.ts';

const KEYS = { passphrase: 'correct horse', argon2: CHEAP_ARGON2 };

async function generationAt(folder: string): Promise<number> {
  return JSON.parse(await readFile(path.join(folder, 'holdfast.json'), 'utf8')).generation;
}

it('a home put back from a copy of yesterday learns the keys of today, and takes them from nobody', async () => {
  const root = await testFolder();
  const [home, copy, disk] = [path.join(root, 'home'), path.join(root, 'copy'), path.join(root, 'disk')];
  const store = await createStore(home, { keys: KEYS, reserveBytes: 0, backends: [{ location: disk }] });
  await store.put('key', noise(1000, 1));
  await store.close();
  await cp(home, copy, { recursive: true });
  const today = await openStore(home, { keys: KEYS, reserveBytes: 0 });
  await today.namespaces.create('later');
  await today.namespace('later').put('in it', noise(300_000, 2));
  await today.close();
  const generation = await generationAt(disk);
  await rm(home, { recursive: true });
  await cp(copy, home, { recursive: true });
  const reader = await openStore(home, { keys: KEYS, readOnly: true });
  expect((await reader.namespaces.list()).map(({ name }) => name)).toContain('later');
  await reader.close();
  const opened = await openStore(home, { keys: KEYS, reserveBytes: 0 });
  expect(await opened.namespace('later').get('in it')).toEqual(noise(300_000, 2));
  await opened.close();
  expect([await generationAt(disk), await generationAt(home)]).toEqual([generation, generation]);
});
