import { BUZHASH_WINDOW_BYTES } from '../../limits.ts';
import { instantiateWasm, type WasmMemory, type WasmValue } from '../../runtime/wasm.ts';
import { BUZHASH_WORDS } from '../buzhash-table.ts';
import { SCAN_WASM_BASE64 } from './scan.generated.ts';
import type { BuzhashRoll, GearRoll, ScanKernel } from './scan-kernel.ts';

/** What `scan.as.ts` exports. */
interface ScanExports {
  readonly memory: WasmMemory;
  readonly RESULT: WasmValue;
  readonly BUZHASH_TABLE: WasmValue;
  readonly GEAR_TABLE: WasmValue;
  readonly WINDOW: WasmValue;
  readonly WINDOW_BYTES: WasmValue;
  gear(length: number, maskHi: number, maskLo: number, hashHi: number, hashLo: number): number;
  buzhash(length: number, mask: number, state: number): number;
}

class WasmKernel implements ScanKernel {
  readonly #exports: ScanExports;
  readonly #memory: Uint8Array;
  readonly #words: Uint32Array;
  readonly #resultWord: number;
  readonly #gearWord: number;
  readonly #window: number;
  readonly #windowBytes: number;
  #loadedTable: Uint32Array | undefined;

  constructor() {
    const exports = instantiateWasm<ScanExports>(SCAN_WASM_BASE64);
    this.#exports = exports;
    this.#memory = new Uint8Array(exports.memory.buffer);
    this.#words = new Uint32Array(exports.memory.buffer);
    this.#resultWord = exports.RESULT.value / 4;
    this.#gearWord = exports.GEAR_TABLE.value / 4;
    this.#window = exports.WINDOW.value;
    this.#windowBytes = exports.WINDOW_BYTES.value;
    this.#words.set(BUZHASH_WORDS, exports.BUZHASH_TABLE.value / 4);
  }

  gear(bytes: Uint8Array, roll: GearRoll): number {
    if (this.#loadedTable !== roll.table) {
      this.#words.set(roll.table, this.#gearWord);
      this.#loadedTable = roll.table;
    }
    for (let start = 0; start < bytes.length; start += this.#windowBytes) {
      const end = Math.min(bytes.length, start + this.#windowBytes);
      this.#memory.set(bytes.subarray(start, end), this.#window);
      const fired = this.#exports.gear(end - start, roll.maskHi, roll.maskLo, roll.hashHi, roll.hashLo);
      roll.hashLo = this.#words[this.#resultWord]!;
      roll.hashHi = this.#words[this.#resultWord + 1]!;
      if (fired >= 0) return start + fired;
    }
    return -1;
  }

  buzhash(bytes: Uint8Array, roll: BuzhashRoll): number {
    this.#memory.set(roll.history, this.#window - BUZHASH_WINDOW_BYTES);
    for (let start = 0; start < bytes.length; start += this.#windowBytes) {
      const end = Math.min(bytes.length, start + this.#windowBytes);
      const before = start === 0 ? 0 : BUZHASH_WINDOW_BYTES;
      this.#memory.set(bytes.subarray(start - before, end), this.#window - before);
      const fired = this.#exports.buzhash(end - start, roll.mask, roll.state);
      roll.state = this.#words[this.#resultWord]!;
      if (fired >= 0) return start + fired;
    }
    return -1;
  }
}

let shared: ScanKernel | undefined;

/** The WebAssembly kernel of this thread, compiled at its first use (under a millisecond, 64 KiB of memory). */
export function wasmKernel(): ScanKernel {
  shared ??= new WasmKernel();
  return shared;
}
