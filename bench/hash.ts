/**
 * Speed of the digests and of the Merkle tree on one thread. Run: node bench/hash.ts
 * Prints medians: MB/s over inputs of several sizes, microseconds a call for the smallest, leaves a second for the tree.
 */

import { blake3Keyed, createHasher, DIGEST_ALGORITHMS, type DigestAlgorithm, digestOf } from '../src/hash/index.ts';
import { createMerkleBuilder, type MerkleAlgorithm } from '../src/merkle/index.ts';

const ROUNDS = 9;
const ROUND_BYTES = 32 * 2 ** 20;
const ROUND_CALLS_MAX = 20_000;
const SIZES = [64, 4096, 65_536, 2 ** 20, 16 * 2 ** 20];
const LEAVES = 50_000;

const line = (...columns: readonly string[]): void => console.log(columns.map((text) => text.padEnd(18)).join(''));

/** Median seconds of a call, over rounds of `calls`, after one round to warm up. */
function medianSeconds(calls: number, call: () => void): number {
  const seconds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const start = performance.now();
    for (let index = 0; index < calls; index += 1) call();
    if (round > 0) seconds.push((performance.now() - start) / 1000 / calls);
  }
  return seconds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

function speeds(hash: (bytes: Uint8Array) => unknown): string[] {
  return SIZES.map((size) => {
    const bytes = new Uint8Array(size).map((_, index) => (index * 2_654_435_761) >>> 24);
    const calls = Math.min(ROUND_CALLS_MAX, Math.ceil(ROUND_BYTES / size));
    const seconds = medianSeconds(calls, () => hash(bytes));
    const speed = `${(size / seconds / 1e6).toFixed(0)} MB/s`;
    return size === SIZES[0] ? `${speed} ${(seconds * 1e6).toFixed(2)} µs` : speed;
  });
}

const key = new Uint8Array(32).fill(7);
line('one-shot', ...SIZES.map((size) => (size < 2 ** 20 ? `${size} B` : `${size / 2 ** 20} MiB`)));
for (const algorithm of Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[]) {
  line(algorithm, ...speeds((bytes) => digestOf(algorithm, bytes)));
}
line('blake3 keyed', ...speeds((bytes) => blake3Keyed(key, bytes)));
line('blake3 streamed', ...speeds((bytes) => createHasher('blake3').update(bytes).digest()));

for (const algorithm of ['blake3', 'sha256'] satisfies MerkleAlgorithm[]) {
  const digest = digestOf(algorithm, key);
  const seconds = medianSeconds(1, () => {
    const builder = createMerkleBuilder(algorithm);
    for (let index = 0; index < LEAVES; index += 1) builder.addLeaf(index * 65_536, 65_536, digest);
    builder.root(LEAVES * 65_536);
  });
  line(`merkle ${algorithm}`, `${(LEAVES / seconds / 1000).toFixed(0)}k leaves/s`);
}
