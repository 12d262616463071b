import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createStore, openStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const OPTIONS = { keys: 'none', reserveBytes: 0 } as const;

it('two processes that give a store its first other backends at once leave a store that opens', async () => {
  const root = await testFolder();
  const home = path.join(root, 'home');
  const store = closedAfterTest(await createStore(home, OPTIONS));
  const other = closedAfterTest(await openStore(home, { reserveBytes: 0 }));
  await Promise.all([
    store.backends.add({ location: path.join(root, 'disk1') }),
    other.backends.add({ location: path.join(root, 'disk2') }),
  ]);
  await store.close();
  await other.close();
  const again = closedAfterTest(await openStore(home, { reserveBytes: 0 }));
  const found = (await again.backends.list()).map(({ name, health }) => `${name} ${health.state}`);
  expect(found.toSorted()).toEqual(['disk1 up', 'disk2 up', 'main up']);
});

it('a backend is not added once more under another path', async () => {
  const root = await testFolder();
  const [home, disk] = [path.join(root, 'home'), path.join(root, 'disk')];
  const store = closedAfterTest(await createStore(home, { ...OPTIONS, backends: [{ location: disk }] }));
  for (const [name, folder] of [
    ['main', home],
    ['disk', disk],
  ] as const) {
    const link = `${folder}-too`;
    await symlink(folder, link);
    const adding = store.backends.add({ location: link });
    await expect(adding).rejects.toMatchObject({ code: 'BACKEND_EXISTS', details: { backend: name } });
  }
  await store.close();
  const again = closedAfterTest(await openStore(home, { reserveBytes: 0 }));
  expect((await again.backends.list()).map(({ health }) => health.state)).toEqual(['up', 'up']);
});

it('a replacement that is refused leaves the old backend what it was', async () => {
  const root = await testFolder();
  const disks = [1, 2, 3].map((at) => ({ location: path.join(root, `disk${at}`) }));
  const options = { ...OPTIONS, redundancy: '2+1', backends: disks, heal: 'manual' } as const;
  const store = closedAfterTest(await createStore(path.join(root, 'home'), options));
  await store.put('key', noise(300_000, 1));
  const refused = store.backends.replace('disk1', path.join(root, 'disk2'), { lost: true });
  await expect(refused).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
  expect((await store.backends.status()).degraded).toBe(0);
});
