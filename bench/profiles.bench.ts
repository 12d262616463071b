/**
 * What each chunking setting saves and costs, on the bricks alone: cut, hash, keep each chunk once, compress what is new
 * in records of up to 1 MiB. The default profile was chosen by this table.
 */
import { createReadStream } from 'node:fs';
import { timed } from '../src/bench/timing.ts';
import { type ChunkingSpec, createChunker, type FastCdcSpec, formatChunking } from '../src/chunking/index.ts';
import { compress } from '../src/compress/index.ts';
import { blake3 } from '../src/hash/index.ts';
import { KIB, MIB, RECORD_PLAIN_BYTES_TARGET } from '../src/limits.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Report } from './harness/report.ts';

const CORPORA = ['typescript.tar', 'linux.tar', 'random.bin'];
const READ_BYTES = 4 * MIB;
/** What a chunk costs in its manifest: a digest and a length. */
const MANIFEST_BYTES_PER_CHUNK = 36;
/** What a kept chunk costs besides: 90 bytes of a row in a filled B-tree, an id and a length in the pack directory. */
const METADATA_BYTES_PER_UNIQUE_CHUNK = 126;
/** libuv's pool has four threads. */
const COMPRESSIONS_AT_ONCE = 4;

function fastcdc(avg: number, shape: Partial<Pick<FastCdcSpec, 'min' | 'max' | 'normalisation'>> = {}): FastCdcSpec {
  return { kind: 'fastcdc', min: avg / 4, avg, max: avg * 4, normalisation: 2, seed: 0n, ...shape };
}

/** Sizes around `avg`, then what moves when only one part of the shape does. */
const CANDIDATES: readonly ChunkingSpec[] = [
  ...[16, 32, 64, 128, 256, 512, 1024].map((kib) => fastcdc(kib * KIB)),
  ...[32, 64].flatMap((kib) => [
    fastcdc(kib * KIB, { min: (kib * KIB) / 2 }),
    fastcdc(kib * KIB, { min: (kib * KIB) / 8, max: kib * KIB * 8 }),
    fastcdc(kib * KIB, { normalisation: 1 }),
    fastcdc(kib * KIB, { normalisation: 3 }),
  ]),
];

interface Tally {
  chunks: number;
  uniqueChunks: number;
  uniqueBytes: number;
  storedBytes: number;
  totalBytes: number;
}

/** Keeps chunks once and compresses the new ones in groups, several at a time. */
class Grouper {
  readonly tally: Tally = { chunks: 0, uniqueChunks: 0, uniqueBytes: 0, storedBytes: 0, totalBytes: 0 };
  readonly #seen = new Set<string>();
  #group: Uint8Array[] = [];
  #groupBytes = 0;
  readonly #running = new Set<Promise<void>>();

  async add(chunk: Uint8Array): Promise<void> {
    this.tally.chunks += 1;
    this.tally.totalBytes += chunk.length;
    const id = Buffer.from(blake3(chunk)).toString('latin1');
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.tally.uniqueChunks += 1;
    this.tally.uniqueBytes += chunk.length;
    if (this.#groupBytes > 0 && this.#groupBytes + chunk.length > RECORD_PLAIN_BYTES_TARGET) await this.#close();
    this.#group.push(chunk);
    this.#groupBytes += chunk.length;
  }

  async #close(): Promise<void> {
    const record = Buffer.concat(this.#group);
    this.#group = [];
    this.#groupBytes = 0;
    if (record.length === 0) return;
    if (this.#running.size >= COMPRESSIONS_AT_ONCE) await Promise.race(this.#running);
    const job = compress(record).then(({ bytes }) => {
      this.tally.storedBytes += bytes.length;
      this.#running.delete(job);
    });
    this.#running.add(job);
  }

  async finish(): Promise<Tally> {
    await this.#close();
    await Promise.all(this.#running);
    return this.tally;
  }
}

async function ingest(file: string, spec: ChunkingSpec): Promise<Tally> {
  const chunker = createChunker(spec);
  const grouper = new Grouper();
  for await (const bytes of createReadStream(file, { highWaterMark: READ_BYTES }) as AsyncIterable<Uint8Array>) {
    for (const chunk of chunker.push(bytes)) await grouper.add(chunk);
  }
  for (const chunk of chunker.finish()) await grouper.add(chunk);
  return grouper.finish();
}

async function runCorpus(file: string, name: string, context: BenchContext): Promise<Report> {
  const rows: Report['rows'][number][] = [];
  for (const spec of CANDIDATES) {
    const before = process.cpuUsage();
    const { seconds, value: tally } = await timed(() => ingest(file, spec));
    const { user, system } = process.cpuUsage(before);
    const metadataBytes =
      tally.chunks * MANIFEST_BYTES_PER_CHUNK + tally.uniqueChunks * METADATA_BYTES_PER_UNIQUE_CHUNK;
    rows.push({
      spec: formatChunking(spec),
      chunks: tally.chunks,
      unique: tally.uniqueChunks,
      uniqueBytes: tally.uniqueBytes,
      storedBytes: tally.storedBytes,
      allBytes: tally.storedBytes + metadataBytes,
      saved: 100 * (1 - tally.uniqueBytes / tally.totalBytes),
      rate: tally.totalBytes / 1e6 / seconds,
      processor: (user + system) / 1e6,
    });
    context.say(
      `  ${name} ${formatChunking(spec)}: ${(tally.storedBytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`,
    );
  }
  return {
    title: `profiles: ${name}, one run each`,
    columns: [
      { key: 'spec', head: 'chunking' },
      { key: 'chunks', head: 'chunks', unit: 'count' },
      { key: 'unique', head: 'unique', unit: 'count' },
      { key: 'uniqueBytes', head: 'unique', unit: 'MB' },
      { key: 'saved', head: 'saved', unit: '%' },
      { key: 'storedBytes', head: 'stored', unit: 'MB' },
      { key: 'allBytes', head: 'stored + metadata', unit: 'MB' },
      { key: 'rate', head: 'rate', unit: 'MB/s' },
      { key: 'processor', head: 'processor', unit: 's' },
    ],
    rows,
    notes: [
      `metadata is taken as ${MANIFEST_BYTES_PER_CHUNK} bytes a chunk and ${METADATA_BYTES_PER_UNIQUE_CHUNK} more a kept one; rate is read, cut, hash, look up in memory and compress`,
    ],
  };
}

export const bench: Bench = {
  name: 'profiles',
  about: 'what each chunking setting saves and costs on real data',
  async run(context) {
    const reports: Report[] = [];
    for (const name of CORPORA) {
      const file = context.corpus(name);
      if (file !== undefined) reports.push(await runCorpus(file, name, context));
    }
    return reports;
  },
};
