/** Answering a challenge and judging the answer; what it is good for stands in `challenge.ts`. */

import { z } from 'zod';
import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { parseDigest } from '../hash/index.ts';
import { type Challenge, challengedLeaf, leafCountOf, nonceSchema, parseChallenge } from './challenge.ts';
import { createDataTree } from './create-tree.ts';
import { digestsOf, pathSchema, proofError, readDocument } from './document.ts';
import { isLeafOf } from './inclusion-proof.ts';
import { createTreeHashing } from './tree-hashing.ts';

const WHAT = 'a response to a challenge';

/** What the keeper answers: plain JSON. */
export interface ChallengeResponse {
  readonly type: 'holdfast challenge response';
  readonly version: 1;
  /** Of the challenge that is answered. */
  readonly nonce: string;
  /** The bytes of the leaf, base64. */
  readonly leaf: string;
  /** Hashes beside its way up, bottom up, in lower-case hex. */
  readonly path: readonly string[];
}

const schema: z.ZodType<ChallengeResponse> = z
  .strictObject({
    type: z.literal('holdfast challenge response'),
    version: z.literal(1),
    nonce: nonceSchema,
    leaf: z.string(),
    path: pathSchema,
  })
  .readonly();

/**
 * Answers a challenge. Hashes the whole shard, so a keeper whose shard is not what it was learns of it here.
 * @param shard all of its bytes
 * @returns a response for `verifyResponse`; it holds one leaf of the shard
 * @throws `invalid/PROOF_INVALID` for what is no challenge, `corrupt/SHARD_CORRUPT` when the shard has another length
 *   or root than it was stored with
 */
export function respond(challenge: string | Challenge, shard: Uint8Array): ChallengeResponse {
  const asked = parseChallenge(challenge);
  const { leafBytes, totalLength } = asked;
  if (checkBytes('shard', shard).length !== totalLength) {
    throw storeError('SHARD_CORRUPT', `the shard has ${shard.length} bytes, the challenge is about ${totalLength}`, {
      details: { expected: totalLength, actual: shard.length },
    });
  }
  const tree = createDataTree(shard, { leafBytes, algorithm: parseDigest(asked.root).algorithm });
  if (tree.root() !== asked.root) {
    throw storeError('SHARD_CORRUPT', 'the shard has another root than the challenge is about', {
      details: { expected: asked.root, actual: tree.root() },
    });
  }
  const leafIndex = challengedLeaf(asked);
  return Object.freeze({
    type: 'holdfast challenge response',
    version: 1,
    nonce: asked.nonce,
    leaf: toBase64(shard.subarray(leafIndex * leafBytes, (leafIndex + 1) * leafBytes)),
    path: Object.freeze(tree.inclusionPath(leafIndex).map(toHex)),
  });
}

/**
 * Reads a response. Nothing of it is verified.
 * @param document text, or JSON that was parsed already
 * @throws `invalid/PROOF_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseChallengeResponse(document: string | ChallengeResponse): ChallengeResponse {
  return readDocument(document, schema, WHAT);
}

/**
 * Tells whether a response shows that its maker had the leaf that was asked for.
 * @param challenge the asker's own, as it was sent
 * @param response the document, as text or parsed
 * @returns false when anything differs: root, nonce, leaf, length, path
 * @throws `invalid/PROOF_INVALID` for what is no challenge or no response
 */
export function verifyResponse(challenge: string | Challenge, response: string | ChallengeResponse): boolean {
  const asked = parseChallenge(challenge);
  const { nonce, leaf: leafText, path } = parseChallengeResponse(response);
  const leaf = fromBase64(leafText);
  if (!leaf) throw proofError(WHAT, 'wrong or missing: leaf');
  const leafIndex = challengedLeaf(asked);
  const leafLength = Math.min(asked.leafBytes, asked.totalLength - leafIndex * asked.leafBytes);
  if (nonce !== asked.nonce || leaf.length !== leafLength) return false;
  const { algorithm } = parseDigest(asked.root);
  const place = { leafIndex, leafCount: leafCountOf(asked), totalLength: asked.totalLength };
  const placed = { leaf, ...place, path: digestsOf(algorithm, path, WHAT) };
  return isLeafOf(createTreeHashing(algorithm), placed, asked.root);
}
