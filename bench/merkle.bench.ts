/** Speed of Merkle trees and their proofs on one thread: over chunks whose digests are given, and over data. */

import { spreadOf } from '../src/bench/spread.ts';
import { measure } from '../src/bench/timing.ts';
import { type DigestAlgorithm, digestOf, formatDigest } from '../src/hash/index.ts';
import { KIB, MIB } from '../src/limits.ts';
import {
  createMerkleBuilder,
  createRangeProver,
  createRootHasher,
  createShardTree,
  verifyInclusion,
  verifyRangeProof,
} from '../src/merkle/index.ts';
import type { Bench } from './harness/bench.ts';

const LEAVES = 50_000;
const CHUNK_BYTES = 64 * KIB;
const DATA_BYTES = 64 * MIB;
/** Proofs verified in one sample. */
const VERIFICATIONS = 200;
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

/** A proof of one chunk in the middle, and the root it is good for. */
function chunkProof(algorithm: DigestAlgorithm) {
  const digest = digestOf(algorithm, new Uint8Array(32));
  const builder = createMerkleBuilder(algorithm);
  const totalLength = LEAVES * CHUNK_BYTES;
  const range = { offset: totalLength / 2, length: 4 * KIB };
  const prover = createRangeProver({ totalLength, leafCount: LEAVES, range, algorithm });
  for (let leaf = 0; leaf < LEAVES; leaf += 1) {
    builder.addLeaf(leaf * CHUNK_BYTES, CHUNK_BYTES, digest);
    prover.addChunk(CHUNK_BYTES, digest);
  }
  return { text: JSON.stringify(prover.finish()), root: formatDigest(algorithm, builder.root(totalLength)) };
}

async function proofRowOf(algorithm: DigestAlgorithm, rounds: number) {
  const data = new Uint8Array(DATA_BYTES).fill(7);
  const hashed = await measure(rounds, () => createRootHasher({ algorithm }).update(data).finish());
  const leaves = Array.from({ length: LEAVES }, (_, index) => new Uint8Array(new Uint32Array([index]).buffer));
  const tree = createShardTree(leaves, { algorithm });
  const [inclusion, treeRoot, leaf] = [JSON.stringify(tree.proveInclusion(9)), tree.root(), leaves[9] as Uint8Array];
  const included = await measure(rounds, () => {
    for (let turn = 0; turn < VERIFICATIONS; turn += 1) verifyInclusion(inclusion, treeRoot, leaf);
  });
  const { text, root } = chunkProof(algorithm);
  const ranged = await measure(rounds, () => {
    for (let turn = 0; turn < VERIFICATIONS; turn += 1) verifyRangeProof(text, root);
  });
  const micros = (sample: number) => (sample / VERIFICATIONS) * 1e6;
  return {
    algorithm,
    data: spreadOf(hashed.samples.map((sample) => DATA_BYTES / 1e6 / sample)),
    inclusion: spreadOf(included.samples.map(micros)),
    range: spreadOf(ranged.samples.map(micros)),
    bytes: text.length,
  };
}

export const bench: Bench = {
  name: 'merkle',
  about: 'speed of Merkle trees and proofs',
  async run({ rounds }) {
    const rows = [];
    const proofRows = [];
    for (const algorithm of ALGORITHMS) {
      rows.push(await rowOf(algorithm, rounds));
      proofRows.push(await proofRowOf(algorithm, rounds));
    }
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
      {
        title: `merkle: data in leaves of 64 KiB, and JSON proofs in trees of ${LEAVES.toLocaleString('en')} leaves`,
        columns: [
          { key: 'algorithm', head: 'digest' },
          { key: 'data', head: 'root over a stream', unit: 'MB/s' },
          { key: 'inclusion', head: 'read and verify one leaf', unit: 'us' },
          { key: 'range', head: 'read and verify a range in one chunk', unit: 'us' },
          { key: 'bytes', head: 'bytes of that proof' },
        ],
        rows: proofRows,
      },
    ];
  },
};
