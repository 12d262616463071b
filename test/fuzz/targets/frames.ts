/** What the fixed layouts have in common: where their version stands, and how their checks are made right. */
import { checkOf } from '../../../src/format/check.ts';
import type { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { pick } from '../mutations/mutation.ts';

const CHECK_BYTES = 16;
const VERSION_AT = 8;
const INCOMPATIBLE_AT = 14;

/** The last 16 bytes of the first `length` (default all) become the check of those before them. */
export function withCheck(input: Uint8Array, length = input.length): Uint8Array {
  const end = Math.min(length, input.length) - CHECK_BYTES;
  if (end < 0) return input;
  const repaired = input.slice();
  repaired.set(checkOf(input.subarray(0, end)), end);
  return repaired;
}

/** Another version or an incompatible feature in a prelude that begins at `at`. */
export function newerPrelude(sample: Uint8Array, random: SeededRandom, at = 0): Uint8Array {
  const newer = sample.slice();
  const view = new DataView(newer.buffer, at);
  if (random.integer(2) === 0) view.setUint16(VERSION_AT, pick(random, [0, 2, 3, 255, 65_535]), true);
  else view.setUint16(INCOMPATIBLE_AT, 1 << random.integer(16), true);
  return newer;
}

/** The version that is the first item of a CBOR array, of which `sample` is one of less than 24 items. */
export function newerCbor(sample: Uint8Array, random: SeededRandom): Uint8Array {
  const newer = sample.slice();
  newer[1] = pick(random, [3, 4, 23]);
  return newer;
}
