import { describe, expect, it } from 'vitest';
import { isStoreError } from '../errors/store-error.ts';
import type { FileSystem } from '../runtime/file-system.ts';
import type { Survival } from '../testing/crash-disk.ts';
import { CrashFileSystem } from '../testing/crash-file-system.ts';
import { FaultyFileSystem, type FileSystemCall } from '../testing/faulty-file-system.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import type { Backend } from './contract.ts';
import type { FsBackend } from './fs-backend.ts';
import { listAll } from './list-all.ts';
import { openFsBackend } from './open-fs-backend.ts';

const ROOT = '/disk/blobs';
const OLD = new Uint8Array(300).fill(1);
const NEW = new Uint8Array(500).fill(2);

/** The change under test; `after` is what its key must hold once the change has been acknowledged. */
interface Change {
  readonly title: string;
  readonly key: string;
  readonly after: Uint8Array | undefined;
  readonly make: (backend: Backend) => Promise<void>;
  /** The calls that touch the disk, in order: reviewed, not derived. */
  readonly trace: readonly string[];
}

const WRITE = ['open <temporary> wx', 'write <temporary>', 'sync <temporary>', 'close <temporary>'];

const CHANGES: readonly Change[] = [
  {
    title: 'a put in new folders',
    key: 'new/deep/key',
    after: NEW,
    make: (backend) => backend.put('new/deep/key', NEW),
    trace: [
      ...WRITE,
      'mkdir new',
      'syncDirectory .',
      'mkdir new/deep',
      'syncDirectory new',
      'rename <temporary> new/deep/key',
      'syncDirectory new/deep',
    ],
  },
  {
    title: 'a put that replaces',
    key: 'there/old',
    after: NEW,
    make: (backend) => backend.put('there/old', NEW),
    trace: [...WRITE, 'rename <temporary> there/old', 'syncDirectory there'],
  },
  {
    title: 'a put that creates once',
    key: 'there/once',
    after: NEW,
    make: (backend) => backend.put('there/once', NEW, { ifAbsent: true }),
    trace: [...WRITE, 'link <temporary> there/once', 'unlink <temporary>', 'syncDirectory there'],
  },
  {
    title: 'a delete',
    key: 'there/old',
    after: undefined,
    make: (backend) => backend.delete('there/old'),
    trace: ['unlink there/old', 'syncDirectory there'],
  },
];

function open(fileSystem: FileSystem, seed = 1): Promise<FsBackend> {
  return openFsBackend(ROOT, { fileSystem, reserveBytes: 0, random: seededRandom(seed).bytes });
}

/** A disk on which `there/old` and `there/other` were acknowledged; `seen` is what the backend sees of it. */
async function prepare(seen: (disk: FileSystem) => FileSystem = (disk) => disk) {
  const disk = new CrashFileSystem();
  const fileSystem = seen(disk);
  const backend = await open(fileSystem);
  await backend.put('there/old', OLD);
  await backend.put('there/other', OLD);
  return { disk, fileSystem, backend };
}

function before(change: Change): Uint8Array | undefined {
  return change.key === 'there/old' ? OLD : undefined;
}

/** What is wrong with the disk after a power cut in or after the change; empty when nothing is. */
async function problems(change: Change, disk: FileSystem, isAcknowledged: boolean): Promise<readonly string[]> {
  const found: string[] = [];
  const backend = await open(disk, 2);
  const value = await backend.get(change.key);
  const legal = isAcknowledged ? [change.after] : [before(change), change.after];
  if (!legal.some((one) => Buffer.compare(one ?? Buffer.of(), value ?? Buffer.of()) === 0)) {
    found.push(`${isAcknowledged ? 'acknowledged' : 'cut'} change: ${change.key} holds ${value?.length} bytes`);
  }
  if (Buffer.compare((await backend.get('there/other')) ?? Buffer.of(), OLD) !== 0) found.push('a bystander is lost');
  for await (const blob of listAll(backend)) {
    if (!['there/old', 'there/other', change.key].includes(blob.key)) found.push(`${blob.key} came from nowhere`);
  }
  if ((await disk.readdir(`${ROOT}/.tmp`)).length > 0) found.push('a temporary file was left');
  await backend.put('there/next', NEW);
  await backend.close();
  return found;
}

