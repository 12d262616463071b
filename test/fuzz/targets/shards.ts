/** Shards as they lie on backends, shard sets as values and documents, and proofs of single shards. */
import { concatBytes, utf8Decode, utf8Encode } from '../../../src/bytes/bytes.ts';
import { checkOf } from '../../../src/format/check.ts';
import {
  decodeShardHeader,
  decodeShardTrailer,
  encodeShardHeader,
  encodeShardTrailer,
  SHARD_HEADER_BYTES,
  SHARD_TAIL_BYTES,
  shardTrailerBytes,
  verifyShard,
} from '../../../src/format/index.ts';
import { blockDigests, shardRoot } from '../../../src/format/shard-digests.ts';
import { digestOf, formatDigest, parseDigest } from '../../../src/hash/index.ts';
import { decodeShardSet } from '../../../src/shards/decode-shard-set.ts';
import { encodeShardSet } from '../../../src/shards/encode-shard-set.ts';
import { formatShardSetRoot, proveShard, type ShardSet, verifyShardProof } from '../../../src/shards/index.ts';
import { formatShardSet, parseShardSet } from '../../../src/shards/shard-set-json.ts';
import { namedRoot } from '../../../src/shards/shard-set-root.ts';
import { verifyShardSet } from '../../../src/shards/verify-shard-set.ts';
import { seededRandom } from '../../../src/testing/seeded-random.ts';
import { GOLDEN_FILES, parseHex } from '../../golden/format-files.ts';
import { patternBytes, shardHeader } from '../../support/format-samples.ts';
import { mustBeBytes, mustEqual, mustHold, mustMean } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputParts, partAt, partMutations, partsInput } from '../mutations/parts.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';
import { newerPrelude, withCheck } from './frames.ts';

const golden = (name: string): Uint8Array => parseHex(GOLDEN_FILES[name]?.() ?? '');
const SHARDS = [golden('single-shard.hex'), golden('copy-shard.hex'), largeShard()];

/** One of three shards, of two blocks. */
function largeShard(): Uint8Array {
  const header = shardHeader({ packBytes: 140_000, k: 2, m: 1, index: 2 });
  const data = patternBytes(header.shardBytes, 3);
  const digests = blockDigests(data);
  const others = [0, 1].map((index) => shardRoot({ ...header, index }, digests));
  const trailer = encodeShardTrailer({ digests, roots: concatBytes([...others, shardRoot(header, digests)]) });
  return concatBytes([encodeShardHeader(header), data, trailer]);
}

