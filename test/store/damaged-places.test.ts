import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { metadataFile } from '../support/store-files.ts';
import { reopen, testFolder } from '../support/stores.ts';

/** One bit of the place of each first shard: backends 1, 2 and 3 become 129, 130 and 131. */
const FLIPPED = `UPDATE packs SET shards = CAST(CASE substr(hex(shards), 2, 1)
  WHEN '1' THEN x'81' WHEN '2' THEN x'82' WHEN '3' THEN x'83' ELSE x'84' END || substr(shards, 2) AS BLOB)`;

const CONTENT = noise(200_000, 33);

describe('a place of a shard that is no backend of the store', () => {
  it.each([
    { kind: 'of one backend', redundancy: 'none', disks: [] },
    { kind: 'spread over three', redundancy: '2+1', disks: ['disk1', 'disk2', 'disk3'] },
  ])('is not believed in a store $kind: its shards are found, and check tells', async ({ redundancy, disks }) => {
    const root = await testFolder();
    const home = path.join(root, 'home');
    const backends = disks.map((name) => ({ location: path.join(root, name) }));
    const made = { keys: 'none', reserveBytes: 0, redundancy, ...(disks.length > 0 && { backends }) } as const;
    const store = await createStore(home, made);
    await store.put('key', CONTENT);
    await store.close();
    const database = new DatabaseSync(metadataFile(home));
    expect(database.prepare(FLIPPED).run().changes).toBeGreaterThan(0);
    database.close();
    const damaged = await reopen(home);
    expect(await damaged.get('key')).toEqual(CONTENT);
    const { outcome, problems } = await damaged.maintenance.check();
    expect(outcome).not.toBe('ok');
    expect(problems.map(({ code }) => code)).toContain('BACKEND_UNREACHABLE');
  });
});
