/** Proofs, challenges and trees as documents: what is proven with a root is what the root was made of, or nothing. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes, utf8Decode, utf8Encode } from '../../../src/bytes/bytes.ts';
import { blake3, formatDigest } from '../../../src/hash/index.ts';
import {
  challengedLeaf,
  createChallenge,
  createDataTree,
  merkleRoot,
  parseChallenge,
  parseChallengeResponse,
  parseConsistencyProof,
  parseInclusionProof,
  parseMerkleTree,
  parseRangeProof,
  proveRange,
  respond,
  verifyConsistency,
  verifyInclusion,
  verifyRangeData,
  verifyRangeProof,
  verifyResponse,
} from '../../../src/merkle/index.ts';
import { seededRandom } from '../../../src/testing/seeded-random.ts';
import { patternBytes } from '../../support/format-samples.ts';
import { mustHold, mustMean } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputParts, partAt, partMutations, partsInput } from '../mutations/parts.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';

const ERRORS = ['PROOF_INVALID', 'DIGEST_INVALID', 'FORMAT_UNSUPPORTED'] as const;

function newerDocument(sample: Uint8Array): Uint8Array {
  return utf8Encode(utf8Decode(sample).replace('"version":1', '"version":2'));
}

/** The first part of several is a document. */
function newerFirstPart(sample: Uint8Array): Uint8Array {
  const [first, ...rest] = inputParts(sample);
  return partsInput([newerDocument(first ?? new Uint8Array(0)), ...rest]);
}

function json(value: unknown): Uint8Array {
  return utf8Encode(JSON.stringify(value));
}

/** Documents as texts, with the roots and data that they are checked with: one of the samples was proven, or nothing. */
function mustBeSample(samples: readonly Uint8Array[], input: Uint8Array, parse: (document: string) => unknown): void {
  const [document, ...rest] = inputParts(input);
  const meaning = parse(inputText(document ?? new Uint8Array(0)));
  const isSample = samples.some((sample) => {
    const [known, ...others] = inputParts(sample);
    const isAlike = others.every((part, index) => equalBytes(part, partAt(rest, index)));
    return (
      isAlike &&
      isDeepStrictEqual(JSON.stringify(parse(inputText(known ?? new Uint8Array(0)))), JSON.stringify(meaning))
    );
  });
  mustHold(isSample, 'something is proven that nobody made a proof of');
}

const DATA = patternBytes(100, 4);
const TREES = [1, 5, 8].map((leaves) => createDataTree(DATA.subarray(0, 10 * leaves), { leafBytes: 10 }));

const INCLUSIONS = TREES.flatMap((tree) =>
  [0, tree.leafCount - 1].map((at) =>
    partsInput([json(tree.proveInclusion(at)), utf8Encode(tree.root()), DATA.slice(10 * at, 10 * at + 10)]),
  ),
);

const inclusion = fuzzTarget({
  name: 'inclusion-proof',
  samples: () => INCLUSIONS,
  mutations: partMutations([JSON_MUTATIONS, TEXT_MUTATIONS, BYTE_MUTATIONS]),
  newer: newerFirstPart,
  read: (input) => {
    const parts = inputParts(input);
    return verifyInclusion(inputText(partAt(parts, 0)), inputText(partAt(parts, 1)), partAt(parts, 2));
  },
  check: (isProven, input) => {
    if (isProven) mustBeSample(INCLUSIONS, input, parseInclusionProof);
  },
  errors: ERRORS,
});

const GROWN = [1, 3, 7, 8].map((leaves) => createDataTree(DATA.subarray(0, 10 * leaves), { leafBytes: 10 }));
const CONSISTENCIES = GROWN.map((first) => {
  const second = createDataTree(DATA.subarray(0, 80), { leafBytes: 10 });
  const extent = { leafCount: first.leafCount, totalLength: 10 * first.leafCount };
  return partsInput([json(second.proveConsistency(extent)), utf8Encode(first.root()), utf8Encode(second.root())]);
});

const consistency = fuzzTarget({
  name: 'consistency-proof',
  samples: () => CONSISTENCIES,
  mutations: partMutations([JSON_MUTATIONS, TEXT_MUTATIONS]),
  newer: newerFirstPart,
  read: (input) => {
    const [document = '', first = '', second = ''] = inputParts(input).map(inputText);
    return verifyConsistency(document, { first, second });
  },
  check: (isProven, input) => {
    if (isProven) mustBeSample(CONSISTENCIES, input, parseConsistencyProof);
  },
  errors: ERRORS,
});

const CHUNKS = [10, 7, 1, 30, 30, 22].map((length, index, all) => {
  const offset = all.slice(0, index).reduce((sum, one) => sum + one, 0);
  return { offset, length, digest: blake3(DATA.subarray(offset, offset + length)) };
});
const ENTRY_ROOT = formatDigest('blake3', merkleRoot(CHUNKS, 100));
const RANGES = [
  { offset: 0, length: 1 },
  { offset: 12, length: 20 },
  { offset: 90, length: 10 },
  { offset: 0, length: 100 },
].map((range) => ({ range, proof: proveRange(CHUNKS, range) }));

function covered({
  offset,
  chunks,
}: {
  readonly offset: number;
  readonly chunks: readonly { readonly length: number }[];
}): Uint8Array {
  return DATA.slice(offset, offset + chunks.reduce((sum, { length }) => sum + length, 0));
}

