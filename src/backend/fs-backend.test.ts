import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { nodeFileSystem } from '../runtime/file-system.ts';
import type { OpenedBackend } from '../testing/backend-case.ts';
import { CrashFileSystem } from '../testing/crash-file-system.ts';
import { describeBackend } from '../testing/describe-backend.ts';
import { FaultyBackend } from '../testing/faulty-backend.ts';
import { FaultyFileSystem } from '../testing/faulty-file-system.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import type { Backend } from './contract.ts';
import { type FsBackendOptions, openFsBackend } from './open-fs-backend.ts';
import { readOnlyBackend } from './read-only-backend.ts';
import { type RetryOptions, retryingBackend } from './retrying-backend.ts';

interface Variant {
  readonly wrap?: (backend: Backend) => Backend;
  readonly options?: FsBackendOptions;
}

async function openFolder(options: FsBackendOptions = { reserveBytes: 0 }): Promise<OpenedBackend> {
  const folder = await makeTemporaryFolder();
  const root = join(folder.path, 'blobs');
  const backend = await openFsBackend(root, options);
  return {
    backend,
    reopen: () => openFsBackend(root, options),
    crash: () => openFsBackend(root, options),
    fail: () => rename(root, join(folder.path, 'elsewhere')),
    openReadOnly: () => openFsBackend(root, { readOnly: true }),
    dispose: async () => {
      await backend.close();
      await folder.remove();
    },
  };
}

/** On a disk in memory that orders nothing: the `crash` of the suite is a power cut. */
async function openOnCrashingDisk(variant: Variant = {}): Promise<OpenedBackend> {
  const { wrap = (backend: Backend) => backend } = variant;
  const fileSystem = new CrashFileSystem();
  const random = seededRandom(3);
  const options = { fileSystem, reserveBytes: 0, random: random.bytes, ...variant.options };
  const bare = await openFsBackend('/disk/blobs', options);
  const backend = wrap(bare);
  return {
    backend,
    ...(!backend.capabilities.writable && { writer: bare }),
    reopen: () => openFsBackend('/disk/blobs', options),
    crash: () => {
      fileSystem.restart(random);
      return openFsBackend('/disk/blobs', options);
    },
    fail: async () => fileSystem.cutPowerAfter(0),
    openReadOnly: () => openFsBackend('/disk/blobs', { ...options, readOnly: true }),
    dispose: () => bare.close(),
  };
}

/** A system that moves few bytes at a time, as at the edge of a quota, over a network, or when a signal comes in. */
const stuttering = Object.assign(new FaultyFileSystem(nodeFileSystem, '/'), { transferBytesMax: 65_537 });

const RETRIES: RetryOptions = { attempts: 2, sleep: async () => undefined };
const retried = (backend: Backend) => retryingBackend(backend, RETRIES);
const faultless = (backend: Backend) => new FaultyBackend(backend);

const runner = { describe, it };
const without = ['B16'];
const limited = { quotaBytes: 2 ** 30, freeBytesMin: 2 ** 20, reserveBytes: 4096 };
describeBackend(runner, 'FsBackend', { open: () => openFolder() });
describeBackend(runner, 'FsBackend over short reads and writes', {
  open: () => openFolder({ fileSystem: stuttering, reserveBytes: 0 }),
  without,
});
describeBackend(runner, 'FsBackend over power cuts, with quota, reserve and least free space', {
  open: () => openOnCrashingDisk({ options: limited }),
  without,
});
describeBackend(runner, 'FsBackend read-only', { open: () => openOnCrashingDisk({ wrap: readOnlyBackend }), without });
describeBackend(runner, 'FsBackend under a deep stack of wrappers', {
  open: () => openOnCrashingDisk({ wrap: (backend) => retried(faultless(retried(faultless(retried(backend))))) }),
  without,
});
describeBackend(runner, 'FsBackend read-only between retries', {
  open: () => openOnCrashingDisk({ wrap: (backend) => retried(readOnlyBackend(retried(backend))) }),
  without,
});
