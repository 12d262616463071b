import type { Backend } from '../../backend/contract.ts';
import { concatBytes } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import {
  MESSAGE_PART_BYTES_MAX,
  type MessageEntry,
  type MessagePiece,
  messageFail,
  messagePartKey,
  openMessagePart,
  readPieces,
} from '../../format/index.ts';
import { INBOX_READ_CHUNKS, READ_COALESCE_BYTES } from '../../limits.ts';
import type { Metadata } from '../../metadata/contract.ts';
import type { Scope } from '../scope.ts';

type StoredPiece = Extract<MessagePiece, { readonly bytes?: undefined }>;

/** A message that was opened, and the key of its parts. */
export interface OpenedMessage {
  /** 32 hex digits. */
  readonly message: string;
  readonly entry: MessageEntry;
  readonly partKey: Uint8Array;
}

/** Where its content comes from: its parts, and the chunks of its namespace. */
export interface ContentPlaces {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly scope: Scope;
}

/**
 * Streams the content of a message, one part in memory at a time. Not more than the head says; whether it is all of it,
 * and what it should be, is for the caller to compare.
 * @yields pieces, each valid until the next one is asked for
 * @throws `corrupt/MESSAGE_CORRUPT`; `corrupt/CHUNK_MISSING` and `corrupt/CHUNK_CORRUPT` for a chunk that the writer
 *   took for stored
 */
export async function* messageContent(
  opened: OpenedMessage,
  places: ContentPlaces,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const fail = messageFail(opened.message);
  let size = 0;
  for await (const bytes of piecesOf(opened, places, signal)) {
    size += bytes.length;
    if (size > opened.entry.size) fail('holds more than it says');
    yield bytes;
  }
}

async function* piecesOf(
  opened: OpenedMessage,
  places: ContentPlaces,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const fail = messageFail(opened.message);
  let run: StoredPiece[] = [];
  let runBytes = 0;
  for (let index = 0; index < opened.entry.parts; index += 1) {
    signal?.throwIfAborted();
    for (const piece of readPieces(await readPart(opened, index, places.backend), fail)) {
      if (piece.bytes === undefined) {
        run.push(piece);
        runBytes += piece.length;
        if (run.length < INBOX_READ_CHUNKS && runBytes < READ_COALESCE_BYTES) continue;
      }
      yield* await readStored(run, places, signal);
      run = [];
      runBytes = 0;
      if (piece.bytes !== undefined) yield piece.bytes;
    }
  }
  yield* await readStored(run, places, signal);
}

async function readPart({ message, partKey }: OpenedMessage, index: number, backend: Backend): Promise<Uint8Array> {
  const fail = messageFail(message);
  const key = messagePartKey(message, index);
  const info = await backend.head(key);
  // Looked at before it is read: whoever can write to the backend decides how large it is.
  if (info && info.bytes > MESSAGE_PART_BYTES_MAX) return fail(`has a part ${index} of ${info.bytes} bytes`);
  const bytes = info && (await backend.get(key));
  if (bytes === undefined) return fail(`lacks its part ${index}`);
  return openMessagePart(partKey, { index, bytes }, fail);
}

async function readStored(
  run: readonly StoredPiece[],
  { scope, metadata }: ContentPlaces,
  signal?: AbortSignal,
): Promise<readonly Uint8Array[]> {
  if (run.length === 0) return [];
  // A reader would report a chunk that is not there as damage of the store; here it is the writer's word against it.
  const ids = concatBytes(run.map(({ digest }) => scope.ids.idOf('chunk', digest)));
  const known = await metadata.knownItems('chunk', ids);
  if (!known.every(Boolean)) {
    const message = 'a chunk that the writer took for stored is not there any more: it must put the content again';
    throw storeError('CHUNK_MISSING', message);
  }
  return await scope.reader.read('chunk', run, { signal });
}
