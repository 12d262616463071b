/**
 * Matrix times vectors over GF(2^8), in AssemblyScript, compiled to one WebAssembly module without runtime or imports:
 *
 *     output[r][b] = sum over i of coefficient[r][i] * input[i][b]
 *
 * A product by a constant is two look-ups, one by each nibble of the byte, in tables of 16 (Plank, Greenan, Miller:
 * Screaming Fast Galois Field Arithmetic Using Intel SIMD Instructions, FAST 2013, section 4). Up to four outputs are
 * made in one pass over the inputs, so that each input byte is loaded and split once for all of them.
 *
 * Measured, 128 bits at a time, input in the first- or second-level cache: 17 GB/s for one output, 11 for two, 7.6 for
 * three, 7.0 for four, which is what the ports for vector instructions bear. The relaxed swizzle costs one instruction,
 * the strict one two, a fifth of the speed; they agree on indexes below 16, and no other is ever used. The mask of a
 * nibble is loaded and not a constant, because the engine would make the constant anew at each use.
 *
 * The loader writes LOW_NIBBLES and PRODUCTS once. Then, for a matrix, it writes COEFFICIENTS and calls `prepare`; and for
 * every window it copies the inputs, calls `multiply` for each group of outputs and copies those. Windows lie `stride`
 * bytes apart.
 *
 * Not part of the TypeScript program: `scripts/build-kernel.mjs` compiles this file, `gf-twin.ts` is its oracle.
 */

/** 16 bytes of 0x0f. */
export const LOW_NIBBLES: u32 = 512;
/** For each of the 256 coefficients c, 32 bytes: c times 0x00 to 0x0f, then c times 0x00, 0x10 to 0xf0. */
export const PRODUCTS: u32 = 1024;
/** The matrix, one byte a coefficient, row after row. */
export const COEFFICIENTS: u32 = 16384;
export const COEFFICIENTS_MAX: u32 = 16384;
/** The products of the matrix, in the order in which `multiply` reads them: 32 bytes a coefficient. */
export const TABLES: u32 = 32768;
/** The windows of inputs and outputs. */
export const WINDOWS: u32 = 557056;
export const WINDOWS_BYTES: u32 = 753664;
/** Outputs made in one pass. More need more registers than there are. */
export const GROUP_ROWS: u32 = 4;
/** `multiply` works on whole steps; bytes of a window past its content are free to hold anything. */
export const STEP_BYTES: u32 = 64;

const TABLE_BYTES: usize = 32;

/**
 * Makes TABLES of COEFFICIENTS: group of rows by group, in it input by input, in it row by row.
 */
