/** Looks up entries and reads their content, counting what is read. */
import { concatBytes, copyBytes, equalBytes } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { readContent } from '../pipeline/content-reader.ts';
import { readBatch } from '../pipeline/small-contents.ts';
import { checkStreaming, resolveRange } from './arguments.ts';
import { contentPieces } from './content-pieces.ts';
import type { Engine } from './engine.ts';
import { keyText, namingEntry, type OpenedEntry } from './entry-info.ts';
import type { Scope } from './scope.ts';
import type { ReadOptions } from './types.ts';

export function entryNotFound(key: string): StoreError {
  return storeError('ENTRY_NOT_FOUND', `there is no entry ${JSON.stringify(key)}`, { details: { key } });
}

/** @throws `not-found/ENTRY_NOT_FOUND` */
export async function findEntry(engine: Engine, scope: Scope, key: string): Promise<OpenedEntry> {
  const [row] = await engine.metadata.getEntries([scope.key(key)]);
  const entry = row && (await engine.scopes.openCurrent(row, scope));
  if (!entry) throw entryNotFound(key);
  return entry;
}

/** The whole content; the caller's to keep. */
export async function readAll(
  engine: Engine,
  entry: OpenedEntry,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of readContent(entry.reader, entry.value, signal && { signal })) pieces.push(piece);
  } catch (error) {
    throw namingEntry(error, keyText(entry.row));
  }
  engine.telemetry.counts.gets += 1;
  engine.telemetry.counts.bytesOut += entry.value.size;
  const [only] = pieces;
  return pieces.length === 1 && only ? only : concatBytes(pieces);
}

/**
 * The whole content of what `find` finds, as `readAll`. What an isolated entry held is destroyed by the commit that replaces or
 * deletes it, whoever reads it just then: they read what has come instead.
 * @throws what `find` throws
 */
export async function readCurrent(
  engine: Engine,
  find: () => Promise<OpenedEntry>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  for (;;) {
    const entry = await find();
    try {
      return await readAll(engine, entry, signal);
    } catch (error) {
      if (!(await wasDestroyed(engine, entry, error))) throw error;
    }
  }
}

async function wasDestroyed({ metadata }: Engine, { row, isolated }: OpenedEntry, error: unknown): Promise<boolean> {
  const isGone = isStoreError(error) && (error.kind === 'corrupt' || error.code === 'NAMESPACE_KEY_GONE');
  if (!isolated || !isGone) return false;
  const [now] = await metadata.getEntries([row.key]);
  return now === undefined || !equalBytes(now.version, row.version);
}

/** When something is wrong in a batch its entries are read one by one: the error must name the right one. */
export async function readTogether(
  engine: Engine,
  entries: readonly OpenedEntry[],
  signal: AbortSignal | undefined,
): Promise<readonly Uint8Array[]> {
  const [first] = entries;
  if (first && entries.length > 1) {
    try {
      const values = entries.map(({ value }) => value);
      const contents = await readBatch(first.reader, values, { signal });
      engine.telemetry.counts.gets += values.length;
      for (const { size } of values) engine.telemetry.counts.bytesOut += size;
      // Each is the caller's.
      return contents.map(copyBytes);
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
    }
  }
  const contents: Uint8Array[] = [];
  for (const entry of entries) contents.push(await readAll(engine, entry, signal));
  return contents;
}

/** A range of the content, piece by piece. @throws `invalid/RANGE_INVALID`, `corrupt/*` */
export async function* readPieces(
  engine: Engine,
  entry: OpenedEntry,
  options: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const key = keyText(entry.row);
  const range = resolveRange({ key, size: entry.value.size }, options);
  const streaming = checkStreaming(options);
  const { signal, onProgress } = options;
  const { counts } = engine.telemetry;
  let bytes = 0;
  try {
    for await (const piece of contentPieces(engine, entry, { ...streaming, range, signal })) {
      bytes += piece.length;
      counts.bytesOut += piece.length;
      onProgress?.({ phase: 'read', done: bytes, total: range.end - range.offset, bytes });
      yield piece;
    }
  } catch (error) {
    throw namingEntry(error, key);
  }
  counts.gets += 1;
}
