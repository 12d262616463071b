/** `holdfast/hash`: digests of bytes, one-shot and streaming, and their text. */

export { DIGEST_ALGORITHMS, type DigestAlgorithm, isDigestAlgorithm } from './algorithms.ts';
export { asDigest, type Digest, equalDigests, formatDigest, type NamedDigest, parseDigest } from './digest.ts';
export { blake3, blake3Derive, blake3Keyed, createKeyedDigest, digestOf } from './digest-of.ts';
export { BLAKE3_KEY_BYTES } from './engines.ts';
export { createDeriveHasher, createHasher, createKeyedHasher, type Hasher } from './hasher.ts';