const header = fuzzTarget({
  name: 'shard-header',
  samples: () => SHARDS.map((shard) => shard.slice(0, SHARD_HEADER_BYTES)),
  mutations: BYTE_MUTATIONS,
  repair: (input) => withCheck(input, SHARD_HEADER_BYTES),
  newer: (sample, random) => withCheck(newerPrelude(sample, random)),
  read: decodeShardHeader,
  check: (value, input) => mustBeBytes(encodeShardHeader(value), input.subarray(0, SHARD_HEADER_BYTES), 'the header'),
  errors: ['SHARD_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

/** The tail's check covers as many roots as it counts. */
function withTail(input: Uint8Array): Uint8Array {
  if (input.length < SHARD_TAIL_BYTES) return input;
  const at = input.length - SHARD_TAIL_BYTES;
  const count = new DataView(input.buffer, input.byteOffset, input.length).getUint32(at + 20, true);
  const start = at - 32 * count;
  if (start < 0) return input;
  const repaired = input.slice();
  repaired.set(checkOf(input.subarray(start, at), input.subarray(at, at + 32)), at + 32);
  return repaired;
}

const trailer = fuzzTarget({
  name: 'shard-trailer',
  samples: () => SHARDS.map((shard) => shard.slice(-shardTrailerBytes(decodeShardHeader(shard)))),
  mutations: BYTE_MUTATIONS,
  repair: withTail,
  newer: (sample, random) => withTail(newerPrelude(sample, random, sample.length - SHARD_TAIL_BYTES)),
  read: (input) => decodeShardTrailer(input),
  check: (value, input) => {
    const encoded = encodeShardTrailer(value);
    const tail = input.slice(-encoded.length);
    // Hints are not written again.
    if (tail.subarray(-SHARD_TAIL_BYTES + 10, -SHARD_TAIL_BYTES + 14).some((byte) => byte !== 0)) return;
    mustBeBytes(encoded, tail, 'the trailer');
  },
  errors: ['SHARD_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

/** Right all through for whatever data and header it has, where these leave one possible. */
function repairShard(input: Uint8Array): Uint8Array {
  const checked = withCheck(input, SHARD_HEADER_BYTES);
  try {
    const known = decodeShardHeader(checked);
    const data = checked.slice(SHARD_HEADER_BYTES, SHARD_HEADER_BYTES + known.shardBytes);
    if (data.length !== known.shardBytes) return checked;
    const digests = blockDigests(data);
    const roots = new Uint8Array(32 * (known.k + known.m));
    roots.set(shardRoot(known, digests), 32 * known.index);
    return concatBytes([
      checked.subarray(0, SHARD_HEADER_BYTES + known.shardBytes),
      encodeShardTrailer({ digests, roots }),
    ]);
  } catch {
    // No header that can be: as it is.
    return checked;
  }
}

const shard = fuzzTarget({
  name: 'shard',
  samples: () => SHARDS.slice(0, 2),
  mutations: BYTE_MUTATIONS,
  repair: repairShard,
  newer: (sample, random) => withCheck(newerPrelude(sample, random), SHARD_HEADER_BYTES),
  read: verifyShard,
  check: ({ header: known, data, roots }, input) => {
    mustHold(data.length === known.shardBytes, 'the data of a shard has another length than it says');
    const digests = blockDigests(data);
    mustBeBytes(roots.subarray(32 * known.index, 32 * known.index + 32), shardRoot(known, digests), 'its own root');
    mustBeBytes(input.subarray(SHARD_HEADER_BYTES, SHARD_HEADER_BYTES + data.length), data, 'the data');
  },
  errors: ['SHARD_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

function sampleSet(text: string, redundancy: string, change: Partial<ShardSet> = {}): ShardSet {
  const [k = 0, m = 0] = redundancy.split('+').map(Number);
  const clock = { now: () => Date.UTC(2026, 0, 2), monotonicMs: () => 0 };
  const options = { contentType: 'text/plain', random: seededRandom(5).bytes, clock };
  const set = encodeShardSet(utf8Encode(text), { k, m }, options);
  return { ...set, ...change };
}

const LOCATED = sampleSet('somewhere '.repeat(9), '3+2', { subject: 'docs/a', verified: '2026-01-02T03:04:05.678Z' });
const SETS: readonly ShardSet[] = [
  sampleSet('every byte once', '2+1'),
  sampleSet('', '1+0'),
  sampleSet('x', '7+8'),
  {
    ...LOCATED,
    shards: LOCATED.shards.map((one, index) => ({
      ...one,
      bytes: index === 1 ? undefined : one.bytes,
      location: { backend: `b${index}`, key: `shards/${index}` },
    })),
  },
];
const SET_ERRORS = ['SHARD_SET_INVALID', 'FORMAT_UNSUPPORTED'] as const;

function newerDocument(sample: Uint8Array): Uint8Array {
  return utf8Encode(utf8Decode(sample).replace('"version":1', '"version":2').replace('"version": 1', '"version": 2'));
}

const document = fuzzTarget({
  name: 'shard-set-document',
  samples: () => SETS.map((set) => utf8Encode(formatShardSet(set))),
  mutations: JSON_MUTATIONS,
  newer: newerDocument,
  read: (input) => parseShardSet(inputText(input)),
  check: (set) => mustMean(parseShardSet(formatShardSet(set)), set, 'the shard set'),
  errors: SET_ERRORS,
});

/** Digests of shards and root made right: as somebody would who can write the document. */
function forgeSet(input: Uint8Array): Uint8Array {
  try {
    const set = parseShardSet(inputText(input));
    const shards = set.shards.map((one) => (one.bytes ? { ...one, digest: digestOf(set.algorithm, one.bytes) } : one));
    return utf8Encode(formatShardSet({ ...set, shards }));
  } catch {
    // No set that can be forged: as it is.
    return input;
  }
}

const CONTENTS = SETS.map((set) => formatDigest(set.algorithm, set.digest));

const decoding = fuzzTarget({
  name: 'shard-set-decoding',
  samples: () => SETS.map((set) => utf8Encode(formatShardSet(set))),
  mutations: JSON_MUTATIONS,
  repair: forgeSet,
  read: (input) => {
    const set = parseShardSet(inputText(input));
    const report = verifyShardSet(set);
    return { set, report, decoded: decodeShardSet(set) };
  },
  check: ({ set, report, decoded }) => {
    mustHold(report.canDecode, 'a set is decoded that its report says cannot be');
    mustHold(decoded.content.length === set.size, 'the content has another size than the set says');
    mustHold(
      formatDigest(set.algorithm, digestOf(set.algorithm, decoded.content)) === formatDigest(set.algorithm, set.digest),
      'the content has another digest',
    );
    if (report.isWhole) mustEqual(namedRoot(set), set.root, 'the root of a whole set');
  },
  errors: [...SET_ERRORS, 'SHARDS_INSUFFICIENT', 'SHARD_SET_CORRUPT'],
  // Where one shard was forged, up to 10,000 choices are decoded.
  caseMsMax: 20_000,
  cost: 'dear',
});

const proofParts = SETS.filter(({ size }) => size > 0).map((set, index) => {
  const at = index % set.shards.length;
  const one = set.shards[at];
  const parts = [JSON.stringify(proveShard(set, at)), formatShardSetRoot(set), String(at)].map(utf8Encode);
  return partsInput([...parts, one?.bytes ?? utf8Encode('gone')]);
});

const proof = fuzzTarget({
  name: 'shard-proof',
  samples: () => proofParts.slice(0, 2),
  mutations: partMutations([JSON_MUTATIONS, TEXT_MUTATIONS, TEXT_MUTATIONS, BYTE_MUTATIONS]),
  read: (input) => {
    const parts = inputParts(input);
    const [text = '', root = '', index = ''] = parts.slice(0, 3).map(inputText);
    return verifyShardProof(text, root, { index: Number(index), bytes: partAt(parts, 3) });
  },
  check: (isProven, input) => {
    if (!isProven) return;
    const [, root = '', index = ''] = inputParts(input).map(inputText);
    const set = SETS.find((one) => formatShardSetRoot(one) === root);
    mustEqual(partAt(inputParts(input), 3), set?.shards[Number(index)]?.bytes, 'what was proven to be a shard');
  },
  errors: ['PROOF_INVALID', 'DIGEST_INVALID', 'FORMAT_UNSUPPORTED'],
  arguments: true,
});

const digest = fuzzTarget({
  name: 'digest-text',
  samples: () => [...CONTENTS.slice(0, 2), `sha512:${'0f'.repeat(64)}`, `sha3-256:${'a0'.repeat(32)}`].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseDigest(inputText(input)),
  check: (value, input) =>
    mustHold(formatDigest(value.algorithm, value.digest) === inputText(input), 'a digest has two texts'),
  errors: ['DIGEST_INVALID'],
});

export const SHARD_TARGETS: readonly FuzzTarget[] = [header, trailer, shard, document, decoding, proof, digest];
