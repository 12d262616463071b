import { describe, expect, it, onTestFinished } from 'vitest';
import { openFsBackend } from '../backend/open-fs-backend.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { MIB } from '../limits.ts';
import { type FileSystem, nodeFileSystem } from '../runtime/file-system.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import type { Space } from './committer.ts';
import { openPlace } from './location.ts';

/** What an engine knows of the space of a disk with this much free. */
async function spaceOf(freeBytes: number) {
  const folder = await makeTemporaryFolder();
  onTestFinished(() => folder.remove());
  const disk = { freeBytes };
  const fileSystem: FileSystem = { ...nodeFileSystem, freeBytes: async () => disk.freeBytes };
  const backend = await openFsBackend(folder.path, { fileSystem, reserveBytes: MIB });
  onTestFinished(() => backend.close());
  const { space } = await openPlace({ kind: 'backend', backend, metadataPath: ':memory:' }, { create: true });
  return { disk, backend, space, growth: () => growthOf(space) };
}

async function growthOf({ reserve }: Space): Promise<'free' | 'refused'> {
  return reserve === undefined || (await reserve.restore()) ? 'free' : 'refused';
}

describe('the reserve as the engine knows it', () => {
  it('refuses nothing where the disk was too small to set it aside', async () => {
    const { growth, backend } = await spaceOf(MIB * 1.5);
    expect(await growth()).toBe('free');
    expect(await backend.reserveState()).toMatchObject({ heldBytes: 0 });
  });

  it('can be spent although it was set aside only after the store was opened', async () => {
    const { disk, backend, space, growth } = await spaceOf(0);
    disk.freeBytes = 100 * MIB;
    await backend.put('blob', utf8Encode('an ordinary put sets it aside in passing'));
    expect(await growth()).toBe('free');
    disk.freeBytes = 0;
    expect(await space.reserve?.release()).toBe(true);
    expect(await backend.reserveState()).toMatchObject({ heldBytes: 0 });
    expect(await growth()).toBe('refused');
    disk.freeBytes = MIB;
    expect(await growth()).toBe('free');
    expect(await backend.reserveState()).toMatchObject({ heldBytes: MIB });
  });

  it('is none where none is wanted', async () => {
    const folder = await makeTemporaryFolder();
    onTestFinished(() => folder.remove());
    const backend = await openFsBackend(folder.path, { reserveBytes: 0 });
    onTestFinished(() => backend.close());
    const { space } = await openPlace({ kind: 'backend', backend, metadataPath: ':memory:' }, { create: true });
    expect(space.reserve).toBeUndefined();
  });
});
