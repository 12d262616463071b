/**
 * Speed of Reed-Solomon on one thread, as bytes of data a second: what is encoded, or what is restored when as many data
 * shards are lost as can be. Beside it klauspost/reedsolomon with one goroutine, in turns, on shards of the same size.
 */

import { spreadOf } from '../src/bench/spread.ts';
import { measure, rateOf, timed } from '../src/bench/timing.ts';
import { formatRedundancy, parseRedundancy, type Redundancy } from '../src/erasure/index.ts';
import { twinKernel } from '../src/erasure/kernel/gf-twin.ts';
import { gfKernel } from '../src/erasure/kernel/gf-wasm.ts';
import { createReedSolomonOver } from '../src/erasure/reed-solomon.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import { type CodingRequest, type KlauspostPeer, openKlauspost } from './erasure/klauspost.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import type { Cell, Report } from './harness/report.ts';

const REDUNDANCIES = ['2+1', '3+2', '5+4', '7+8', '10+4'].map(parseRedundancy);
/** Data coded in one try: long against the clock, short against the slices in which a busy machine gives time away. */
const TRY_BYTES = 8 * MIB;
/** The best of so many tries is a round of the comparison. */
const TRIES = 10;
const SAMPLE_BYTES = 64 * MIB;
const TWIN_SAMPLE_BYTES = 8 * MIB;
const SIZES = [4 * KIB, 64 * KIB, MIB, 8 * MIB];

function randomShards({ k, m }: Redundancy, bytes: number): Uint8Array[] {
  const seed = systemRandom(64 * KIB);
  return Array.from({ length: k + m }, (_, index) =>
    new Uint8Array(bytes).map((__, at) => seed[(at * (index + 1)) & 0xffff]! ^ (at >> 16)),
  );
}

/** Codes once a call. */
function coder({ operation, k, m, shardBytes }: Omit<CodingRequest, 'times'>, kernel = gfKernel()): () => void {
  const code = createReedSolomonOver({ k, m }, kernel);
  const shards = randomShards({ k, m }, shardBytes);
  code.encode(shards);
  const lost = Array.from({ length: Math.min(k, m) }, (_, index) => index);
  return operation === 'encode' ? () => code.encode(shards) : () => code.reconstruct(shards, lost);
}

function repeat(work: () => void, times: number): void {
  for (let time = 0; time < times; time += 1) work();
}

/** Decimal megabytes of data a second of both, and their quotient round by round. */
async function sideBySide(request: CodingRequest, peer: KlauspostPeer | undefined, rounds: number) {
  const run = coder(request);
  const ours: number[] = [];
  const theirs: number[] = [];
  // One after the other, not in turns: each would find the caches full of the other's shards.
  const best = async (once: () => Promise<number>): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let nth = 0; nth < TRIES; nth += 1) least = Math.min(least, await once());
    return least;
  };
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await best(async () => (await timed(() => repeat(run, request.times))).seconds));
    if (peer !== undefined) theirs.push(await best(() => peer.measure(request)));
  }
  const bytes = request.k * request.shardBytes * request.times;
  const rate = rateOf(bytes, spreadOf(ours));
  if (peer === undefined) return { rate };
  const ratio = spreadOf(theirs.map((seconds, round) => seconds / ours[round]!));
  return { rate, peerRate: rateOf(bytes, spreadOf(theirs)), ratio };
}

async function besideKlauspost({ rounds, scale, workFolder, say }: BenchContext): Promise<Report> {
  const peer = openKlauspost(workFolder, say);
  const rows = [];
  for (const { k, m } of REDUNDANCIES) {
    const times = Math.max(1, Math.round((TRY_BYTES * scale) / (k * MIB)));
    const row: Record<string, Cell> = { redundancy: formatRedundancy({ k, m }) };
    for (const operation of ['encode', 'reconstruct'] as const) {
      const { rate, peerRate, ratio } = await sideBySide({ operation, k, m, shardBytes: MIB, times }, peer, rounds);
      Object.assign(row, { [operation]: rate, [`${operation} peer`]: peerRate, [`${operation} ratio`]: ratio });
    }
    rows.push(row);
  }
  peer?.close();
  return {
    title: 'erasure: shards of 1 MiB, one thread',
    columns: [
      { key: 'redundancy', head: 'k+m' },
      { key: 'encode', head: 'encode', unit: 'MB/s' },
      { key: 'encode peer', head: 'klauspost', unit: 'MB/s' },
      { key: 'encode ratio', head: 'ratio', unit: 'x' },
      { key: 'reconstruct', head: 'reconstruct', unit: 'MB/s' },
      { key: 'reconstruct peer', head: 'klauspost', unit: 'MB/s' },
      { key: 'reconstruct ratio', head: 'ratio', unit: 'x' },
    ],
    rows,
    notes: [
      'bytes are those of the data shards; reconstructing restores min(k, m) of them; klauspost has one goroutine',
      `a round is the best of ${TRIES} tries of some milliseconds each; rounds are in turns`,
    ],
  };
}

async function sizes({ rounds, scale }: BenchContext): Promise<Report> {
  const rows = [];
  for (const kernel of [gfKernel(), twinKernel]) {
    for (const shardBytes of SIZES) {
      const sample = (kernel === twinKernel ? TWIN_SAMPLE_BYTES : SAMPLE_BYTES) * scale;
      const times = Math.max(1, Math.round(sample / (3 * shardBytes)));
      const encode = coder({ operation: 'encode', k: 3, m: 2, shardBytes }, kernel);
      const seconds = await measure(rounds, () => repeat(encode, times));
      const rate = rateOf(3 * shardBytes * times, seconds);
      rows.push({ kernel: kernel === twinKernel ? 'twin' : 'wasm', size: shardBytes / KIB, rate });
    }
  }
  return {
    title: 'erasure: encoding 3+2 by size of shard',
    columns: [
      { key: 'kernel', head: 'kernel' },
      { key: 'size', head: 'KiB a shard', unit: 'count' },
      { key: 'rate', head: 'rate', unit: 'MB/s' },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'erasure',
  about: 'speed of Reed-Solomon, beside klauspost/reedsolomon where Go has it',
  run: async (context) => [await besideKlauspost(context), await sizes(context)],
};
