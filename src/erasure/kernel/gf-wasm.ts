import { instantiateWasm, isWasmRunnable, type WasmMemory, type WasmValue } from '../../runtime/wasm.ts';
import { gfMultiply } from '../gf.ts';
import { GF_WASM_BASE64 } from './gf.generated.ts';
import type { GfKernel } from './gf-kernel.ts';
import { twinKernel } from './gf-twin.ts';

/** What `gf.as.ts` exports. */
interface GfExports {
  readonly memory: WasmMemory;
  readonly LOW_NIBBLES: WasmValue;
  readonly PRODUCTS: WasmValue;
  readonly COEFFICIENTS: WasmValue;
  readonly WINDOWS: WasmValue;
  readonly WINDOWS_BYTES: WasmValue;
  readonly GROUP_ROWS: WasmValue;
  readonly STEP_BYTES: WasmValue;
  prepare(rows: number, inputs: number): void;
  sum(inputs: number, bytes: number, stride: number): void;
  multiply(first: number, rows: number, inputs: number, bytes: number, stride: number): void;
}

/**
 * Longer windows leave less to the calls around them, shorter ones stay in the caches. From 8 KiB to 64 KiB the speed of
 * 2+1 to 10+4 differed by less than a fifth; 16 KiB was best or as good as the best for each.
 */
const WINDOW_BYTES_MAX = 16_384;
/** Keeps windows of one column apart in the first-level cache, where addresses 4 KiB apart compete. */
const WINDOW_GAP_BYTES = 192;

class WasmKernel implements GfKernel {
  readonly #exports: GfExports;
  readonly #memory: Uint8Array;
  readonly #windows: number;
  readonly #groupRows: number;
  #prepared: Uint8Array | undefined;
  /** Whether the first row of the matrix is all ones, and left out of what was prepared. */
  #hasSum = false;

  constructor() {
    const exports = instantiateWasm<GfExports>(GF_WASM_BASE64);
    this.#exports = exports;
    this.#memory = new Uint8Array(exports.memory.buffer);
    this.#windows = exports.WINDOWS.value;
    this.#groupRows = exports.GROUP_ROWS.value;
    this.#memory.fill(0x0f, exports.LOW_NIBBLES.value, exports.LOW_NIBBLES.value + 16);
    for (let coefficient = 0; coefficient < 256; coefficient += 1) {
      const at = exports.PRODUCTS.value + 32 * coefficient;
      for (let nibble = 0; nibble < 16; nibble += 1) {
        this.#memory[at + nibble] = gfMultiply(coefficient, nibble);
        this.#memory[at + 16 + nibble] = gfMultiply(coefficient, nibble << 4);
      }
    }
  }

  multiply(coefficients: Uint8Array, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    this.#prepare(coefficients, outputs.length, inputs.length);
    const length = inputs[0]!.length;
    const windowBytes = this.#windowBytes(inputs.length);
    for (let start = 0; start < length; start += windowBytes) {
      this.#window(inputs, outputs, { start, end: Math.min(length, start + windowBytes) });
    }
  }

  // The first parity of 3+2 and 7+8, what restores one lost data shard from it, and copies: a plain sum is worth a case.
  #prepare(coefficients: Uint8Array, rows: number, inputs: number): void {
    if (this.#prepared === coefficients) return;
    this.#hasSum = coefficients.subarray(0, inputs).every((coefficient) => coefficient === 1);
    const skipped = this.#hasSum ? 1 : 0;
    this.#memory.set(coefficients.subarray(skipped * inputs), this.#exports.COEFFICIENTS.value);
    this.#exports.prepare(rows - skipped, inputs);
    this.#prepared = coefficients;
  }

  /** The longest window of which all inputs and one group of outputs fit. */
  #windowBytes(inputs: number): number {
    const { WINDOWS_BYTES, STEP_BYTES } = this.#exports;
    const room = Math.floor(WINDOWS_BYTES.value / (inputs + this.#groupRows)) - WINDOW_GAP_BYTES;
    return Math.min(WINDOW_BYTES_MAX, room - (room % STEP_BYTES.value));
  }

  // Copying in and out costs about as much as multiplying for few shards, so nothing is copied twice: inputs come in once
  // for all groups, outputs go straight to the caller.
  #window(
    inputs: readonly Uint8Array[],
    outputs: readonly Uint8Array[],
    { start, end }: { readonly start: number; readonly end: number },
  ): void {
    const step = this.#exports.STEP_BYTES.value;
    const bytes = Math.ceil((end - start) / step) * step;
    const stride = bytes + WINDOW_GAP_BYTES;
    let at = this.#windows;
    for (const input of inputs) {
      this.#memory.set(input.subarray(start, end), at);
      at += stride;
    }
    const give = (output: Uint8Array, from: number) =>
      output.set(this.#memory.subarray(from, from + end - start), start);
    const skipped = this.#hasSum ? 1 : 0;
    if (skipped === 1) {
      this.#exports.sum(inputs.length, bytes, stride);
      give(outputs[0]!, at);
    }
    for (let first = skipped; first < outputs.length; first += this.#groupRows) {
      const rows = Math.min(this.#groupRows, outputs.length - first);
      this.#exports.multiply(first - skipped, rows, inputs.length, bytes, stride);
      for (let row = 0; row < rows; row += 1) give(outputs[first + row]!, at + row * stride);
    }
  }
}

let shared: GfKernel | undefined;

/**
 * The kernel of this thread: WebAssembly with SIMD, compiled at its first use (a millisecond, 1.25 MiB of memory), or the
 * twin where that cannot run.
 */
export function gfKernel(): GfKernel {
  shared ??= isWasmRunnable(GF_WASM_BASE64) ? new WasmKernel() : twinKernel;
  return shared;
}
