/** Speed of the Merkle tree over chunks on one thread, digests of the chunks given. */
import { type DigestAlgorithm, digestOf } from '../src/hash/index.ts';
import { KIB } from '../src/limits.ts';
import { createMerkleBuilder } from '../src/merkle/index.ts';
import type { Bench } from './harness/bench.ts';
import { spreadOf } from './harness/report.ts';
import { measure } from './harness/timing.ts';

const LEAVES = 50_000;
const CHUNK_BYTES = 64 * KIB;
const ALGORITHMS: readonly DigestAlgorithm[] = ['blake3', 'sha256'];

async function rowOf(algorithm: DigestAlgorithm, rounds: number) {
  const digest = digestOf(algorithm, new Uint8Array(32));
  const seconds = await measure(rounds, () => {
    const builder = createMerkleBuilder(algorithm);
    for (let leaf = 0; leaf < LEAVES; leaf += 1) builder.addLeaf(leaf * CHUNK_BYTES, CHUNK_BYTES, digest);
    builder.root(LEAVES * CHUNK_BYTES);
  });
  return {
    algorithm,
    leaf: spreadOf(seconds.samples.map((sample) => (sample / LEAVES) * 1e6)),
    rate: spreadOf(seconds.samples.map((sample) => (LEAVES * CHUNK_BYTES) / 1e6 / sample)),
  };
}

export const bench: Bench = {
  name: 'merkle',
  about: 'speed of the Merkle tree over chunks',
  async run({ rounds }) {
    const rows = [];
    for (const algorithm of ALGORITHMS) rows.push(await rowOf(algorithm, rounds));
    return [
      {
        title: `merkle: a root over ${LEAVES.toLocaleString('en')} chunks, one thread`,
        columns: [
          { key: 'algorithm', head: 'digest' },
          { key: 'leaf', head: 'a leaf', unit: 'us' },
          { key: 'rate', head: 'content covered, 64 KiB chunks', unit: 'MB/s' },
        ],
        rows,
      },
    ];
  },
};
