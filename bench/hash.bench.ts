/** Speed of the digests on one thread, by length of the input; for the shortest also what a call costs. */

import { type Spread, spreadOf } from '../src/bench/spread.ts';
import { measure, rateOf } from '../src/bench/timing.ts';
import { blake3Keyed, createHasher, DIGEST_ALGORITHMS, type DigestAlgorithm, digestOf } from '../src/hash/index.ts';
import { KIB, MIB } from '../src/limits.ts';
import type { Bench } from './harness/bench.ts';

const ROUND_BYTES = 32 * MIB;
const ROUND_CALLS_MAX = 20_000;
const SIZES = [64, 4 * KIB, 64 * KIB, MIB, 16 * MIB];

type Hash = (bytes: Uint8Array) => unknown;

function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 2_654_435_761) >>> 24);
}

async function rowOf(what: string, hash: Hash, rounds: number) {
  const row: Record<string, string | Spread> = { what };
  for (const size of SIZES) {
    const bytes = pattern(size);
    const calls = Math.min(ROUND_CALLS_MAX, Math.ceil(ROUND_BYTES / size));
    const seconds = await measure(rounds, () => {
      for (let call = 0; call < calls; call += 1) hash(bytes);
    });
    row[size] = rateOf(calls * size, seconds);
    if (size === SIZES[0]) row.call = spreadOf(seconds.samples.map((sample) => (sample / calls) * 1e6));
  }
  return row;
}

function headOf(size: number): string {
  if (size >= MIB) return `${size / MIB} MiB`;
  return size >= KIB ? `${size / KIB} KiB` : `${size} B`;
}

export const bench: Bench = {
  name: 'hash',
  about: 'speed of the digests by length of the input',
  async run({ rounds }) {
    const key = pattern(32);
    const hashes: readonly (readonly [string, Hash])[] = [
      ...(Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[]).map(
        (algorithm) => [algorithm, (bytes: Uint8Array) => digestOf(algorithm, bytes)] as const,
      ),
      ['blake3, keyed', (bytes) => blake3Keyed(key, bytes)],
      ['blake3, streaming', (bytes) => createHasher('blake3').update(bytes).digest()],
    ];
    const rows = [];
    for (const [what, hash] of hashes) rows.push(await rowOf(what, hash, rounds));
    const sizes = SIZES.map((size) => ({ key: String(size), head: headOf(size), unit: 'MB/s' as const }));
    return [
      {
        title: 'hash: one thread',
        columns: [{ key: 'what', head: 'digest' }, ...sizes, { key: 'call', head: `${SIZES[0]} B`, unit: 'us' }],
        rows,
      },
    ];
  },
};
