import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { OpenedBackend } from '../testing/backend-case.ts';
import { describeBackend } from '../testing/describe-backend.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import type { Backend } from './contract.ts';
import { openFsBackend } from './open-fs-backend.ts';
import { readOnlyBackend } from './read-only-backend.ts';
import { retryingBackend } from './retrying-backend.ts';

async function open(wrap: (backend: Backend) => Backend = (backend) => backend): Promise<OpenedBackend> {
  const folder = await makeTemporaryFolder();
  const root = join(folder.path, 'blobs');
  const options = { reserveBytes: 0 };
  const bare = await openFsBackend(root, options);
  return {
    backend: wrap(bare),
    ...(!wrap(bare).capabilities.writable && { writer: bare }),
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

const sleep = async () => undefined;

describeBackend({ describe, it }, 'FsBackend', { open: () => open() });
describeBackend({ describe, it }, 'FsBackend read-only', { open: () => open(readOnlyBackend) });
describeBackend({ describe, it }, 'FsBackend retried twice over', {
  open: () =>
    open((backend) => retryingBackend(retryingBackend(backend, { sleep, attempts: 2 }), { sleep, attempts: 2 })),
  without: ['B16'],
});
