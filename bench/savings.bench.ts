/** Per cent saved by deduplication on chunkstore's workloads and on real data, beside what is expected. */
import { createReadStream } from 'node:fs';
import { CHUNKING_PROFILES, type ChunkingProfile, type ChunkingSpec, createChunker } from '../src/chunking/index.ts';
import { blake3 } from '../src/hash/index.ts';
import { MIB } from '../src/limits.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Report } from './harness/report.ts';
import { WORKLOADS } from './savings/workloads.ts';

const PROFILES: readonly ChunkingProfile[] = ['fixed-4m', 'chunkstore', 'default'];
const CORPORA = ['typescript.tar', 'linux.tar', 'random.bin'];

/** Counts plain bytes and plain bytes of distinct chunks, for one chunking. */
class SavingsCounter {
  readonly #spec: ChunkingSpec;
  readonly #seen = new Set<string>();
  #total = 0;
  #unique = 0;

  constructor(spec: ChunkingSpec) {
    this.#spec = spec;
  }

  async add(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const chunker = createChunker(this.#spec);
    for await (const bytes of content) this.#count(chunker.push(bytes));
    this.#count(chunker.finish());
  }

  #count(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#total += chunk.length;
      const id = Buffer.from(blake3(chunk)).toString('latin1');
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      this.#unique += chunk.length;
    }
  }

  get percent(): number {
    return this.#total === 0 ? 0 : 100 * (1 - this.#unique / this.#total);
  }
}

async function measureWorkloads({ say }: BenchContext): Promise<Report['rows']> {
  const rows: Report['rows'][number][] = [];
  for (const { name, expected, contents } of WORKLOADS) {
    const counters = PROFILES.map((profile) => new SavingsCounter(CHUNKING_PROFILES[profile]));
    for (const content of contents()) {
      for (const counter of counters) await counter.add([content]);
    }
    PROFILES.forEach((profile, index) => {
      rows.push({ workload: name, profile, saved: counters[index]!.percent, expected: expected[profile] });
    });
    say(`  ${name}`);
  }
  return rows;
}

async function measureCorpora({ corpus, say }: BenchContext): Promise<Report['rows']> {
  const rows: Report['rows'][number][] = [];
  for (const name of CORPORA) {
    const file = corpus(name);
    if (file === undefined) continue;
    for (const profile of PROFILES) {
      const counter = new SavingsCounter(CHUNKING_PROFILES[profile]);
      await counter.add(createReadStream(file, { highWaterMark: 4 * MIB }) as AsyncIterable<Uint8Array>);
      rows.push({ workload: name, profile, saved: counter.percent, expected: undefined });
    }
    say(`  ${name}`);
  }
  return rows;
}

export const bench: Bench = {
  name: 'savings',
  about: 'per cent saved by deduplication, beside what chunkstore publishes',
  async run(context) {
    const columns = [
      { key: 'workload', head: 'workload' },
      { key: 'profile', head: 'chunking' },
      { key: 'saved', head: 'saved', unit: '%' },
      { key: 'expected', head: 'expected', unit: '%' },
    ] as const;
    return [
      { title: 'savings: synthetic workloads', columns, rows: await measureWorkloads(context) },
      { title: 'savings: real data', columns: columns.slice(0, 3), rows: await measureCorpora(context) },
    ];
  },
};
