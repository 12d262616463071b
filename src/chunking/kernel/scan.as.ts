/**
 * The scan loops of the content-defined chunkers, in AssemblyScript, compiled to one WebAssembly module without runtime
 * or imports. The loader copies input into WINDOW and calls; nothing in memory outlives a call but the two tables, so
 * one instance serves any number of chunkers in turn.
 *
 * Gear (FastCDC, Xia et al. 2020): hash = (hash << 1) + table[byte] mod 2^64, tested against a mask after every byte.
 * The paper's two bytes a step with shifted tables gives the same hashes; here two *lanes* hide the latency of the
 * chain instead, which measured 2.4 GB/s against 1.9 GB/s for the two-byte step and 1.4 GB/s for one plain lane.
 *
 * Not part of the TypeScript program: `scripts/build-kernel.mjs` compiles this file, `scan-twin.ts` is its oracle.
 */

/** The rolling state after a call: u64 of gear, or u32 of Buzhash. */
export const RESULT: u32 = 0;
/** 256 u32. */
export const BUZHASH_TABLE: u32 = 1024;
/** 256 u64. */
export const GEAR_TABLE: u32 = 2048;
/** The input; for Buzhash the 32 bytes before it lie right in front of it. */
export const WINDOW: u32 = 8192;
/** Half of the usual first-level data cache. */
export const WINDOW_BYTES: u32 = 16384;

/** A byte leaves the 64-bit gear hash after this many rolls. */
const GEAR_REACH: usize = 64;
/** Longer lanes waste more scanning behind a cut, shorter ones more warming up. */
const LANE_BYTES_MAX: usize = 4096;
/** Below this the warming up of the second lane costs more than it wins. */
const LANES_BYTES_MIN: usize = 512;

// @ts-ignore: decorator
@inline
function rolled(hash: u64, at: usize, offset: usize): u64 {
  return (hash << 1) + load<u64>(<usize>load<u8>(at + offset) << 3, GEAR_TABLE);
}

// @ts-ignore: decorator
@inline
function found(hash: u64, at: usize): usize {
  store<u64>(RESULT, hash);
  return at;
}

/** Rolls [at, end), beginning with the hash in RESULT, and returns the address of the first byte that fires, or 0. */
function scanLane(at: usize, end: usize, mask: u64): usize {
  let hash = load<u64>(RESULT);
  while (at + 4 <= end) {
    hash = rolled(hash, at, 0);
    if ((hash & mask) == 0) return found(hash, at);
    hash = rolled(hash, at, 1);
    if ((hash & mask) == 0) return found(hash, at + 1);
    hash = rolled(hash, at, 2);
    if ((hash & mask) == 0) return found(hash, at + 2);
    hash = rolled(hash, at, 3);
    if ((hash & mask) == 0) return found(hash, at + 3);
    at += 4;
  }
  while (at < end) {
    hash = rolled(hash, at, 0);
    if ((hash & mask) == 0) return found(hash, at);
    at += 1;
  }
  return found(hash, 0);
}

/**
 * Rolls [at, at + 2 * lane) as two lanes side by side; `lane` is a multiple of 4 and at least GEAR_REACH. The hash at
 * the start of the second lane is that of the 64 bytes before it, whatever came earlier.
 */
function scanTwoLanes(at: usize, lane: usize, mask: u64): usize {
  const middle = at + lane;
  let first = load<u64>(RESULT);
  let second: u64 = 0;
  for (let warm = middle - GEAR_REACH; warm < middle; warm += 1) second = rolled(second, warm, 0);
  let far: usize = 0;
  let p = at;
  let q = middle;
  while (p < middle) {
    first = rolled(first, p, 0);
    if ((first & mask) == 0) return found(first, p);
    second = rolled(second, q, 0);
    if ((second & mask) == 0) { far = q; break; }
    first = rolled(first, p, 1);
    if ((first & mask) == 0) return found(first, p + 1);
    second = rolled(second, q, 1);
    if ((second & mask) == 0) { far = q + 1; break; }
    first = rolled(first, p, 2);
    if ((first & mask) == 0) return found(first, p + 2);
    second = rolled(second, q, 2);
    if ((second & mask) == 0) { far = q + 2; break; }
    first = rolled(first, p, 3);
    if ((first & mask) == 0) return found(first, p + 3);
    second = rolled(second, q, 3);
    if ((second & mask) == 0) { far = q + 3; break; }
    p += 4;
    q += 4;
  }
  if (far == 0) return found(second, 0);
  // The second lane fired; the first goes on to its end alone, for the earlier byte wins.
  store<u64>(RESULT, first);
  const near = scanLane(far - lane + 1, middle, mask);
  return near != 0 ? near : found(second, far);
}

/**
 * Rolls the first `length` bytes of the window, beginning with the hash given.
 * @returns the index of the first byte after which `hash & mask` is zero, or -1; the hash then is in RESULT
 */
export function gear(length: u32, maskHi: u32, maskLo: u32, hashHi: u32, hashLo: u32): i32 {
  const mask = ((<u64>maskHi) << 32) | (<u64>maskLo);
  store<u64>(RESULT, ((<u64>hashHi) << 32) | (<u64>hashLo));
  let at: usize = WINDOW;
  const end = at + length;
  while (end - at >= LANES_BYTES_MIN) {
    const lane = min<usize>(LANE_BYTES_MAX, ((end - at) >> 1) & ~3);
    const hit = scanTwoLanes(at, lane, mask);
    if (hit != 0) return <i32>(hit - WINDOW);
    at += 2 * lane;
  }
  const hit = scanLane(at, end, mask);
  return hit != 0 ? <i32>(hit - WINDOW) : -1;
}

// @ts-ignore: decorator
@inline
function buzRolled(state: u32, at: usize, offset: usize): u32 {
  // The byte that leaves is 32 rotations old, which is none, so its table entry is taken out as it is.
  return (
    rotl<u32>(state, 1) ^
    (load<u32>(<usize>load<u8>(at + offset - 32) << 2, BUZHASH_TABLE) ^
      load<u32>(<usize>load<u8>(at + offset) << 2, BUZHASH_TABLE))
  );
}

/**
 * Rolls the first `length` bytes of the window; the 32 bytes before it must be in place.
 * @returns the index of the first byte after which `state & mask` is zero, or -1; the state then is in RESULT
 */
export function buzhash(length: u32, mask: u32, start: u32): i32 {
  let state = start;
  let at: usize = WINDOW;
  const end = at + length;
  while (at < end) {
    state = buzRolled(state, at, 0);
    if ((state & mask) == 0) break;
    at += 1;
  }
  store<u32>(RESULT, state);
  return at < end ? <i32>(at - WINDOW) : -1;
}
