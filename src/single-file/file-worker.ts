/**
 * Module of the thread of a single file: one connection serves its blobs and the metadata beside them, so that all of
 * them change one after the other and in one log.
 */
import { discardBytes } from '../bytes/discard.ts';
import { invariant } from '../errors/store-error.ts';
import type { OpenSqliteOptions } from '../metadata/open-sqlite.ts';
import { openMetadataBesideBlobs } from '../metadata/open-sqlite.ts';
import { callMetadata } from '../metadata/serve-metadata.ts';
import type { SqlMetadata } from '../metadata/sql-metadata.ts';
import type { SqliteDatabase } from '../metadata/sqlite-database.ts';
import { type ServedCall, serveCalls } from '../runtime/worker-rpc.ts';
import { Transferred } from '../runtime/worker-wire.ts';
import type { BlobWindow, LaidBlob, PutBounds } from './blob-table.ts';
import { compactStep } from './compact-step.ts';
import { copyFile } from './copy-file.ts';
import { FILE_SET_ASIDE_VERSION, setVersion } from './file-tables.ts';
import { type OpenedFile, type OpenFileOptions, openFileDatabase } from './open-database.ts';
import { SharedDatabase } from './shared-database.ts';

let opened: OpenedFile | undefined;
let metadata: SqlMetadata | undefined;

async function openMetadata({ database }: OpenedFile, options: OpenSqliteOptions): Promise<void> {
  // What is deleted from a sealed store must be gone (https://sqlite.org/pragma.html#pragma_secure_delete).
  if (options.sealed && !options.readOnly) database.execute('PRAGMA secure_delete = ON');
  metadata = await openMetadataBesideBlobs(database, new SharedDatabase(database), options);
}

/**
 * Marks a file that this connection has alone, and leaves write-ahead mode: who has waited for the file then finds the
 * mark, and makes no log that would be taken for that of the file that comes in its place.
 */
async function setFileAside(database: SqliteDatabase): Promise<void> {
  await setVersion(database, FILE_SET_ASIDE_VERSION);
  database.execute('PRAGMA journal_mode = DELETE');
}

async function put({ blobs }: OpenedFile, blob: LaidBlob, bounds: PutBounds): Promise<void> {
  try {
    await blobs.put(blob, bounds);
  } finally {
    discardBytes(blob.rows);
  }
}

async function get(file: OpenedFile, args: readonly unknown[]): Promise<unknown> {
  const bytes = await file.blobs.get(args[0] as string, args[1] as { offset?: number; length?: number });
  return bytes && new Transferred(bytes, [bytes.buffer]);
}

async function callFile(file: OpenedFile, call: ServedCall): Promise<unknown> {
  const { method, args } = call;
  const { blobs, database } = file;
  switch (method) {
    case 'putBlob':
      return put(file, args[0] as LaidBlob, args[1] as PutBounds);
    case 'getBlob':
      return get(file, args);
    case 'headBlob':
      return blobs.head(args[0] as string);
    case 'deleteBlob':
      return blobs.delete(args[0] as string);
    case 'listBlobs':
      return blobs.list(args[0] as BlobWindow);
    case 'useOfFile':
      return blobs.use();
    case 'compactStep':
      return compactStep(database, args[0] as number);
    case 'truncateLog':
      return database.scrub();
    case 'openMetadata':
      return openMetadata(file, args[0] as OpenSqliteOptions);
    case 'setFileAside':
      return setFileAside(database);
    case 'closeFile':
      return database.close();
    default:
      invariant(metadata, `the metadata is opened before ${method}`);
      return callMetadata(metadata, call);
  }
}

async function handle(call: ServedCall): Promise<unknown> {
  const { method, args } = call;
  if (method === 'copyFile') return copyFile(args[0] as string, args[1] as string, call);
  if (method === 'openFile') {
    [opened, metadata] = [await openFileDatabase(args[0] as OpenFileOptions), undefined];
    return { state: opened.state, geometry: opened.blobs.geometry };
  }
  invariant(opened, 'the file is opened first');
  return callFile(opened, call);
}

serveCalls(handle);
