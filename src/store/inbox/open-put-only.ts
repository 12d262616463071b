/** Opening a store as a put-only writer. */
import type { Backend } from '../../backend/contract.ts';
import { type ChunkingSpec, parseChunking } from '../../chunking/index.ts';
import { argumentTypeError } from '../../errors/argument-error.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import {
  checkWriterCredential,
  parseWriterCredential,
  readWriterCredential,
  type WriterCredential,
} from '../../keys/index.ts';
import { connectBackends } from '../connect-store.ts';
import type { PutOnlyStore } from '../key-types.ts';
import {
  checkExistingPlace,
  checkWritablePlace,
  openPlace,
  type Place,
  readConfig,
  surroundingsOf,
  toPlace,
  withCodes,
} from '../location.ts';
import { openMetadata } from '../open.ts';
import { exchangeSeed } from '../scope.ts';
import type { CallOptions, OpenOptions, StoreLocation } from '../types.ts';
import { InboxStore } from './inbox-store.ts';

/** How to open a store as a put-only writer. */
export interface PutOnlyOpenOptions extends CallOptions, Pick<OpenOptions, 'backendModules'> {
  /** The path of a credential file, the text of one (it begins with `{`), or what `parseWriterCredential` gave. */
  readonly credential: string | WriterCredential;
}

/**
 * Opens a sealed store with nothing but a writer's credential: it takes content and gives nothing back. What is put
 * waits in the inbox until somebody opens the store with its keys. The metadata is read only, to leave out chunks that
 * the store has; nothing of the store is changed but what is added to the inbox.
 * @throws `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`, `denied/KEY_FILE_EXPOSED`, `denied/WRONG_KEY`
 *   for the credential of another store, `denied/STORE_NOT_SEALED`, `denied/PERMISSION_DENIED`, `denied/READ_ONLY`,
 *   `not-found/STORE_NOT_FOUND`, `invalid/NOT_A_STORE`, `corrupt/CONFIG_CORRUPT`, `corrupt/METADATA_MISSING`,
 *   `unsupported/FORMAT_UNSUPPORTED`
 * @example
 * const inbox = await openPutOnly('/mnt/backups', { credential: 'web-1.credential' });
 * await inbox.put('dumps/today', { path: 'dump.sql' });
 */
export async function openPutOnly(location: StoreLocation, options: PutOnlyOpenOptions): Promise<PutOnlyStore> {
  return await openPutOnlyAt(toPlace(location, options), options);
}

/** See `openPutOnly`. */
export async function openPutOnlyAt(place: Place, options: PutOnlyOpenOptions): Promise<PutOnlyStore> {
  return await withCodes(place, () => openIn(place, options));
}

async function openIn(place: Place, options: PutOnlyOpenOptions): Promise<PutOnlyStore> {
  const credential = await openCredential(options);
  const chunking = chunkingOf(credential);
  await checkExistingPlace(place);
  await checkWritablePlace(place);
  options.signal?.throwIfAborted();
  // The reserve is the store's own: a writer neither spends it nor sets it aside.
  const { backend } = await openPlace(place, { create: false, reserveBytes: 0 });
  try {
    return await openInbox(place, { backend, credential, chunking }, options);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function openInbox(
  place: Place,
  parts: { readonly backend: Backend; readonly credential: WriterCredential; readonly chunking: ChunkingSpec },
  { signal }: CallOptions,
): Promise<InboxStore> {
  const config = await readConfig(parts.backend, { readOnly: false, signal });
  if (config.keys === 'none') {
    const message = 'a credential was given, but this store is plain: it is not the one that was meant';
    throw storeError('STORE_NOT_SEALED', message);
  }
  if (config.storeId !== parts.credential.storeId) {
    throw storeError('WRONG_KEY', 'the credential belongs to another store');
  }
  const { control } = await connectBackends({ place, backend: parts.backend }, config, { readOnly: false });
  try {
    const { backend } = parts;
    const metadata = await openMetadata(place, config, { backend, create: false, readOnly: true });
    return new InboxStore({ ...parts, backend: control, metadata, random: surroundingsOf(place).random });
  } catch (error) {
    await control.close();
    throw error;
  }
}

/** @throws `invalid/CREDENTIAL_INVALID` */
function chunkingOf({ chunking, chunkerSeed }: WriterCredential): ChunkingSpec {
  try {
    const spec = parseChunking(chunking);
    if (spec.kind !== 'given') return exchangeSeed(spec, { from: 0n, to: chunkerSeed });
  } catch (error) {
    if (!isStoreError(error, 'CHUNKING_INVALID')) throw error;
  }
  throw storeError('CREDENTIAL_INVALID', 'this is not a writer credential: wrong or missing: chunking');
}

async function openCredential(options: PutOnlyOpenOptions): Promise<WriterCredential> {
  const expected = 'a path, the text of a credential, or a credential';
  const given: unknown = typeof options === 'object' && options !== null ? options.credential : undefined;
  if (typeof given === 'string') {
    return given.trimStart().startsWith('{') ? parseWriterCredential(given) : await readWriterCredential(given);
  }
  // The value itself stays out of the message: it was meant to be a secret.
  if (typeof given !== 'object' || given === null) throw argumentTypeError('credential', expected, undefined);
  return checkWriterCredential(given);
}
