import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { checkDigestAlgorithm, type DigestAlgorithm } from './algorithms.ts';
import { checkBytes } from './check-bytes.ts';
import type { Digest } from './digest.ts';
import { BLAKE3_KEY_BYTES, type Engine, openDeriveEngine, openEngine, openKeyedEngine } from './engines.ts';

/**
 * A hash over bytes that arrive in pieces. How they are cut makes no difference to the digest. Memory is constant,
 * whatever the length; each call is synchronous, so pieces decide how long the event loop waits.
 */
export interface Hasher {
  /**
   * Adds bytes. The array is read before the call returns, never kept or changed.
   * @returns the hasher itself
   * @throws TypeError when `bytes` is no `Uint8Array`, `invalid/HASHER_FINISHED` after `digest`
   */
  update(bytes: Uint8Array): this;
  /**
   * Ends the hash and frees its native memory.
   * @returns the digest of all bytes added, in memory of its own
   * @throws `invalid/HASHER_FINISHED` when called again
   */
  digest(): Digest;
}

class EngineHasher implements Hasher {
  #engine: Engine | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  #running(): Engine {
    if (this.#engine) return this.#engine;
    throw storeError('HASHER_FINISHED', 'the hasher has given its digest; make a new one for other bytes');
  }

  update(bytes: Uint8Array): this {
    this.#running().update(checkBytes('bytes', bytes));
    return this;
  }

  digest(): Digest {
    const engine = this.#running();
    this.#engine = undefined;
    return engine.finish();
  }
}

/**
 * Starts a streaming hash.
 * @throws TypeError or RangeError for an unknown algorithm
 * @example createHasher('blake3').update(head).update(tail).digest()
 */
export function createHasher(algorithm: DigestAlgorithm): Hasher {
  return new EngineHasher(openEngine(checkDigestAlgorithm(algorithm)));
}

/** @throws TypeError when the key is no `Uint8Array`, RangeError when it has not 32 bytes */
export function checkBlake3Key(key: Uint8Array): Uint8Array {
  const { length } = checkBytes('key', key);
  if (length !== BLAKE3_KEY_BYTES) throw argumentRangeError('key.length', `${BLAKE3_KEY_BYTES} bytes`, length);
  return key;
}

/**
 * Starts a streaming keyed BLAKE3: a MAC and pseudo-random function of its input.
 * @param key 32 bytes; copied, so the caller may wipe them at once
 * @throws TypeError when the key is no `Uint8Array`, RangeError when it has not 32 bytes
 * @see BLAKE3 specification, section 2.3, mode `keyed_hash`
 */
export function createKeyedHasher(key: Uint8Array): Hasher {
  return new EngineHasher(openKeyedEngine(checkBlake3Key(key)));
}

/**
 * Starts a streaming BLAKE3 key derivation: the bytes added are key material, the digest is a 32-byte key. Not for
 * passwords: it is fast.
 * @param context a constant of the program, globally unique for its purpose, never made from input
 * @throws TypeError when the context is no text, RangeError when it holds lone surrogates: they have no UTF-8, and two
 *   contexts that differ in them alone would give the same keys
 * @see BLAKE3 specification, section 2.3, mode `derive_key`
 */
export function createDeriveHasher(context: string): Hasher {
  if (typeof context !== 'string') throw argumentTypeError('context', 'a string', context);
  if (!context.isWellFormed()) throw argumentRangeError('context', 'well-formed Unicode', context);
  return new EngineHasher(openDeriveEngine(context));
}
