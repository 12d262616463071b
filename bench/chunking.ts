/**
 * Throughput of the chunkers on random content: the scan loops alone (64 KiB at a time, no byte fires) and whole
 * chunkers with all their copies, fed 1 MiB and 64 KiB a push; then the cost of one 4 KiB content.
 *
 * Run: node bench/chunking.ts [MiB, default 256] [runs, default 5]
 */
import { randomFillSync } from 'node:crypto';
import { createChunkerOver } from '../src/chunking/chunker.ts';
import { gearTable } from '../src/chunking/gear-table.ts';
import type { ScanKernel } from '../src/chunking/kernel/scan-kernel.ts';
import { twinKernel } from '../src/chunking/kernel/scan-twin.ts';
import { wasmKernel } from '../src/chunking/kernel/scan-wasm.ts';
import { CHUNKING_PROFILES } from '../src/chunking/profiles.ts';
import type { ChunkingSpec } from '../src/chunking/spec.ts';
import { KIB, MIB } from '../src/limits.ts';

const contentBytes = Number(process.argv[2] ?? 256) * MIB;
const runs = Number(process.argv[3] ?? 5);
const content = new Uint8Array(contentBytes);
for (let start = 0; start < contentBytes; start += 64 * MIB) {
  randomFillSync(content, start, Math.min(64 * MIB, contentBytes - start));
}

function medianSeconds(work: () => void): number {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    work();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds.sort((a, b) => a - b)[runs >> 1]!;
}

function row(name: string, bytes: number, work: () => void): void {
  process.stdout.write(`${name.padEnd(44)} ${(bytes / medianSeconds(work) / 1e9).toFixed(2).padStart(6)} GB/s\n`);
}

function forEachPart(bytes: number, partBytes: number, take: (part: Uint8Array) => void): void {
  for (let start = 0; start < bytes; start += partBytes)
    take(content.subarray(start, Math.min(bytes, start + partBytes)));
}

function scans(name: string, kernel: ScanKernel, bytes: number): void {
  // Masks that hardly ever fire: what is measured is rolling and testing.
  const gear = { table: gearTable(0n), maskHi: 0xffffffff, maskLo: 0xfffff000, hashHi: 0, hashLo: 0 };
  row(`scan alone: gear, ${name}`, bytes, () => forEachPart(bytes, 64 * KIB, (part) => kernel.gear(part, gear)));
  const buzhash = { mask: 0xffffffff, history: new Uint8Array(32), state: 0 };
  row(`scan alone: buzhash, ${name}`, bytes, () =>
    forEachPart(bytes, 64 * KIB, (part) => kernel.buzhash(part, buzhash)),
  );
}

function chunkers(name: string, spec: ChunkingSpec, kernel: ScanKernel): void {
  const bytes = kernel === twinKernel ? contentBytes / 4 : contentBytes;
  for (const pushBytes of [MIB, 64 * KIB]) {
    row(`chunker: ${name}, ${pushBytes / KIB} KiB pushes`, bytes, () => {
      const chunker = createChunkerOver(spec, kernel);
      forEachPart(bytes, pushBytes, (part) => chunker.push(part));
      chunker.finish();
    });
  }
}

process.stdout.write(`${contentBytes / MIB} MiB of random content, median of ${runs} runs, Node ${process.version}\n`);
scans('wasm', wasmKernel(), contentBytes);
scans('twin', twinKernel, contentBytes / 4);
chunkers('fastcdc 16/64/256 KiB', CHUNKING_PROFILES.default, wasmKernel());
chunkers('fastcdc 256/4096/8192 KiB', CHUNKING_PROFILES.chunkstore, wasmKernel());
chunkers('buzhash 128/512 KiB', CHUNKING_PROFILES.buzhash, wasmKernel());
chunkers('fixed 64 KiB', { kind: 'fixed', bytes: 64 * KIB }, wasmKernel());
chunkers('fixed 4 MiB', CHUNKING_PROFILES['fixed-4m'], wasmKernel());
chunkers('fastcdc 16/64/256 KiB, twin', CHUNKING_PROFILES.default, twinKernel);

const small = content.subarray(0, 4 * KIB);
const smallCount = 100_000;
const seconds = medianSeconds(() => {
  for (let index = 0; index < smallCount; index += 1) {
    const chunker = createChunkerOver(CHUNKING_PROFILES.default, wasmKernel());
    chunker.push(small);
    chunker.finish();
  }
});
process.stdout.write(`one 4 KiB content: ${((seconds / smallCount) * 1e6).toFixed(2)} µs\n`);
