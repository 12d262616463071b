import { rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createStore, openStore, rebuildStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { testFolder } from '../support/stores.ts';

it('a rebuild that would end before what the metadata knows is refused while a backend is away', async () => {
  const root = await testFolder();
  const [home, disk] = [path.join(root, 'home'), (at: number): string => path.join(root, `disk${at}`)];
  const backends = [1, 2].map((at) => ({ location: disk(at) }));
  const store = await createStore(home, { keys: 'none', reserveBytes: 0, backends });
  await store.backends.setMap(['disk1']);
  await store.put('old', noise(300, 1));
  await store.backends.setMap(['disk2']);
  await store.put('new', noise(300, 2));
  await store.close();
  await rename(disk(2), `${disk(2)}.away`);

  await expect(rebuildStore(home)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  await rename(`${disk(2)}.away`, disk(2));
  await rebuildStore(home);
  const opened = await openStore(home, { reserveBytes: 0 });
  expect(await opened.get('new')).toEqual(noise(300, 2));
  await opened.close();
});
