/**
 * Guesses from samples whether zstd can make bytes smaller, so that media, archives and ciphertext cost a few
 * dozen microseconds a MiB instead of a full pass (40 us against 530 us, `npm run bench -- compress`).
 *
 * In each of many short slices the pairs of equal bytes are counted. Uniformly random bytes give a binomial count that
 * is known exactly; text, code and tables give far more pairs, counters and ramps far fewer, so both sides count as
 * structure. Slices are judged one by one: a record of grouped files is worth compressing when a small part of it is,
 * and an average over all of it would hide that part. A second count over all slices together finds bytes that are
 * slightly skewed everywhere.
 *
 * Not found: uniformly random bytes that repeat at distances beyond a slice. Finding those is deduplication's job.
 */

const SLICE_BYTES = 256;
const SLICE_COUNT = 64;
/** The sampled bytes: shorter input is not worth sampling, compressing it costs no more. */
export const SAMPLE_BYTES = SLICE_BYTES * SLICE_COUNT;

/** Random slices have 127.5 equal pairs, standard deviation 11.3; the bounds lie 6 deviations away. */
const RANDOM_PAIRS_MIN = 60;
const RANDOM_PAIRS_MAX = 200;
/** One odd slice is a file header; two in 64 are about 3 % of the bytes, the least saving that is kept. */
const ODD_SLICES_MIN = 2;
/** Equal pairs over all slices, relative to random bytes; 1.08 is about 0.06 bits a byte below random. */
const POOLED_RATIO_MIN = 1.08;

/** Counts the bytes of one slice into both tables and returns its pairs of equal bytes. */
function countPairs(
  bytes: Uint8Array,
  start: number,
  tables: { readonly slice: Uint16Array; readonly pooled: Uint16Array },
): number {
  const { slice, pooled } = tables;
  slice.fill(0);
  let pairs = 0;
  for (let index = start; index < start + SLICE_BYTES; index += 1) {
    const byte = bytes[index]!;
    pairs += slice[byte]!;
    slice[byte] = slice[byte]! + 1;
    pooled[byte] = pooled[byte]! + 1;
  }
  return pairs;
}

function pooledRatio(pooled: Uint16Array): number {
  let pairs = 0;
  for (const count of pooled) pairs += (count * (count - 1)) / 2;
  return pairs / ((SAMPLE_BYTES * (SAMPLE_BYTES - 1)) / 2 / 256);
}

/**
 * Tells whether compressing is worth trying. Deterministic: the same bytes give the same answer everywhere.
 * @param bytes at least `SAMPLE_BYTES`; shorter input is always worth trying
 */
export function looksCompressible(bytes: Uint8Array): boolean {
  if (bytes.length < SAMPLE_BYTES) return true;
  const tables = { slice: new Uint16Array(256), pooled: new Uint16Array(256) };
  const stride = (bytes.length - SLICE_BYTES) / (SLICE_COUNT - 1);
  let odd = 0;
  for (let index = 0; index < SLICE_COUNT; index += 1) {
    const pairs = countPairs(bytes, Math.floor(index * stride), tables);
    if (pairs < RANDOM_PAIRS_MIN || pairs > RANDOM_PAIRS_MAX) odd += 1;
    if (odd >= ODD_SLICES_MIN) return true;
  }
  return pooledRatio(tables.pooled) > POOLED_RATIO_MIN;
}
