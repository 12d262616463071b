/** `holdfast/backend`: the contract, the backends that come with Holdfast, and wrappers of backends. */

export type { ErrorCode } from '../errors/codes.ts';
export { isStoreError, StoreError, type StoreErrorOptions, storeError } from '../errors/store-error.ts';
export { BLOB_BYTES_MAX } from '../limits.ts';
export type { Clock } from '../runtime/clock.ts';
export type { DirectoryItem, FileHandle, FileStat, FileSystem } from '../runtime/file-system.ts';
export type { RandomBytes } from '../runtime/random.ts';
export { checkBackendKey, checkBackendPrefix } from './backend-key.ts';
export type { BackendModule, BackendModules, ModuleOpenOptions } from './backend-module.ts';
export { BaseBackend, type CheckedListOptions } from './base-backend.ts';
export { blobExistsError, rangeError, resolveRange } from './blob-range.ts';
export type {
  Backend,
  BackendCapabilities,
  BackendSpace,
  BlobInfo,
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeadOptions,
  ListOptions,
  PutOptions,
  ServiceRequests,
} from './contract.ts';
export type { FsBackend } from './fs-backend.ts';
export type { ReserveState } from './fs-reserve.ts';
export { listAll } from './list-all.ts';
export { MemoryBackend, type MemoryBackendOptions } from './memory-backend.ts';
export { type FsBackendOptions, openFsBackend } from './open-fs-backend.ts';
export { readOnlyBackend } from './read-only-backend.ts';
export { type RetryOptions, retryingBackend } from './retrying-backend.ts';
export { openS3Backend, type S3BackendOptions } from './s3/open-s3-backend.ts';
export type { S3Backend } from './s3/s3-backend.ts';
