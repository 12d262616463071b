import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { changedJson, isRefused } from '../../test/support/changed-json.ts';
import { toBase64 } from '../bytes/base64.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { type Challenge, challengedLeaf, createChallenge, parseChallenge } from './challenge.ts';
import { type ChallengeResponse, parseChallengeResponse, respond, verifyResponse } from './challenge-response.ts';
import { createDataTree } from './create-tree.ts';
import { createRootHasher } from './root-hasher.ts';

const random = seededRandom(4711).bytes;

/** As Python says: int.from_bytes(hashlib.sha256(fields).digest(), 'little') modulo 1,000,003. */
const PICKED = 655_569;

function shardOf(bytes: number): Uint8Array {
  return seededRandom(bytes).bytes(bytes);
}

function challengeOf(shard: Uint8Array, leafBytes = 16): Challenge {
  const { root, totalLength } = createRootHasher({ leafBytes }).update(shard).finish();
  return createChallenge({ root, totalLength, leafBytes }, random);
}

describe('a challenge', () => {
  it.each([1, 15, 16, 17, 100, 1000])('is answered by who has the shard of %i bytes, as text or as it is', (bytes) => {
    const shard = shardOf(bytes);
    for (let turn = 0; turn < 20; turn += 1) {
      const challenge = challengeOf(shard);
      const response = respond(JSON.stringify(challenge), shard);
      expect(verifyResponse(challenge, response)).toBe(true);
      expect(verifyResponse(JSON.stringify(challenge), JSON.stringify(response))).toBe(true);
    }
  });

  it('asks for leaves of 64 KiB where nothing else was said', () => {
    const shard = shardOf(200_000);
    const challenge = createChallenge({ root: createDataTree(shard).root(), totalLength: 200_000 }, random);
    expect(challenge.leafBytes).toBe(65_536);
    expect(verifyResponse(challenge, respond(challenge, shard))).toBe(true);
  });

  it.each(['sha256', 'sha512'] as const)('picks with the algorithm of the root, %s', (algorithm) => {
    const shard = shardOf(500);
    const root = createDataTree(shard, { leafBytes: 7, algorithm }).root();
    const challenge = createChallenge({ root, totalLength: 500, leafBytes: 7 }, random);
    expect(verifyResponse(challenge, respond(challenge, shard))).toBe(true);
  });

  it('picks every leaf about as often', () => {
    const [leaves, turns] = [7, 7000];
    const shard = shardOf(16 * leaves - 3);
    const root = createDataTree(shard, { leafBytes: 16 }).root();
    const counts = new Array<number>(leaves).fill(0);
    for (let turn = 0; turn < turns; turn += 1) {
      const leaf = challengedLeaf(createChallenge({ root, totalLength: shard.length, leafBytes: 16 }, random));
      counts[leaf] = (counts[leaf] ?? 0) + 1;
    }
    // Chi-squared of 6 degrees of freedom is above 22.5 once in a thousand; the seed is fixed.
    const expected = turns / leaves;
    expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(22.5);
  });

  it('picks by nonce and by root, so that neither side chooses', () => {
    const challenge = challengeOf(shardOf(16 * 1000));
    const picks = [
      challenge,
      { ...challenge, nonce: '0'.repeat(64) },
      { ...challenge, root: challengeOf(shardOf(16 * 999)).root },
      { ...challenge, totalLength: 16 * 1000 - 1 },
    ].map(challengedLeaf);
    expect(new Set(picks).size).toBe(4);
  });

  it('picks what its format says', () => {
    const root = `sha256:${'11'.repeat(32)}`;
    const nonce = '22'.repeat(32);
    const challenge = { type: 'holdfast challenge', version: 1, root, totalLength: 1_000_003, leafBytes: 1 } as const;
    expect(challengedLeaf({ ...challenge, nonce })).toBe(PICKED);
  });

  it('is not made without a root, a length or a size of leaves', () => {
    const root = `blake3:${'0'.repeat(64)}`;
    expect(outcomeOf(() => createChallenge({ root: 'blake3', totalLength: 5 }, random))).toBe('invalid/DIGEST_INVALID');
    for (const totalLength of [0, -1, 0.5])
      expect(() => createChallenge({ root, totalLength }, random)).toThrow(RangeError);
    expect(() => createChallenge({ root, totalLength: 1, leafBytes: 0 }, random)).toThrow(RangeError);
  });

  it('is good for its keeper only when it can be read', () => {
    for (const text of ['', '{}', 'null', '{"type":"holdfast challenge"}']) {
      expect(outcomeOf(() => parseChallenge(text))).toBe('invalid/PROOF_INVALID');
      expect(outcomeOf(() => respond(text, new Uint8Array(1)))).toBe('invalid/PROOF_INVALID');
    }
  });
});

