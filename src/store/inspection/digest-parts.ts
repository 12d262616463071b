import { DIGESTS_KEPT_MAX } from '../../limits.ts';

/** One of several passes over digests, each of which is about a part of them. */
export interface DigestPart {
  readonly part: number;
  readonly parts: number;
}

/** Behind the bytes that a `DigestSet` looks at. */
const AT_BYTE = 16;

/**
 * As many passes as it takes for none to have more digests than may be remembered, but for chance.
 * @param count of digests in all
 */
export function* digestParts(count: number, keptMax = DIGESTS_KEPT_MAX): Generator<DigestPart> {
  const parts = Math.max(1, Math.ceil(count / keptMax));
  for (let part = 0; part < parts; part += 1) yield { part, parts };
}

export function isInPart(digest: Uint8Array, { part, parts }: DigestPart): boolean {
  if (parts === 1) return true;
  const [high = 0, middle = 0, low = 0] = digest.subarray(AT_BYTE, AT_BYTE + 3);
  return ((high << 16) | (middle << 8) | low) % parts === part;
}
