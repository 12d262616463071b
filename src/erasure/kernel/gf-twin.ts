import { gfMultiply } from '../gf.ts';
import type { GfKernel } from './gf-kernel.ts';

const PRODUCT_TABLES: Uint8Array[] = [];

/** All products by one coefficient, made when first asked for: 256 bytes each, 64 KiB in the end. */
function productsBy(coefficient: number): Uint8Array {
  PRODUCT_TABLES[coefficient] ??= Uint8Array.from({ length: 256 }, (_, byte) => gfMultiply(coefficient, byte));
  return PRODUCT_TABLES[coefficient];
}

function addProducts(products: Uint8Array, input: Uint8Array, output: Uint8Array): void {
  for (let at = 0; at < output.length; at += 1) output[at]! ^= products[input[at]!]!;
}

function multiply(coefficients: Uint8Array, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
  for (const [row, output] of outputs.entries()) {
    output.fill(0);
    for (const [column, input] of inputs.entries()) {
      addProducts(productsBy(coefficients[row * inputs.length + column]!), input, output);
    }
  }
}

/**
 * The kernel in plain TypeScript, a table look-up a byte: the oracle of the WebAssembly kernel, and what runs where the
 * processor has no SIMD.
 */
export const twinKernel: GfKernel = { multiply };
