import { toHex, utf8Decode, utf8Encode } from '../../src/bytes/bytes.ts';
import { StoreError } from '../../src/errors/store-error.ts';
import type { StoreConfigBase } from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { SAMPLE_CONFIG } from './format-samples.ts';

/** The cheapest Argon2id that is believed: some milliseconds. */
export const CHEAP_ARGON2 = { memoryKib: 8 * 1024, passes: 1, parallelism: 1 };

/** A clock that stands still. */
export const STILL_CLOCK: Clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), monotonicMs: () => 0 };

/** What making keys takes; the randomness follows from the seed, but for that of encapsulation. */
export function keyContext(seed: number) {
  return { random: seededRandom(seed).bytes, clock: STILL_CLOCK, argon2: CHEAP_ARGON2 };
}

/** What the config of a sealed store says beside its keys. */
export function sealedBase(storeId = SAMPLE_CONFIG.storeId): StoreConfigBase {
  const { format: _format, keys: _keys, ...base } = SAMPLE_CONFIG;
  return { ...base, storeId };
}

/** A config with one text in the place of another and a check that fits: what somebody writes who has no keys. */
export function forgedConfig(bytes: Uint8Array, change: (front: string) => string): Uint8Array {
  const [front = ''] = utf8Decode(bytes).split(',\n  "check"');
  const changed = change(front);
  return utf8Encode(`${changed},\n  "check": "${toHex(blake3(utf8Encode(changed)))}"\n}\n`);
}

/** What a promise rejects with, in short: `denied/WRONG_KEY`, `RangeError`, ...; or that it resolves. */
export async function asyncOutcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StoreError) return `${error.kind}/${error.code}`;
    return error instanceof Error ? error.name : typeof error;
  }
  return 'no error';
}
