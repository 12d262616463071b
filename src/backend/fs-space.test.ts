import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../test/support/small-disk.ts';
import { equalBytes } from '../bytes/bytes.ts';
import { KIB, MIB } from '../limits.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import { FaultyFileSystem } from '../testing/faulty-file-system.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/temporary-folder.ts';
import type { Backend } from './contract.ts';
import { type FsBackendOptions, openFsBackend } from './open-fs-backend.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

function blob(bytes: number, value = 1): Uint8Array {
  return new Uint8Array(bytes).fill(value);
}

async function holds(backend: Backend, key: string, expected: Uint8Array): Promise<boolean> {
  const bytes = await backend.get(key);
  return bytes !== undefined && equalBytes(bytes, expected);
}

function open(options: FsBackendOptions = {}) {
  return openFsBackend(folder.path, { reserveBytes: 0, ...options });
}

/** A disk of which the test says how much is free. */
class SizedFileSystem extends FaultyFileSystem {
  free = 100 * MIB;
  override async freeBytes(): Promise<number> {
    return this.free;
  }
}

function sizedDisk(free: number): SizedFileSystem {
  return Object.assign(new SizedFileSystem(nodeFileSystem, folder.path), { free });
}

describe('a quota', () => {
  it('refuses what passes it before anything is written (100 bytes: 5 fit, 200 do not)', async () => {
    const fileSystem = sizedDisk(100 * MIB);
    const backend = await open({ quotaBytes: 100, fileSystem });
    await backend.put('a', blob(5));
    fileSystem.trace.length = 0;
    await expect(backend.put('b', blob(200))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      retry: false,
      details: { backendKey: 'b', size: 200, expected: 100, actual: 5 },
    });
    expect(fileSystem.trace.filter((call) => /^(?:open|write|rename|mkdir)/.test(call))).toEqual([]);
    expect(await backend.space()).toEqual({ usedBytes: 5, quotaBytes: 100, freeBytes: 95 });
  });

  it('counts what is there when it is opened, what is replaced and what is deleted', async () => {
    await (await open()).put('a/b', blob(90));
    const backend = await open({ quotaBytes: 100 });
    await backend.put('a/b', blob(100, 2));
    await expect(backend.put('c', blob(1))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await backend.delete('a/b');
    await backend.put('c', blob(100));
    expect(await backend.space()).toMatchObject({ usedBytes: 100, freeBytes: 0 });
  });

  it('lets puts side by side fill it exactly, and not one byte more', async () => {
    const backend = await open({ quotaBytes: 1000 });
    for (let round = 0; round < 5; round += 1) {
      const puts = Array.from({ length: 20 }, (_, index) => backend.put(`${round}/${index}`, blob(100)));
      const outcomes = await Promise.allSettled(puts);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(10);
      expect((await backend.space()).usedBytes).toBe(1000);
      for (let index = 0; index < 20; index += 1) await backend.delete(`${round}/${index}`);
    }
  });

  it('gives its room to the next put while the name of the last one is still being flushed', async () => {
    const fileSystem = new (class extends SizedFileSystem {
      holding: Promise<void> | undefined;
      override async syncDirectory(path: string): Promise<void> {
        await this.holding;
        return super.syncDirectory(path);
      }
    })(nodeFileSystem, folder.path);
    const backend = await open({ quotaBytes: 100, fileSystem });
    const gate = Promise.withResolvers<void>();
    fileSystem.holding = gate.promise;
    const first = backend.put('a', blob(50));
    while ((await backend.head('a')) === undefined);
    const second = backend.put('b', blob(50));
    while ((await backend.head('b')) === undefined);
    gate.resolve();
    await Promise.all([first, second]);
    expect((await backend.space()).usedBytes).toBe(100);
  });

  it('forgets the room of a put that failed', async () => {
    const fileSystem = sizedDisk(100 * MIB);
    const backend = await open({ quotaBytes: 100, fileSystem });
    fileSystem.fail({ call: 'rename', code: 'EIO' });
    await expect(backend.put('a', blob(100))).rejects.toMatchObject({ code: 'BACKEND_IO' });
    await backend.put('a', blob(100));
  });

  it('sees what another process deleted before it refuses', async () => {
    const [here, there] = [await open({ quotaBytes: 100 }), await open({ quotaBytes: 100 })];
    await here.put('a', blob(100));
    await there.delete('a');
    await here.put('b', blob(100));
  });

  it('may be passed by the size of the reserve by calls that free space', async () => {
    const backend = await open({ quotaBytes: 100, reserveBytes: 50 });
    await backend.put('a', blob(100));
    await backend.put('b', blob(50), { spendReserve: true });
    await expect(backend.put('c', blob(1), { spendReserve: true })).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });
});