describe('a response', () => {
  const shard = shardOf(100);
  const challenge = challengeOf(shard);
  const response = respond(challenge, shard);

  it.each([100, 16, 5])('with anything changed is refused, for a shard of %i bytes', (bytes) => {
    const asked = challengeOf(shardOf(bytes));
    for (const { what, value } of changedJson(respond(asked, shardOf(bytes)))) {
      expect(
        isRefused(() => verifyResponse(asked, value as ChallengeResponse)),
        what,
      ).toBe(true);
    }
  });

  it('is refused for a challenge with anything changed', () => {
    for (const { what, value } of changedJson(challenge)) {
      expect(
        isRefused(() => verifyResponse(value as Challenge, response)),
        what,
      ).toBe(true);
    }
  });

  it('with another leaf and its own good path is refused', () => {
    const tree = createDataTree(shard, { leafBytes: 16 });
    const asked = challengedLeaf(challenge);
    for (let leaf = 0; leaf < tree.leafCount; leaf += 1) {
      const { path } = tree.proveInclusion(leaf);
      const other = { ...response, leaf: toBase64(shard.subarray(16 * leaf, 16 * leaf + 16)), path };
      expect(verifyResponse(challenge, other)).toBe(leaf === asked);
    }
  });

  it('with a leaf of another size is refused, where the asker knows the size of leaves and the keeper made others', () => {
    const tree = createDataTree(shard, { leafBytes: 60 });
    const asked = createChallenge({ root: tree.root(), totalLength: 100, leafBytes: 70 }, random);
    const leaf = challengedLeaf(asked);
    const { path } = tree.proveInclusion(leaf);
    const forged = { ...response, nonce: asked.nonce, leaf: toBase64(shard.subarray(60 * leaf, 60 * leaf + 60)), path };
    expect(verifyResponse(asked, forged)).toBe(false);
    expect(verifyResponse({ ...asked, leafBytes: 60 }, forged)).toBe(
      challengedLeaf({ ...asked, leafBytes: 60 }) === leaf,
    );
  });

  it('to an earlier challenge is refused, even where there is but one leaf', () => {
    const one = shardOf(10);
    expect(verifyResponse(challengeOf(one), respond(challengeOf(one), one))).toBe(false);
  });

  it('is refused to who lost the shard, or has another', () => {
    const flipped = shard.slice();
    flipped[50] = (flipped[50] ?? 0) ^ 1;
    for (const wrong of [flipped, shard.subarray(1), new Uint8Array(0), shardOf(101)]) {
      expect(outcomeOf(() => respond(challenge, wrong))).toBe('corrupt/SHARD_CORRUPT');
    }
    expect(() => respond(challenge, 'shard' as unknown as Uint8Array)).toThrow(TypeError);
  });

  it('that cannot be read is named so', () => {
    for (const text of ['', '[]', JSON.stringify(challenge)]) {
      expect(outcomeOf(() => parseChallengeResponse(text))).toBe('invalid/PROOF_INVALID');
    }
    expect(outcomeOf(() => verifyResponse(challenge, { ...response, leaf: 'no base64' }))).toBe(
      'invalid/PROOF_INVALID',
    );
  });
});
