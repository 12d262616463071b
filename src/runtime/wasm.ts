/** The part of the WebAssembly API used here; the types of Node do not declare it. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly validate: (bytes: Uint8Array) => boolean;
}

/** An exported constant of a kernel. */
export interface WasmValue {
  readonly value: number;
}

/** The exported memory of a kernel. Kernels have memory of a fixed size, so views of it stay valid. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

function api(): WasmApi {
  return (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
}

/**
 * Compiles and instantiates a kernel without imports, on this thread.
 * @param base64 the module, as `scripts/build-kernel.mjs` writes it
 * @returns its exports, which the caller declares; its own instance with its own memory
 */
export function instantiateWasm<Exports>(base64: string): Exports {
  const { Module, Instance } = api();
  return new Instance(new Module(Buffer.from(base64, 'base64')), {}).exports as Exports;
}

/** Whether this machine can run a kernel: engines leave out SIMD where the processor lacks it. */
export function isWasmRunnable(base64: string): boolean {
  return api().validate(Buffer.from(base64, 'base64'));
}
