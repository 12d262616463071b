import { BUZHASH_WINDOW_BYTES } from '../../limits.ts';
import { BUZHASH_WORDS } from '../buzhash-table.ts';
import type { BuzhashRoll, GearRoll, ScanKernel } from './scan-kernel.ts';

function gear(bytes: Uint8Array, roll: GearRoll): number {
  const { table, maskHi, maskLo } = roll;
  // Signed 32-bit halves, for the compiler keeps those as integers; the carry without a branch, for it is random.
  let hi = roll.hashHi | 0;
  let lo = roll.hashLo | 0;
  let fired = -1;
  for (let index = 0; index < bytes.length; index += 1) {
    const word = bytes[index]! << 1;
    const doubled = lo << 1;
    const added = table[word]! | 0;
    const sum = (doubled + added) | 0;
    const carry = ((doubled & added) | ((doubled | added) & ~sum)) >>> 31;
    hi = (((hi << 1) | (lo >>> 31)) + table[word + 1]! + carry) | 0;
    lo = sum;
    if (((hi & maskHi) | (lo & maskLo)) === 0) {
      fired = index;
      break;
    }
  }
  roll.hashHi = hi >>> 0;
  roll.hashLo = lo >>> 0;
  return fired;
}

function buzhash(bytes: Uint8Array, roll: BuzhashRoll): number {
  const { history, mask } = roll;
  let state = roll.state;
  let fired = -1;
  for (let index = 0; index < bytes.length; index += 1) {
    const leaving = index < BUZHASH_WINDOW_BYTES ? history[index]! : bytes[index - BUZHASH_WINDOW_BYTES]!;
    state = ((state << 1) | (state >>> 31)) ^ BUZHASH_WORDS[leaving]! ^ BUZHASH_WORDS[bytes[index]!]!;
    if ((state & mask) === 0) {
      fired = index;
      break;
    }
  }
  roll.state = state >>> 0;
  return fired;
}

/** The scan loops in plain TypeScript, one byte at a time: the oracle of the WebAssembly kernel, a fifth as fast. */
export const twinKernel: ScanKernel = { gear, buzhash };