/** Cuts the power at every call of the change that the disk notices, several times each, and once after it. */
async function cutEverywhere(change: Change, seen?: (disk: FileSystem) => FileSystem): Promise<readonly string[]> {
  const found: string[] = [];
  for (let cut = 0, isAcknowledged = false; !isAcknowledged; cut += 1) {
    for (let seed = 1; seed <= 8; seed += 1) {
      const { disk, backend } = await prepare(seen);
      disk.cutPowerAfter(cut);
      isAcknowledged = await change.make(backend).then(
        () => true,
        () => false,
      );
      disk.restart(seededRandom(100 * cut + seed));
      await backend.close();
      const wrong = await problems(change, disk, isAcknowledged);
      found.push(...wrong.map((problem) => `power cut after call ${cut}, seed ${seed}: ${problem}`));
    }
  }
  return found;
}

/** The disk with one call that says it was done, and was not. */
function without(call: 'sync' | 'syncDirectory'): (disk: FileSystem) => FileSystem {
  return (disk) => {
    const bound = Object.fromEntries(
      (
        ['rename', 'link', 'unlink', 'rmdir', 'mkdir', 'readdir', 'stat', 'syncDirectory', 'freeBytes', 'open'] as const
      ).map((name) => [name, (disk[name] as (...given: unknown[]) => unknown).bind(disk)]),
    ) as unknown as FileSystem;
    if (call === 'syncDirectory') return { ...bound, syncDirectory: async () => undefined };
    return {
      ...bound,
      open: async (path, flags) => ({ ...(await disk.open(path, flags)), sync: async () => undefined }),
    };
  };
}

describe('a power cut', () => {
  for (const change of CHANGES) {
    it(`at any call of ${change.title} leaves the old value or the new one, and the new one once acknowledged`, async () => {
      expect(await cutEverywhere(change)).toEqual([]);
    });
  }

  it('would lose puts if content were not flushed, and puts and deletes if names were not', async () => {
    const [put, , , remove] = CHANGES as [Change, Change, Change, Change];
    expect(await cutEverywhere(put, without('sync'))).not.toEqual([]);
    expect(await cutEverywhere(put, without('syncDirectory'))).not.toEqual([]);
    expect(await cutEverywhere(remove, without('syncDirectory'))).not.toEqual([]);
  });

  it('while the folder is made leaves one that opens, and what is put then stays', async () => {
    for (let cut = 0, isOpen = false; !isOpen; cut += 1) {
      for (let seed = 1; seed <= 8; seed += 1) {
        const disk = new CrashFileSystem();
        disk.cutPowerAfter(cut);
        isOpen = await open(disk).then(
          () => true,
          () => false,
        );
        disk.restart(seededRandom(seed));
        await (await open(disk, 2)).put('key', NEW);
        disk.restart(seededRandom(seed + 100));
        expect(await (await open(disk, 3)).get('key')).toEqual(NEW);
      }
    }
  });

  it('after a process died while it made the folder takes nothing of the next process', async () => {
    const whole = new FaultyFileSystem(new CrashFileSystem(), ROOT);
    await open(whole);
    for (const { call, nth } of callsOf(whole.trace)) {
      for (let seed = 1; seed <= 8; seed += 1) {
        const disk = new CrashFileSystem();
        const dying = new FaultyFileSystem(disk, ROOT);
        dying.fail({ call, nth, code: 'EIO', times: Number.POSITIVE_INFINITY });
        await expect(open(dying)).rejects.toMatchObject({ code: 'BACKEND_IO' });
        await (await open(disk, 2)).put('key', NEW);
        disk.restart(seededRandom(seed));
        expect(await (await open(disk, 3)).get('key'), `${call} number ${nth}, seed ${seed}`).toEqual(NEW);
      }
    }
  });
});

/** Names of calls as in the trace, the temporary file's own name apart. */
function normalised(trace: readonly string[]): readonly string[] {
  return trace.map((line) => line.replace(/\.tmp\/\S+/, '<temporary>'));
}

async function prepareFaulty() {
  const { fileSystem, ...rest } = await prepare((disk) => new FaultyFileSystem(disk, ROOT));
  const faulty = fileSystem as FaultyFileSystem;
  faulty.trace.length = 0;
  return { ...rest, faulty };
}

/** Every call of a change as the kind it is and its place among those of that kind. */
function callsOf(trace: readonly string[]): readonly { readonly call: FileSystemCall; readonly nth: number }[] {
  const seen = new Map<string, number>();
  return trace.map((line) => {
    const call = line.split(' ')[0] as FileSystemCall;
    seen.set(call, (seen.get(call) ?? 0) + 1);
    return { call, nth: seen.get(call) ?? 0 };
  });
}

