import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, migrateStore, openStore, rebuildStore, type StoreLocation } from '../../src/index.ts';
import { createCliFolder } from '../support/cli.ts';
import { noise } from '../support/contents.ts';
import { fillStore, heldBy } from '../support/moved-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';
import { ENDPOINT, makeBucket, newSchema, WHY_SKIPPED } from './services.ts';

const KEYS = { key: noise(32, 79) };
const KINDS = [
  ['plain', undefined],
  ['sealed', KEYS],
] as const;

const MOVING = path.join(import.meta.dirname, 'moving-process.ts');
const POINTS = 10;

/** @returns what ended a process that moves a store, and is killed at a point */
async function killedAt(point: number, ends: readonly string[]): Promise<string | null> {
  const child = spawn(process.execPath, [MOVING, ...ends, `${point}`], { stdio: 'ignore' });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal;
}

describe.skipIf(ENDPOINT === undefined)(`a store that moves between a folder and shared places${WHY_SKIPPED}`, () => {
  it.each(KINDS)(
    'that is %s holds what it held in a bucket, rebuilt from it, and in a folder again',
    {
      timeout: 240_000,
    },
    async (_, keys) => {
      const given = keys ? { keys } : {};
      const heldAt = async (location: StoreLocation): Promise<unknown> => {
        await using store = await openStore(location, { ...given, reserveBytes: 0 });
        return await heldBy(store);
      };
      const folder = path.join(await testFolder(), 'from');
      const store = closedAfterTest(await createStore(folder, { keys: keys ?? 'none', reserveBytes: 0 }));
      await fillStore(store);
      const held = await heldBy(store);
      await store.close();
      const shared = { backend: await makeBucket(), metadata: newSchema() };
      await migrateStore(folder, shared, given);
      expect(await heldAt(shared)).toEqual(held);
      await expect(openStore(folder, given)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
      // The database is gone, and the bucket tells all.
      const anew = { ...shared, metadata: newSchema() };
      await rebuildStore(anew, given);
      expect(await heldAt(anew)).toEqual(held);
      const back = path.join(await testFolder(), 'back');
      await migrateStore(anew, back, given);
      expect(await heldAt(back)).toEqual(held);
      await expect(openStore(anew, given)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
      // The bytes stay, the metadata goes and comes.
      const beside = { backend: back, metadata: newSchema() };
      await migrateStore(back, beside, given);
      await expect(openStore(back, given)).rejects.toMatchObject({ code: 'METADATA_ELSEWHERE' });
      expect(await heldAt(beside)).toEqual(held);
      await migrateStore(beside, back, given);
      expect(await heldAt(back)).toEqual(held);
    },
  );

  it('goes on after it was killed at ten points', { timeout: 240_000 }, async () => {
    const folder = path.join(await testFolder(), 'from');
    const store = closedAfterTest(await createStore(folder, { keys: 'none', reserveBytes: 0 }));
    await fillStore(store);
    for (let index = 0; index < 24; index += 1) await store.put(`noise ${index}`, noise(3_000_000, 100 + index));
    const held = await heldBy(store);
    await store.close();
    const shared = { backend: await makeBucket(), metadata: newSchema() };
    const { blobs } = await migrateStore(folder, shared, { dryRun: true });
    expect(blobs).toBeGreaterThan(POINTS);
    for (let point = 0; point < POINTS; point += 1) {
      const at = Math.floor(1 + (point * blobs) / (POINTS - 1));
      expect(await killedAt(at, [folder, shared.backend, shared.metadata])).toBe('SIGKILL');
    }
    const cli = await createCliFolder();
    const env = { HOLDFAST_TO_DATABASE: shared.metadata };
    const ended = await cli.start(['-s', folder, 'migrate', shared.backend, '--json'], { env });
    expect(ended).toMatchObject({ status: 0 });
    expect(JSON.parse(ended.stdout)).toMatchObject({ resumed: true, blobs, problems: [] });
    const moved = closedAfterTest(await openStore(shared, { reserveBytes: 0 }));
    expect(await heldBy(moved)).toEqual(held);
  });
});
