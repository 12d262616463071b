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

async function openFolder(variant: Variant = {}): Promise<OpenedBackend> {
  const { wrap = (backend: Backend) => backend } = variant;
  const folder = await makeTemporaryFolder();
  const root = join(folder.path, 'blobs');
  const options = { reserveBytes: 0, ...variant.options };
  const bare = await openFsBackend(root, options);
  const backend = wrap(bare);
  return {
    backend,
    ...(!backend.capabilities.writable && { writer: bare }),
    reopen: () => openFsBackend(root, options),
    crash: () => openFsBackend(root, options),
    fail: () => rename(root, join(folder.path, 'elsewhere')),
    openReadOnly: () => openFsBackend(root, { readOnly: true }),
    dispose: async () => {
      await bare.close();
      await folder.remove();
    },
  };
}

/** On a disk that orders nothing: the `crash` of the suite is a power cut. */
async function openOnCrashingDisk(): Promise<OpenedBackend> {
  const fileSystem = new CrashFileSystem();
  const random = seededRandom(3);
  const open = (options: FsBackendOptions = {}) =>
    openFsBackend('/disk/blobs', { fileSystem, reserveBytes: 1000, random: random.bytes, ...options });
  const backend = await open();
  return {
    backend,
    reopen: () => open(),
    crash: () => {
      fileSystem.restart(random);
      return open();
    },
    fail: async () => fileSystem.cutPowerAfter(0),
    openReadOnly: () => open({ readOnly: true }),
    dispose: () => backend.close(),
  };
}

/** A system that moves at most a few bytes per call, as at the edge of a quota, over the network, or on a signal. */
function stuttering(): FsBackendOptions {
  return { fileSystem: Object.assign(new FaultyFileSystem(nodeFileSystem, '/'), { transferBytesMax: 65_537 }) };
}

const RETRIES: RetryOptions = { attempts: 2, sleep: async () => undefined };
const deepStack = (backend: Backend) =>
  retryingBackend(
    new FaultyBackend(retryingBackend(new FaultyBackend(retryingBackend(backend, RETRIES)), RETRIES)),
    RETRIES,
  );

const runner = { describe, it };
describeBackend(runner, 'FsBackend', { open: () => openFolder() });
describeBackend(runner, 'FsBackend with quota, reserve and free space', {
  open: () => openFolder({ options: { quotaBytes: 2 ** 30, freeBytesMin: 2 ** 20, reserveBytes: 4096 } }),
  without: ['B16'],
});
describeBackend(runner, 'FsBackend over short reads and writes', {
  open: () => openFolder({ options: stuttering() }),
  without: ['B16'],
});
describeBackend(runner, 'FsBackend over power cuts', { open: openOnCrashingDisk, without: ['B16'] });
describeBackend(runner, 'FsBackend read-only', { open: () => openFolder({ wrap: readOnlyBackend }), without: ['B16'] });
describeBackend(runner, 'FsBackend under a deep stack', {
  open: () => openFolder({ wrap: deepStack }),
  without: ['B16'],
});
describeBackend(runner, 'FsBackend read-only over and under retries', {
  open: () =>
    openFolder({ wrap: (backend) => retryingBackend(readOnlyBackend(retryingBackend(backend, RETRIES)), RETRIES) }),
  without: ['B16'],
});