describe('a change of the folder', () => {
  for (const change of CHANGES) {
    it(`makes these calls in this order: ${change.title}`, async () => {
      const { backend, faulty } = await prepareFaulty();
      await change.make(backend);
      expect(normalised(faulty.trace)).toEqual(change.trace);
    });

    for (const [code, expected] of [
      ['EIO', 'BACKEND_IO'],
      ['ENOSPC', 'DISK_FULL'],
      ['EDQUOT', 'DISK_FULL'],
      ['EACCES', 'PERMISSION_DENIED'],
      ['EROFS', 'PERMISSION_DENIED'],
    ] as const) {
      it(`tells the truth when any call fails with ${code}: ${change.title}`, async () => {
        for (const { call, nth } of callsOf(change.trace)) {
          const { backend, disk, faulty } = await prepareFaulty();
          faulty.fail({ call, nth, code });
          const failure = await change.make(backend).catch((error: unknown) => error);
          faulty.heal();
          const value = await backend.get(change.key);
          const where = `${call} number ${nth}`;
          // A second name of a blob that is there is nobody's loss: the only failure that is swallowed.
          const isLeftover = call === 'unlink' && change.title === 'a put that creates once';
          if (isLeftover) expect(failure, where).toBeUndefined();
          else {
            expect(isStoreError(failure) && failure.cause, where).toMatchObject({ code });
            const isUncertain =
              call === 'syncDirectory' && nth === callsOf(change.trace).filter((one) => one.call === call).length;
            expect(failure, where).toMatchObject({
              code: isUncertain ? 'BACKEND_IO' : expected,
              details: { backendKey: change.key, system: code },
            });
            expect(value, where).toEqual(isUncertain ? change.after : before(change));
            expect(await disk.readdir(`${ROOT}/.tmp`), where).toEqual([]);
          }
          await change.make(backend).catch((error) => expect(error, where).toMatchObject({ code: 'BLOB_EXISTS' }));
          expect(await backend.get(change.key), where).toEqual(change.after);
        }
      });
    }
  }

  it('says that a file system without hard links cannot create exactly once', async () => {
    const { backend, faulty } = await prepareFaulty();
    faulty.fail({ call: 'link', code: 'EPERM' });
    await expect(backend.put('there/once', NEW, { ifAbsent: true })).rejects.toMatchObject({
      code: 'CAPABILITY_UNSUPPORTED',
      details: { capability: 'ifAbsent', system: 'EPERM' },
    });
    expect(await backend.head('there/once')).toBeUndefined();
  });
});

describe('what somebody put who died before its name was flushed', () => {
  /** A disk on which a put was done, but for its last flush. */
  async function unflushed() {
    const { disk, backend } = await prepare();
    const last = callsOf((CHANGES[1] as Change).trace).length - 1;
    disk.cutPowerAfter(last - 1);
    await backend.put('there/old', NEW).catch(() => undefined);
    await backend.close();
    // Only the process is gone: everybody sees what the disk does not hold yet.
    const seen = disk.fork();
    return { seen, next: await open(seen, 2) };
  }

  const worst: Survival = { name: () => 0, content: () => ({ kept: 'none' }) };

  async function afterCut(seen: CrashFileSystem): Promise<Uint8Array | undefined> {
    return await (await open(seen.survivor(worst), 3)).get('there/old');
  }

  it('is read, and a power cut may take it', async () => {
    const { seen, next } = await unflushed();
    expect(await next.get('there/old')).toEqual(NEW);
    expect((await next.list()).map(({ key }) => key)).toContain('there/old');
    expect(await afterCut(seen)).toEqual(OLD);
  });

  it('survives once somebody asked for what is durable', async () => {
    for (const ask of [
      (backend: Backend) => backend.head('there/old', { durable: true }),
      (backend: Backend) => backend.list({ prefix: 'there/', durable: true }),
    ]) {
      const { seen, next } = await unflushed();
      expect(await ask(next)).toBeDefined();
      expect(await afterCut(seen)).toEqual(NEW);
    }
  });

  it('stays as it is for who may only read', async () => {
    const { seen } = await unflushed();
    const calls = seen.calls;
    const reader = await openFsBackend(ROOT, { fileSystem: seen, readOnly: true });
    expect(await reader.list({ durable: true })).toHaveLength(2);
    expect(seen.calls).toBe(calls);
  });
});
