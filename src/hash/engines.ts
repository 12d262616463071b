/**
 * The native hashers behind one small shape. This is the only file that calls `@napi-rs/blake-hash` and the hash
 * functions of `node:crypto`; callers have checked every argument.
 *
 * Results leave native code as text where that is safe: on Node 24 a 32-byte `Buffer` made by native code costs 1.5 to
 * 2 µs (an ArrayBuffer of its own, with a finalizer), a short string and its decoding 0.6 µs. See `npm run bench --
 * hash`.
 */

import { createHash, hash } from 'node:crypto';
import { Blake2BHasher, Blake2BParam, Blake3Hasher, blake3UrlSafeBase64 } from '@napi-rs/blake-hash';
import { outOfHeap } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from './algorithms.ts';
import type { Digest } from './digest.ts';

/** A hash in progress; constant memory. `finish` is called once, last. */
export interface Engine {
  update(bytes: Uint8Array): void;
  finish(): Digest;
}

/** Bytes of the key of the keyed BLAKE3 (BLAKE3 specification, section 2.3). */
export const BLAKE3_KEY_BYTES = 32;

/** The name Node knows an algorithm by. */
const NODE_NAMES = { sha256: 'sha256', sha512: 'sha512', 'sha3-256': 'sha3-256' } as const;

type NativeBlake = Blake3Hasher | Blake2BHasher;

const DIGEST_BYTES_MAX = 64;
const decoded = Buffer.allocUnsafeSlow(DIGEST_BYTES_MAX);
const plain = new Uint8Array(decoded.buffer);

// A Buffer would keep a slab alive and share it with strangers, so the decoded bytes are copied out.
function decodeDigest(text: string, encoding: 'hex' | 'base64url'): Digest {
  return plain.slice(0, decoded.write(text, encoding)) as Digest;
}

// The package declares Buffer but reads any Uint8Array.
function asNative(bytes: Uint8Array): Buffer {
  return outOfHeap(bytes) as Buffer;
}

function blakeEngine(native: NativeBlake): Engine {
  return {
    update: (bytes) => {
      native.update(asNative(bytes));
    },
    finish: () => decodeDigest(native.digest('hex'), 'hex'),
  };
}

function nodeEngine(name: string): Engine {
  const native = createHash(name);
  return {
    update: (bytes) => {
      native.update(bytes);
    },
    finish: () => decodeDigest(native.digest('hex'), 'hex'),
  };
}

function openBlake2b256(): Engine {
  const parameters = new Blake2BParam();
  parameters.hashLength(DIGEST_ALGORITHMS['blake2b-256'].digestBytes);
  return blakeEngine(Blake2BHasher.withParams(parameters));
}

/** Starts a hash of the algorithm. */
export function openEngine(algorithm: DigestAlgorithm): Engine {
  if (algorithm === 'blake3') return blakeEngine(new Blake3Hasher());
  if (algorithm === 'blake2b-256') return openBlake2b256();
  return nodeEngine(NODE_NAMES[algorithm]);
}

/** Starts a keyed BLAKE3. The key is copied. */
export function openKeyedEngine(key: Uint8Array): Engine {
  // The native code aborts the whole process on any other length.
  invariant(key.length === BLAKE3_KEY_BYTES, 'a BLAKE3 key has 32 bytes');
  return blakeEngine(Blake3Hasher.newKeyed(asNative(key)));
}

/** A keyed BLAKE3 for input after input: making one takes longer than hashing a short input. The key is copied. */
export function openKeyedDigest(key: Uint8Array): (bytes: Uint8Array) => Digest {
  invariant(key.length === BLAKE3_KEY_BYTES, 'a BLAKE3 key has 32 bytes');
  const native = Blake3Hasher.newKeyed(asNative(key));
  return (bytes) => {
    native.reset();
    native.update(asNative(bytes));
    return decodeDigest(native.digest('hex'), 'hex');
  };
}

/** Starts a BLAKE3 in derive-key mode. */
export function openDeriveEngine(context: string): Engine {
  const native = Blake3Hasher.newDeriveKey(context);
  return {
    update: (bytes) => {
      native.update(asNative(bytes));
    },
    // The output is a key: no text copy of it may stay behind in the heap, where it cannot be wiped.
    finish: () => {
      const buffer = native.digestBuffer();
      const derived = new Uint8Array(buffer) as Digest;
      buffer.fill(0);
      return derived;
    },
  };
}

/** Hashes bytes that are all at hand. */
export function hashBytes(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  if (algorithm === 'blake3') return decodeDigest(blake3UrlSafeBase64(asNative(bytes)), 'base64url');
  if (algorithm === 'blake2b-256') {
    const engine = openBlake2b256();
    engine.update(bytes);
    return engine.finish();
  }
  return decodeDigest(hash(NODE_NAMES[algorithm], bytes, 'hex'), 'hex');
}
