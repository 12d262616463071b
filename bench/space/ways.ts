/** Ways to compress the distinct chunks of some content, of which a store has the first alone. */
import zlib from 'node:zlib';
import { KIB, MIB } from '../../src/limits.ts';

/** How chunks become frames. */
export interface Way {
  /** zstd level; below 0 they are faster than 1. */
  readonly level: number;
  readonly recordBytes: number;
  /** `similar`: those with like content next to each other; `content`: as they come. */
  readonly order: 'content' | 'similar';
  /** Bytes of a dictionary of samples, counted as stored once; none where absent. */
  readonly dictionaryBytes?: number;
}

const asItIs: Way = { level: 1, recordBytes: MIB, order: 'content' };

export const WAYS: readonly Way[] = [
  asItIs,
  // Not -1: Node takes it for no level given.
  ...[-5, -2, 3].map((level): Way => ({ ...asItIs, level })),
  ...[4, 16].map((mib): Way => ({ ...asItIs, level: 3, recordBytes: mib * MIB })),
  { ...asItIs, order: 'similar' },
  { ...asItIs, order: 'similar', level: 3 },
  { ...asItIs, dictionaryBytes: 112 * KIB },
  { ...asItIs, recordBytes: 64 * KIB },
  { ...asItIs, recordBytes: 64 * KIB, dictionaryBytes: 112 * KIB },
];

export function describeWay({ level, recordBytes, order, dictionaryBytes }: Way): string {
  const size = recordBytes >= MIB ? `${recordBytes / MIB} MiB` : `${recordBytes / KIB} KiB`;
  const dictionary = dictionaryBytes === undefined ? '' : `, dictionary of ${dictionaryBytes / KIB} KiB`;
  return `level ${level}, records of ${size}${order === 'similar' ? ', similar chunks together' : ''}${dictionary}`;
}

const WINDOW = 8;

/** A feature of what a chunk is like: the least hash of its short windows, equal for chunks that share much. */
export function likeness(chunk: Uint8Array): number {
  let least = 0xffffffff;
  for (let at = 0; at + WINDOW <= chunk.length; at += 1) {
    let hash = 0x811c9dc5;
    for (let offset = 0; offset < WINDOW; offset += 1) hash = Math.imul(hash ^ chunk[at + offset]!, 0x01000193);
    // The low bits of that product are poor.
    least = Math.min(least, Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0);
  }
  return least;
}

/** Chunks in groups of at least a record's size, but for the last. */
export function recordsOf(chunks: readonly Uint8Array[], recordBytes: number): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    group.push(chunk);
    bytes += chunk.length;
    if (bytes >= recordBytes) {
      records.push(Buffer.concat(group));
      [group, bytes] = [[], 0];
    }
  }
  if (bytes > 0) records.push(Buffer.concat(group));
  return records;
}

/** The beginnings of chunks from all over, as a dictionary of raw content: Node has no training. */
function dictionaryOf(chunks: readonly Uint8Array[], bytes: number): Buffer {
  const each = 2 * KIB;
  const step = Math.max(1, Math.floor((chunks.length * each) / bytes));
  const samples = chunks.filter((_, at) => at % step === 0).map((chunk) => chunk.subarray(0, each));
  return Buffer.concat(samples).subarray(0, bytes);
}

/** @returns bytes of all frames, dictionary included, and what making them took */
export function tryWay(way: Way, chunks: readonly Uint8Array[]) {
  const before = process.cpuUsage();
  const ordered =
    way.order === 'content'
      ? chunks
      : chunks
          .map((chunk) => ({ chunk, like: likeness(chunk) }))
          .sort((a, b) => a.like - b.like)
          .map(({ chunk }) => chunk);
  const dictionary = way.dictionaryBytes === undefined ? undefined : dictionaryOf(chunks, way.dictionaryBytes);
  const options = {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: way.level },
    ...(dictionary && { dictionary }),
  };
  let storedBytes = dictionary?.length ?? 0;
  for (const record of recordsOf(ordered, way.recordBytes))
    storedBytes += zlib.zstdCompressSync(record, options).length;
  const { user, system } = process.cpuUsage(before);
  return { storedBytes, processorSeconds: (user + system) / 1e6 };
}
