/**
 * Speed of the chunkers on one thread: the scan loops alone (no byte fires), then whole chunkers with all their copies,
 * fed 1 MiB and 64 KiB a push, then the cost of one small content. `twin` is the TypeScript oracle of the WASM kernel.
 */

import { spreadOf } from '../src/bench/spread.ts';
import { measure, rateOf } from '../src/bench/timing.ts';
import { createChunkerOver } from '../src/chunking/chunker.ts';
import { gearTable } from '../src/chunking/gear-table.ts';
import { CHUNKING_PROFILES, type ChunkingSpec, formatChunking } from '../src/chunking/index.ts';
import type { ScanKernel } from '../src/chunking/kernel/scan-kernel.ts';
import { twinKernel } from '../src/chunking/kernel/scan-twin.ts';
import { wasmKernel } from '../src/chunking/kernel/scan-wasm.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import type { Bench } from './harness/bench.ts';
import type { Report } from './harness/report.ts';

const CONTENT_BYTES = 128 * MIB;
const TWIN_BYTES = 32 * MIB;
const PUSHES = [MIB, 64 * KIB];
const SMALL_BYTES = 4 * KIB;
const SMALL_COUNT = 20_000;
const KERNELS: readonly (readonly [string, ScanKernel])[] = [
  ['wasm', wasmKernel()],
  ['twin', twinKernel],
];
const SPECS: readonly ChunkingSpec[] = [
  CHUNKING_PROFILES.default,
  CHUNKING_PROFILES.chunkstore,
  CHUNKING_PROFILES.buzhash,
  { kind: 'fixed', bytes: 64 * KIB },
  CHUNKING_PROFILES['fixed-4m'],
];

interface Row {
  readonly what: string;
  readonly kernel: string;
  readonly pushBytes: number;
  readonly content: Uint8Array;
  work(part: Uint8Array): void;
  start?(): void;
  end?(): void;
}

function scanRows(kernelName: string, kernel: ScanKernel, content: Uint8Array): readonly Row[] {
  // Masks that hardly ever fire: what is measured is rolling and testing.
  const gear = { table: gearTable(0n), maskHi: 0xffffffff, maskLo: 0xfffff000, hashHi: 0, hashLo: 0 };
  const buzhash = { mask: 0xffffffff, history: new Uint8Array(32), state: 0 };
  const shape = { kernel: kernelName, pushBytes: 64 * KIB, content };
  return [
    { ...shape, what: 'scan alone: gear', work: (part) => kernel.gear(part, gear) },
    { ...shape, what: 'scan alone: buzhash', work: (part) => kernel.buzhash(part, buzhash) },
  ];
}

function chunkerRows(kernelName: string, kernel: ScanKernel, content: Uint8Array): readonly Row[] {
  const specs = kernel === twinKernel ? SPECS.slice(0, 1) : SPECS;
  return specs.flatMap((spec) =>
    PUSHES.map((pushBytes) => {
      let chunker = createChunkerOver(spec, kernel);
      return {
        what: `chunker ${formatChunking(spec)}`,
        kernel: kernelName,
        pushBytes,
        content,
        start: () => {
          chunker = createChunkerOver(spec, kernel);
        },
        work: (part: Uint8Array) => chunker.push(part),
        end: () => chunker.finish(),
      };
    }),
  );
}

async function measureRow({ what, kernel, pushBytes, content, work, start, end }: Row, rounds: number) {
  const seconds = await measure(rounds, () => {
    start?.();
    for (let from = 0; from < content.length; from += pushBytes) work(content.subarray(from, from + pushBytes));
    end?.();
  });
  return { what, kernel, push: pushBytes / KIB, rate: rateOf(content.length, seconds) };
}

async function throughput(rounds: number): Promise<Report> {
  const content = new Uint8Array(CONTENT_BYTES);
  for (let from = 0; from < CONTENT_BYTES; from += MIB) content.set(systemRandom(MIB), from);
  const rows = KERNELS.flatMap(([name, kernel]) => {
    const bytes = content.subarray(0, kernel === twinKernel ? TWIN_BYTES : CONTENT_BYTES);
    return [...scanRows(name, kernel, bytes), ...chunkerRows(name, kernel, bytes)];
  });
  const measured = [];
  for (const row of rows) measured.push(await measureRow(row, rounds));
  return {
    title: 'chunking: random content, one thread',
    columns: [
      { key: 'what', head: 'what' },
      { key: 'kernel', head: 'kernel' },
      { key: 'push', head: 'KiB a push', unit: 'count' },
      { key: 'rate', head: 'rate', unit: 'MB/s' },
    ],
    rows: measured,
  };
}

async function smallContent(rounds: number): Promise<Report> {
  const content = systemRandom(SMALL_BYTES);
  const seconds = await measure(rounds, () => {
    for (let nth = 0; nth < SMALL_COUNT; nth += 1) {
      const chunker = createChunkerOver(CHUNKING_PROFILES.default, wasmKernel());
      chunker.push(content);
      chunker.finish();
    }
  });
  return {
    title: 'chunking: one content of 4 KiB, default profile',
    columns: [{ key: 'call', head: 'a content', unit: 'us' }],
    rows: [{ call: spreadOf(seconds.samples.map((sample) => (sample / SMALL_COUNT) * 1e6)) }],
  };
}

export const bench: Bench = {
  name: 'chunking',
  about: 'speed of the chunkers and their kernels',
  async run({ rounds }) {
    return [await throughput(rounds), await smallContent(rounds)];
  },
};
