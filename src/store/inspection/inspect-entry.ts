import { concatBytes, toHex } from '../../bytes/bytes.ts';
import { DigestSet } from '../../hash/digest-set.ts';
import { LOOKUP_BATCH_CHUNKS } from '../../limits.ts';
import type { ItemLocation, Metadata, PackRow } from '../../metadata/contract.ts';
import type { ItemKind } from '../../pipeline/item-reader.ts';
import { type ManifestChunk, readManifest } from '../../pipeline/manifest-reader.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import type { Engine } from '../engine.ts';
import { keyText, namingEntry, type OpenedEntry } from '../entry-info.ts';
import type { Scope } from '../scope.ts';
import { digestParts, isInPart } from './digest-parts.ts';
import { describePack, shareOf } from './placed-items.ts';
import type { EntryPack, EntryReport, InspectOptions } from './report-types.ts';
import { sharedBytesOf } from './sharing.ts';

interface PackTally {
  readonly row: PackRow;
  items: number;
  recordBytes: number;
  storedBytes: number;
}

/** Adds up what the items of an entry take. */
class Tally {
  readonly packs = new Map<number, PackTally>();
  distinctChunks = 0;
  uniqueBytes = 0;
  /** Plain bytes of the chunks whose records are known. */
  plainBytes = 0;
  recordBytes = 0;
  manifestNodes = 0;
  manifestBytes = 0;
  storedBytes = 0;
  pendingChunks = 0;
  missing = 0;
  suspect = 0;

  add(kind: ItemKind, location: ItemLocation | undefined): void {
    if (location === undefined) {
      this.missing += 1;
      return;
    }
    const { recordBytes, storedBytes } = shareOf(location);
    if (kind === 'chunk') {
      this.plainBytes += location.length;
      this.recordBytes += recordBytes;
    } else {
      this.manifestBytes += recordBytes;
    }
    this.storedBytes += storedBytes;
    if (location.suspect) this.suspect += 1;
    if (location.pack) this.#addToPack(location.pack, recordBytes, storedBytes);
    else this.pendingChunks += 1;
  }

  #addToPack(row: PackRow, recordBytes: number, storedBytes: number): void {
    const tally = this.packs.get(row.number) ?? { row, items: 0, recordBytes: 0, storedBytes: 0 };
    tally.items += 1;
    tally.recordBytes += recordBytes;
    tally.storedBytes += storedBytes;
    this.packs.set(row.number, tally);
  }
}

/**
 * What an entry takes, from its manifest and the metadata: no content is read. Memory is bounded but for its packs: of
 * an entry with more than a million chunks the manifest is read once for each million.
 * @throws `corrupt/MANIFEST_CORRUPT` for a manifest that cannot be read
 */
export async function inspectEntry(
  place: { readonly engine: Engine; readonly scope: Scope },
  entry: OpenedEntry,
  options: InspectOptions,
): Promise<EntryReport> {
  const { signal } = options;
  const { metadata, connection } = place.engine;
  const key = keyText(entry.row);
  let tally: Tally;
  try {
    tally = await tallyOf(metadata, entry, signal);
  } catch (error) {
    throw namingEntry(error, key);
  }
  const report = toReport(entry, tally, options.packs ? connection.backends : undefined);
  if (!options.sharing) return Object.freeze(report);
  const sharedBytes = await sharedBytesOf(place, entry, signal);
  return Object.freeze({ ...report, sharedBytes, ownBytes: report.uniqueBytes - sharedBytes });
}

async function tallyOf(metadata: Metadata, entry: OpenedEntry, signal: AbortSignal | undefined): Promise<Tally> {
  const tally = new Tally();
  const lookUp = async (kind: ItemKind, ids: readonly Uint8Array[]): Promise<void> => {
    if (ids.length === 0) return;
    for (const location of await metadata.locate(kind, concatBytes(ids), signal && { signal }))
      tally.add(kind, location);
  };
  for (const part of digestParts(entry.value.chunkCount)) {
    const seen = new DigestSet(Number.POSITIVE_INFINITY);
    const chunks = new Batch((ids) => lookUp('chunk', ids));
    const nodes = new Batch((ids) => lookUp('manifest', ids));
    const onNode = async (digest: Uint8Array): Promise<void> => {
      // The nodes are the same ones in every pass.
      if (part.part > 0) return;
      tally.manifestNodes += 1;
      await nodes.add(entry.ids.idOf('manifest', digest));
    };
    for await (const { digest, length } of chunksOf(entry, onNode, signal)) {
      if (!isInPart(digest, part) || !seen.add(digest)) continue;
      tally.distinctChunks += 1;
      tally.uniqueBytes += length;
      await chunks.add(entry.ids.idOf('chunk', digest));
    }
    await chunks.end();
    await nodes.end();
  }
  return tally;
}

/** The chunks of an entry; `onNode` is told of each manifest node outside of its row before it is read. */
function chunksOf(
  { value, reader }: OpenedEntry,
  onNode: (digest: Uint8Array) => Promise<void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ManifestChunk> {
  return readManifest(value, async (digest) => {
    await onNode(digest);
    return await reader.readNode(digest, signal);
  });
}

/** Gathers ids to be looked up together. */
class Batch {
  readonly #lookUp: (ids: readonly Uint8Array[]) => Promise<void>;
  #ids: Uint8Array[] = [];

  constructor(lookUp: (ids: readonly Uint8Array[]) => Promise<void>) {
    this.#lookUp = lookUp;
  }

  async add(id: Uint8Array): Promise<void> {
    this.#ids.push(id);
    if (this.#ids.length === LOOKUP_BATCH_CHUNKS) await this.end();
  }

  async end(): Promise<void> {
    const ids = this.#ids;
    this.#ids = [];
    await this.#lookUp(ids);
  }
}

function toReport(entry: OpenedEntry, tally: Tally, backends: BackendSet | undefined): EntryReport {
  const { value, row } = entry;
  const { distinctChunks, uniqueBytes, recordBytes, manifestNodes, pendingChunks } = tally;
  return {
    ...{ key: keyText(row), version: toHex(row.version), size: value.size, chunks: value.chunkCount },
    ...{ distinctChunks, uniqueBytes, manifestNodes, pendingChunks },
    savingsPercent: value.size === 0 ? 0 : 100 * (1 - uniqueBytes / value.size),
    recordBytes: Math.round(recordBytes),
    compressionRatio: recordBytes === 0 ? 0 : tally.plainBytes / recordBytes,
    manifestBytes: Math.round(tally.manifestBytes),
    storedBytes: Math.round(tally.storedBytes),
    missingItems: tally.missing,
    suspectItems: tally.suspect,
    packCount: tally.packs.size,
    ...(backends && { packs: Object.freeze(toPacks(tally, backends)) }),
  };
}

function toPacks({ packs }: Tally, backends: BackendSet): EntryPack[] {
  const sorted = [...packs.values()].toSorted((a, b) => a.row.number - b.row.number);
  return sorted.map(({ row, items, recordBytes, storedBytes }) =>
    Object.freeze({
      ...describePack(row, backends),
      entryItems: items,
      entryRecordBytes: Math.round(recordBytes),
      entryStoredBytes: Math.round(storedBytes),
    }),
  );
}
