import { equalBytes } from '../../bytes/bytes.ts';
import { DigestSet } from '../../hash/digest-set.ts';
import { entryChunks } from '../../pipeline/content-reader.ts';
import type { ManifestChunk } from '../../pipeline/manifest-reader.ts';
import type { Engine } from '../engine.ts';
import { keyText, namingEntry, type OpenedEntry } from '../entry-info.ts';
import type { Scope } from '../scope.ts';
import { type DigestPart, digestParts, isInPart } from './digest-parts.ts';
import { entryRows } from './entry-rows.ts';

/**
 * Plain bytes of an entry's distinct chunks that other entries of its namespace use, too. Reads the manifests of all of
 * them, once for each million of the entry's chunks; no content.
 * @throws `corrupt/*` naming the entry whose manifest cannot be read: what it shares is not known
 */
export async function sharedBytesOf(
  place: { readonly engine: Engine; readonly scope: Scope },
  entry: OpenedEntry,
  signal?: AbortSignal,
): Promise<number> {
  // A key of its own: nobody else can have its chunks.
  if (entry.isolated) return 0;
  let shared = 0;
  for (const part of digestParts(entry.value.chunkCount)) {
    const own = new DigestSet(Number.POSITIVE_INFINITY);
    for await (const { digest } of chunksIn(entry, part, signal)) own.add(digest);
    const met = new DigestSet(Number.POSITIVE_INFINITY);
    for await (const other of others(place, entry, signal)) {
      try {
        for await (const { digest, length } of chunksIn(other, part, signal))
          if (own.has(digest) && met.add(digest)) shared += length;
      } catch (error) {
        throw namingEntry(error, keyText(other.row));
      }
    }
  }
  return shared;
}

async function* others(
  { engine, scope }: { readonly engine: Engine; readonly scope: Scope },
  { row: { key } }: OpenedEntry,
  signal: AbortSignal | undefined,
): AsyncGenerator<OpenedEntry> {
  for await (const row of entryRows(engine.metadata, { prefix: scope.prefix(''), ...(signal && { signal }) })) {
    if (equalBytes(row.key, key)) continue;
    const other = await engine.scopes.openCurrent(row, scope);
    if (other && !other.isolated) yield other;
  }
}

async function* chunksIn(
  { reader, value }: OpenedEntry,
  part: DigestPart,
  signal: AbortSignal | undefined,
): AsyncGenerator<ManifestChunk> {
  for await (const chunk of entryChunks(reader, value, signal && { signal })) {
    if (isInPart(chunk.digest, part)) yield chunk;
  }
}
