/**
 * Argon2id (RFC 9106, version 0x13): keys made from passphrases, slowly and with much memory, so that trying many costs
 * much. Runs on a thread of the system; the event loop goes on.
 */

import { argon2 } from 'node:crypto';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import {
  ARGON2_MEMORY_KIB_MAX,
  ARGON2_MEMORY_KIB_MIN,
  ARGON2_PARALLELISM_MAX,
  ARGON2_PASSES_MAX,
  ARGON2_SALT_BYTES_MAX,
  ARGON2_SALT_BYTES_MIN,
} from '../limits.ts';

/** What one try costs. */
export interface Argon2Cost {
  /** Memory in KiB, at least 8 a lane. */
  readonly memoryKib: number;
  /** Times that the memory is gone over. */
  readonly passes: number;
  /** Lanes that can be computed side by side. */
  readonly parallelism: number;
}

/** Cost and salt: what is kept beside a key to make it again. */
export interface Argon2Parameters extends Argon2Cost {
  /** Public randomness of one passphrase, at least 8 bytes; new ones take 16 or more. */
  readonly salt: Uint8Array;
}

/** Parameters and how long the key is. */
export interface Argon2Options extends Argon2Parameters {
  /** Bytes of the key, from 4; default 32. */
  readonly bytes?: number;
}

/**
 * The second recommended choice of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes. A quarter of a second on one core of
 * 2024.
 */
export const ARGON2_DEFAULT: Argon2Cost = Object.freeze({ memoryKib: 64 * 1024, passes: 3, parallelism: 4 });

/** The largest number of the RFC; what memory there is bounds earlier. */
const U32_MAX = 2 ** 32 - 1;

/**
 * Derives a key from a passphrase. Takes any cost that RFC 9106, section 3.1 allows: parameters that were read from
 * outside go through `checkArgon2` first.
 * @param passphrase its bytes, any length; read before the promise is returned
 * @returns the key, in memory of its own
 * @throws TypeError for arguments of other types, RangeError for what the RFC forbids
 * @see RFC 9106, section 3
 */
export async function argon2id(passphrase: Uint8Array, options: Argon2Options): Promise<Uint8Array> {
  const { memoryKib, passes, parallelism, salt, bytes = 32 } = options;
  const parameters = {
    message: checkBytes('passphrase', passphrase),
    nonce: checkBytes('salt', salt),
    parallelism: checkInteger('parallelism', parallelism, { min: 1, max: 2 ** 24 - 1 }),
    passes: checkInteger('passes', passes, { min: 1, max: U32_MAX }),
    memory: checkInteger('memoryKib', memoryKib, { min: 8 * parallelism, max: U32_MAX }),
    tagLength: checkInteger('bytes', bytes, { min: 4, max: U32_MAX }),
  };
  checkInteger('salt.length', salt.length, { min: 8, max: U32_MAX });
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key.buffer, key.byteOffset, key.length));
    });
  });
}

/**
 * Judges parameters that come from outside, where hostile ones could eat all memory or protect nothing: 8 MiB to 1 GiB,
 * 1 to 16 passes, 1 to 16 lanes, a salt of 16 to 64 bytes.
 * @returns what is wrong, in words for an error message, or `undefined` when all is within bounds
 */
export function checkArgon2(parameters: Argon2Parameters): string | undefined {
  const { memoryKib, passes, parallelism, salt } = parameters;
  const bounds: readonly (readonly [string, number, number, number])[] = [
    ['memory in KiB', memoryKib, ARGON2_MEMORY_KIB_MIN, ARGON2_MEMORY_KIB_MAX],
    ['passes', passes, 1, ARGON2_PASSES_MAX],
    ['parallelism', parallelism, 1, ARGON2_PARALLELISM_MAX],
    ['bytes of salt', salt.length, ARGON2_SALT_BYTES_MIN, ARGON2_SALT_BYTES_MAX],
  ];
  const broken = bounds.find(([, value, min, max]) => !Number.isInteger(value) || value < min || value > max);
  if (broken === undefined) return undefined;
  const [what, value, min, max] = broken;
  return `Argon2 ${what} must be from ${min} to ${max}, not ${value}`;
}

const withinBounds = checkArgon2({ ...ARGON2_DEFAULT, salt: new Uint8Array(ARGON2_SALT_BYTES_MIN) }) === undefined;
invariant(withinBounds, 'the default cost of Argon2 is within the bounds of what is believed');