export function prepare(rows: u32, inputs: u32): void {
  let target: usize = TABLES;
  for (let first: u32 = 0; first < rows; first += GROUP_ROWS) {
    const end = min(first + GROUP_ROWS, rows);
    for (let input: u32 = 0; input < inputs; input += 1) {
      for (let row = first; row < end; row += 1) {
        const source: usize = PRODUCTS + (<usize>load<u8>(COEFFICIENTS + row * inputs + input)) * TABLE_BYTES;
        v128.store(target, v128.load(source));
        v128.store(target, v128.load(source, 16), 16);
        target += TABLE_BYTES;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function low(bytes: v128): v128 {
  return v128.and(bytes, v128.load(LOW_NIBBLES));
}

// @ts-ignore: decorator
@inline
function high(bytes: v128): v128 {
  // There is no shift of single bytes; what a shift of pairs carries over is masked away.
  return v128.and(i16x8.shr_u(bytes, 4), v128.load(LOW_NIBBLES));
}

/** Adds to `sum` the product of the bytes with these nibbles by the coefficient of this table. */
// @ts-ignore: decorator
@inline
function add(sum: v128, lows: v128, highs: v128, table: usize): v128 {
  const ofLows = i8x16.relaxed_swizzle(v128.load(table), lows);
  const ofHighs = i8x16.relaxed_swizzle(v128.load(table, 16), highs);
  return v128.xor(sum, v128.xor(ofLows, ofHighs));
}

function oneRow(table: usize, output: usize, inputs: u32, bytes: u32, stride: u32): void {
  for (let at: usize = WINDOWS; at < WINDOWS + bytes; at += 64) {
    let a = i8x16.splat(0);
    let b = i8x16.splat(0);
    let c = i8x16.splat(0);
    let d = i8x16.splat(0);
    let from = at;
    let by = table;
    for (let input: u32 = 0; input < inputs; input += 1) {
      const one = v128.load(from);
      a = add(a, low(one), high(one), by);
      const two = v128.load(from, 16);
      b = add(b, low(two), high(two), by);
      const three = v128.load(from, 32);
      c = add(c, low(three), high(three), by);
      const four = v128.load(from, 48);
      d = add(d, low(four), high(four), by);
      from += stride;
      by += TABLE_BYTES;
    }
    v128.store(output, a);
    v128.store(output, b, 16);
    v128.store(output, c, 32);
    v128.store(output, d, 48);
    output += 64;
  }
}

function twoRows(table: usize, output: usize, inputs: u32, bytes: u32, stride: u32): void {
  for (let at: usize = WINDOWS; at < WINDOWS + bytes; at += 32) {
    let a0 = i8x16.splat(0);
    let a1 = i8x16.splat(0);
    let b0 = i8x16.splat(0);
    let b1 = i8x16.splat(0);
    let from = at;
    let by = table;
    for (let input: u32 = 0; input < inputs; input += 1) {
      const one = v128.load(from);
      const lows0 = low(one);
      const highs0 = high(one);
      const two = v128.load(from, 16);
      const lows1 = low(two);
      const highs1 = high(two);
      a0 = add(a0, lows0, highs0, by);
      a1 = add(a1, lows1, highs1, by);
      b0 = add(b0, lows0, highs0, by + 32);
      b1 = add(b1, lows1, highs1, by + 32);
      from += stride;
      by += 2 * TABLE_BYTES;
    }
    v128.store(output, a0);
    v128.store(output, a1, 16);
    v128.store(output + stride, b0);
    v128.store(output + stride, b1, 16);
    output += 32;
  }
}

function threeRows(table: usize, output: usize, inputs: u32, bytes: u32, stride: u32): void {
  for (let at: usize = WINDOWS; at < WINDOWS + bytes; at += 32) {
    let a0 = i8x16.splat(0);
    let a1 = i8x16.splat(0);
    let b0 = i8x16.splat(0);
    let b1 = i8x16.splat(0);
    let c0 = i8x16.splat(0);
    let c1 = i8x16.splat(0);
    let from = at;
    let by = table;
    for (let input: u32 = 0; input < inputs; input += 1) {
      const one = v128.load(from);
      const lows0 = low(one);
      const highs0 = high(one);
      const two = v128.load(from, 16);
      const lows1 = low(two);
      const highs1 = high(two);
      a0 = add(a0, lows0, highs0, by);
      a1 = add(a1, lows1, highs1, by);
      b0 = add(b0, lows0, highs0, by + 32);
      b1 = add(b1, lows1, highs1, by + 32);
      c0 = add(c0, lows0, highs0, by + 64);
      c1 = add(c1, lows1, highs1, by + 64);
      from += stride;
      by += 3 * TABLE_BYTES;
    }
    v128.store(output, a0);
    v128.store(output, a1, 16);
    v128.store(output + stride, b0);
    v128.store(output + stride, b1, 16);
    v128.store(output + 2 * stride, c0);
    v128.store(output + 2 * stride, c1, 16);
    output += 32;
  }
}

function fourRows(table: usize, output: usize, inputs: u32, bytes: u32, stride: u32): void {
  for (let at: usize = WINDOWS; at < WINDOWS + bytes; at += 32) {
    let a0 = i8x16.splat(0);
    let a1 = i8x16.splat(0);
    let b0 = i8x16.splat(0);
    let b1 = i8x16.splat(0);
    let c0 = i8x16.splat(0);
    let c1 = i8x16.splat(0);
    let d0 = i8x16.splat(0);
    let d1 = i8x16.splat(0);
    let from = at;
    let by = table;
    for (let input: u32 = 0; input < inputs; input += 1) {
      const one = v128.load(from);
      const lows0 = low(one);
      const highs0 = high(one);
      const two = v128.load(from, 16);
      const lows1 = low(two);
      const highs1 = high(two);
      a0 = add(a0, lows0, highs0, by);
      a1 = add(a1, lows1, highs1, by);
      b0 = add(b0, lows0, highs0, by + 32);
      b1 = add(b1, lows1, highs1, by + 32);
      c0 = add(c0, lows0, highs0, by + 64);
      c1 = add(c1, lows1, highs1, by + 64);
      d0 = add(d0, lows0, highs0, by + 96);
      d1 = add(d1, lows1, highs1, by + 96);
      from += stride;
      by += 4 * TABLE_BYTES;
    }
    v128.store(output, a0);
    v128.store(output, a1, 16);
    v128.store(output + stride, b0);
    v128.store(output + stride, b1, 16);
    v128.store(output + 2 * stride, c0);
    v128.store(output + 2 * stride, c1, 16);
    v128.store(output + 3 * stride, d0);
    v128.store(output + 3 * stride, d1, 16);
    output += 32;
  }
}

/** Makes one output of which every coefficient is 1: the sum of the inputs, twice as fast and more than products by 1. */
export function sum(inputs: u32, bytes: u32, stride: u32): void {
  let output: usize = WINDOWS + inputs * stride;
  for (let at: usize = WINDOWS; at < WINDOWS + bytes; at += 64) {
    let a = i8x16.splat(0);
    let b = i8x16.splat(0);
    let c = i8x16.splat(0);
    let d = i8x16.splat(0);
    let from = at;
    for (let input: u32 = 0; input < inputs; input += 1) {
      a = v128.xor(a, v128.load(from));
      b = v128.xor(b, v128.load(from, 16));
      c = v128.xor(c, v128.load(from, 32));
      d = v128.xor(d, v128.load(from, 48));
      from += stride;
    }
    v128.store(output, a);
    v128.store(output, b, 16);
    v128.store(output, c, 32);
    v128.store(output, d, 48);
    output += 64;
  }
}

/**
 * Makes the outputs of rows [first, first + rows) for one window, in the windows behind those of the inputs.
 * @param first a multiple of GROUP_ROWS
 * @param rows 1 to GROUP_ROWS; fewer in the last group only
 * @param bytes of the window, a multiple of STEP_BYTES
 * @param stride bytes from one window to the next, a multiple of 16
 */
export function multiply(first: u32, rows: u32, inputs: u32, bytes: u32, stride: u32): void {
  const table: usize = TABLES + <usize>first * inputs * TABLE_BYTES;
  const output: usize = WINDOWS + inputs * stride;
  if (rows == 1) oneRow(table, output, inputs, bytes, stride);
  else if (rows == 2) twoRows(table, output, inputs, bytes, stride);
  else if (rows == 3) threeRows(table, output, inputs, bytes, stride);
  else fourRows(table, output, inputs, bytes, stride);
}