const RANGE_SAMPLES = RANGES.map(({ range, proof }) =>
  partsInput([json(proof), utf8Encode(ENTRY_ROOT), covered(proof), utf8Encode(`${range.offset} ${range.length}`)]),
);

const range = fuzzTarget({
  name: 'range-proof',
  samples: () => RANGE_SAMPLES,
  mutations: partMutations([JSON_MUTATIONS, TEXT_MUTATIONS, BYTE_MUTATIONS, TEXT_MUTATIONS]),
  newer: newerFirstPart,
  read: (input) => {
    const parts = inputParts(input);
    const [document, root, data] = [inputText(partAt(parts, 0)), inputText(partAt(parts, 1)), partAt(parts, 2)];
    const [offset = 0, length = 0] = inputText(partAt(parts, 3)).split(' ').map(Number);
    return {
      place: verifyRangeProof(document, root),
      data: verifyRangeData(document, root, data),
      range: verifyRangeProof(document, root, { offset, length }),
      ...{ offset, length },
    };
  },
  check: (proven, input) => {
    const parts = inputParts(input);
    if (proven.place) mustBeRange(parts);
    if (proven.data) mustHold(proven.place && isCovered(parts), 'other bytes are proven than the entry has');
    if (!proven.range) return;
    const proof = parseRangeProof(inputText(partAt(parts, 0)));
    const end = proof.offset + covered(proof).length;
    mustHold(
      proven.place && proof.offset <= proven.offset && proven.offset + proven.length <= end,
      'a range is proven that the chunks do not cover',
    );
  },
  errors: ERRORS,
  arguments: true,
});

/** Whether the first part is one of the proofs that were made, against the one root there is. */
function mustBeRange(parts: readonly Uint8Array[]): void {
  mustHold(inputText(partAt(parts, 1)) === ENTRY_ROOT, 'another root is proven');
  const proof = JSON.stringify(parseRangeProof(inputText(partAt(parts, 0))));
  mustHold(
    RANGES.some((one) => JSON.stringify(parseRangeProof(one.proof)) === proof),
    'a range is proven that nobody made a proof of',
  );
}

function isCovered(parts: readonly Uint8Array[]): boolean {
  return equalBytes(partAt(parts, 2), covered(parseRangeProof(inputText(partAt(parts, 0)))));
}

const CHALLENGES = TREES.map((tree, index) => {
  const shard = DATA.slice(0, 10 * tree.leafCount);
  const challenge = createChallenge(
    { root: tree.root(), totalLength: shard.length, leafBytes: 10 },
    seededRandom(index).bytes,
  );
  return partsInput([json(challenge), json(respond(challenge, shard)), shard]);
});

const response = fuzzTarget({
  name: 'challenge-response',
  samples: () => CHALLENGES,
  mutations: partMutations([JSON_MUTATIONS, JSON_MUTATIONS, BYTE_MUTATIONS]),
  newer: newerFirstPart,
  read: (input) => {
    const [challenge = '', answer = ''] = inputParts(input).slice(0, 2).map(inputText);
    return {
      isProven: verifyResponse(challenge, answer),
      parsed: parseChallenge(challenge),
      answered: parseChallengeResponse(answer),
    };
  },
  check: ({ isProven, parsed, answered }) => {
    const asked = TREES.find((tree) => tree.root() === parsed.root);
    mustHold(
      challengedLeaf(parsed) < Math.ceil(parsed.totalLength / parsed.leafBytes),
      'a leaf is asked for that is not there',
    );
    if (!isProven) return;
    const at = challengedLeaf(parsed) * parsed.leafBytes;
    const leaf = DATA.subarray(at, Math.min(at + parsed.leafBytes, parsed.totalLength));
    mustHold(
      asked !== undefined && answered.leaf === Buffer.from(leaf).toString('base64'),
      'a leaf is proven that the shard does not have',
    );
  },
  errors: ERRORS,
});

const keeper = fuzzTarget({
  name: 'challenge',
  samples: () => CHALLENGES,
  mutations: partMutations([JSON_MUTATIONS, JSON_MUTATIONS, BYTE_MUTATIONS]),
  newer: newerFirstPart,
  read: (input) => {
    const parts = inputParts(input);
    return respond(inputText(partAt(parts, 0)), partAt(parts, 2));
  },
  check: (answer, input) =>
    mustHold(verifyResponse(inputText(partAt(inputParts(input), 0)), answer), 'an honest answer is not believed'),
  errors: [...ERRORS, 'SHARD_CORRUPT'],
});

const document = fuzzTarget({
  name: 'merkle-tree-document',
  samples: () =>
    [...TREES, createDataTree(DATA, { leafBytes: 30, algorithm: 'sha512' }), createDataTree(new Uint8Array(0))].map(
      (tree) => json(tree.toJSON()),
    ),
  mutations: JSON_MUTATIONS,
  newer: newerDocument,
  read: (input) => parseMerkleTree(inputText(input)),
  check: (tree) => mustMean(parseMerkleTree(tree.toJSON()).toJSON(), tree.toJSON(), 'the tree'),
  errors: ERRORS,
});

export const PROOF_TARGETS: readonly FuzzTarget[] = [inclusion, consistency, range, response, keeper, document];
