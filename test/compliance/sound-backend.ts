import type { Backend } from '../../src/backend/contract.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { readOnlyBackend } from '../../src/backend/read-only-backend.ts';
import { storeError } from '../../src/errors/store-error.ts';
import type { OpenedBackend } from '../../src/testing/backend-case.ts';

/** Bytes that outlive the backends over them, as a disk outlives a process. */
export class Disk {
  readonly memory = new MemoryBackend();
  failed = false;
}

/** Largest value of the disk's backends: small, so that the whole suite runs in no time. */
export const DISK_BLOB_BYTES_MAX = 400_000;

/** The calls of a backend as plain functions, to be replaced one by one. */
export type BackendCalls = { -readonly [Name in keyof Backend]: Backend[Name] };

/** Every call of a backend passed on, but for those replaced. */
export function override(inner: Backend, replaced: Partial<BackendCalls>): Backend {
  return {
    capabilities: inner.capabilities,
    put: (key, bytes, options) => inner.put(key, bytes, options),
    get: (key, options) => inner.get(key, options),
    head: (key, options) => inner.head(key, options),
    delete: (key, options) => inner.delete(key, options),
    list: (options) => inner.list(options),
    space: (options) => inner.space(options),
    close: () => inner.close(),
    ...replaced,
  };
}

/** A backend over the disk that keeps every guarantee: each call looks whether it is closed, aborted or failing. */
export function soundBackend(disk: Disk): Backend {
  let closed = false;
  const check = (signal?: AbortSignal): void => {
    if (closed) throw storeError('BACKEND_CLOSED', 'closed');
    signal?.throwIfAborted();
    if (disk.failed) throw storeError('BACKEND_IO', 'the disk failed', { cause: new Error('pulled out') });
  };
  const { memory } = disk;
  const capabilities = { ...memory.capabilities, durable: true, blobBytesMax: DISK_BLOB_BYTES_MAX };
  return override(memory, {
    capabilities,
    put: async (key, bytes, options) => {
      check(options?.signal);
      if (bytes.length > DISK_BLOB_BYTES_MAX) throw storeError('BLOB_TOO_LARGE', 'too large');
      await memory.put(key, bytes, options);
    },
    get: async (key, options) => {
      check(options?.signal);
      return memory.get(key, options);
    },
    head: async (key, options) => {
      check(options?.signal);
      return memory.head(key, options);
    },
    delete: async (key, options) => {
      check(options?.signal);
      await memory.delete(key, options);
    },
    list: async (options) => {
      check(options?.signal);
      return memory.list(options);
    },
    space: async (options) => {
      check(options?.signal);
      return memory.space(options);
    },
    close: async () => {
      closed = true;
    },
  });
}

/** A way to break a sound backend; it may use the disk behind its back. */
export type Breakage = (sound: Backend, disk: Disk) => Backend;

/** Opens a fresh disk through a broken backend (or a sound one) with everything the suite can ask for. */
export async function openBroken(breakage: Breakage): Promise<OpenedBackend> {
  const disk = new Disk();
  const open = () => breakage(soundBackend(disk), disk);
  const backend = open();
  return {
    backend,
    ...(!backend.capabilities.writable && { writer: soundBackend(disk) }),
    reopen: async () => open(),
    crash: async () => open(),
    fail: async () => {
      disk.failed = true;
    },
    openReadOnly: async () => readOnlyBackend(open()),
    dispose: () => backend.close(),
  };
}