describe('a least free space', () => {
  it('refuses ordinary puts before anything is written, and nothing else', async () => {
    const fileSystem = sizedDisk(1000);
    const backend = await open({ freeBytesMin: 500, fileSystem });
    await backend.put('a', blob(500));
    fileSystem.trace.length = 0;
    await expect(backend.put('b', blob(501))).rejects.toMatchObject({
      code: 'FREE_SPACE_LOW',
      kind: 'exhausted',
      details: { backendKey: 'b', size: 501, expected: 500, actual: 1000 },
    });
    expect(fileSystem.trace.filter((call) => /^(?:open|write|rename)/.test(call))).toEqual([]);
    await backend.put('b', blob(501), { spendReserve: true });
    await backend.delete('a');
    expect(await backend.space()).toEqual({ usedBytes: 501, freeBytes: 500 });
  });

  it('counts puts that are being written', async () => {
    const backend = await open({ freeBytesMin: 500, fileSystem: sizedDisk(1000) });
    const outcomes = await Promise.allSettled(['a', 'b'].map((key) => backend.put(key, blob(300))));
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a reserve', () => {
  it('is a file that really takes the blocks', async () => {
    const backend = await open({ reserveBytes: MIB });
    const reserve = await stat(join(folder.path, '.reserve'));
    expect(reserve.size).toBe(MIB);
    expect(reserve.blocks * 512).toBeGreaterThanOrEqual(MIB);
    expect(await backend.reserveState()).toEqual({ wantedBytes: MIB, heldBytes: MIB });
    expect(await backend.list()).toEqual([]);
    expect((await backend.space()).usedBytes).toBe(0);
  });

  it('is not set aside on a disk without twice its size free, until there is', async () => {
    const fileSystem = sizedDisk(2 * MIB - 1);
    const backend = await open({ reserveBytes: MIB, fileSystem });
    await backend.put('a', blob(1));
    expect((await backend.reserveState()).heldBytes).toBe(0);
    fileSystem.free = 2 * MIB;
    await backend.put('b', blob(1));
    expect((await backend.reserveState()).heldBytes).toBe(MIB);
  });

  it('is given away and taken back as asked', async () => {
    const fileSystem = sizedDisk(MIB - 1);
    const backend = await open({ reserveBytes: MIB, fileSystem });
    expect(await backend.releaseReserve()).toBe(false);
    expect(await backend.restoreReserve()).toBe(false);
    fileSystem.free = MIB;
    expect(await backend.restoreReserve()).toBe(true);
    expect((await backend.reserveState()).heldBytes).toBe(MIB);
    fileSystem.free = 0;
    expect(await backend.restoreReserve()).toBe(true);
    expect(await backend.releaseReserve()).toBe(true);
    expect(await backend.releaseReserve()).toBe(false);
    expect(await backend.restoreReserve()).toBe(false);
  });

  it('that another process gave away is missed', async () => {
    const backend = await open({ reserveBytes: MIB });
    const other = await open({ reserveBytes: MIB });
    await other.releaseReserve();
    expect(await backend.restoreReserve()).toBe(true);
    expect((await other.reserveState()).heldBytes).toBe(MIB);
  });

  it('cannot be restored when the disk is full after all, and leaves no part of itself', async () => {
    const fileSystem = sizedDisk(100 * MIB);
    const backend = await open({ reserveBytes: MIB, fileSystem });
    await backend.releaseReserve();
    fileSystem.fail({ call: 'write', code: 'ENOSPC' });
    expect(await backend.restoreReserve()).toBe(false);
    expect(await nodeFileSystem.readdir(join(folder.path, '.tmp'))).toEqual([]);
    fileSystem.fail({ call: 'write', code: 'EIO' });
    await expect(backend.restoreReserve()).rejects.toMatchObject({ code: 'BACKEND_IO' });
  });

  it('is not lost between a restore and a release at the same time', async () => {
    const backend = await open({ reserveBytes: MIB });
    for (let round = 0; round < 10; round += 1) {
      const [, released] = await Promise.all([backend.restoreReserve(), backend.releaseReserve()]);
      expect(released).toBe(true);
      expect((await backend.reserveState()).heldBytes).toBe(0);
    }
  });

  it('of no size is always held', async () => {
    const backend = await open();
    expect(await backend.restoreReserve()).toBe(true);
    expect(await backend.releaseReserve()).toBe(false);
    expect(await backend.reserveState()).toEqual({ wantedBytes: 0, heldBytes: 0 });
  });

  it('is spent by calls that free space when the disk is full, and by no other', async () => {
    const fileSystem = sizedDisk(100 * MIB);
    const backend = await open({ reserveBytes: MIB, fileSystem });
    fileSystem.free = 0;
    fileSystem.fail({ call: 'write', code: 'ENOSPC' });
    await expect(backend.put('a', blob(10))).rejects.toMatchObject({
      code: 'DISK_FULL',
      details: { system: 'ENOSPC' },
    });
    expect((await backend.reserveState()).heldBytes).toBe(MIB);
    fileSystem.fail({ call: 'write', code: 'ENOSPC' });
    await backend.put('a', blob(10), { spendReserve: true });
    expect(await backend.get('a')).toEqual(blob(10));
    expect((await backend.reserveState()).heldBytes).toBe(0);
    fileSystem.fail({ call: 'unlink', code: 'EDQUOT' });
    await expect(backend.delete('a', { spendReserve: true })).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  it('rejects when the backend is closed or read-only', async () => {
    const backend = await open({ reserveBytes: MIB });
    const reader = await open({ reserveBytes: MIB, readOnly: true });
    await expect(reader.releaseReserve()).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(reader.restoreReserve()).rejects.toMatchObject({ code: 'READ_ONLY' });
    expect((await reader.reserveState()).heldBytes).toBe(MIB);
    await backend.close();
    for (const call of ['releaseReserve', 'restoreReserve', 'reserveState'] as const) {
      await expect(backend[call]()).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
    }
  });
});

const disk = await mountSmallDisk(4 * MIB);
afterAll(() => disk?.unmount());

describe('a disk of four mebibytes', () => {
  it.skipIf(!disk)('can be filled to the last byte, keeps what it took, and can be freed again', async () => {
    const root = join(disk?.path ?? '', 'blobs');
    const backend = await openFsBackend(root, { reserveBytes: MIB });
    const stored: string[] = [];
    for (let full = false; !full; ) {
      const key = `packs/${stored.length}`;
      await backend.put(key, blob(300 * KIB, stored.length)).then(
        () => stored.push(key),
        (error) => {
          expect(error).toMatchObject({ code: 'DISK_FULL', retry: false, details: { backendKey: key } });
          full = true;
        },
      );
    }
    expect(stored.length).toBeGreaterThan(8);
    expect(await nodeFileSystem.readdir(join(root, '.tmp'))).toEqual([]);
    expect((await backend.list()).map((one) => one.key)).toEqual(stored.toSorted());
    for (const [index, key] of stored.entries()) expect(await holds(backend, key, blob(300 * KIB, index))).toBe(true);

    await backend.put('journal/1', blob(300 * KIB, 9), { spendReserve: true });
    expect(await backend.reserveState()).toEqual({ wantedBytes: MIB, heldBytes: 0 });
    expect(await holds(backend, 'journal/1', blob(300 * KIB, 9))).toBe(true);
    expect(await backend.restoreReserve()).toBe(false);

    for (const key of stored.slice(0, 5)) await backend.delete(key, { spendReserve: true });
    expect(await backend.restoreReserve()).toBe(true);
    expect(await backend.reserveState()).toEqual({ wantedBytes: MIB, heldBytes: MIB });
    await backend.put('packs/again', blob(300 * KIB));
    await backend.close();
  });

  it.skipIf(!disk)('can be opened when it is full to the last byte', async () => {
    const root = join(disk?.path ?? '', 'full');
    await (await openFsBackend(root, { reserveBytes: 0 })).put('key', blob(100));
    await writeFile(join(disk?.path ?? '', 'filling'), blob(4 * MIB)).catch(() => undefined);
    const backend = await openFsBackend(root, { reserveBytes: MIB });
    expect(await backend.get('key')).toEqual(blob(100));
    await expect(backend.put('more', blob(100 * KIB))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await backend.delete('key', { spendReserve: true });
  });
});
