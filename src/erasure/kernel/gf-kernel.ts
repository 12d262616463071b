/**
 * The hot loop of coding. A kernel keeps nothing between calls that matters to them, so one kernel serves every codec of
 * a thread.
 */
export interface GfKernel {
  /**
   * Makes `output[r][b] = sum over i of coefficients[r * inputs.length + i] * input[i][b]` over GF(2^8).
   * @param coefficients as many as inputs times outputs, 16,384 at most; read only, and not changed afterwards either:
   *   a kernel may know an array again by its identity
   * @param inputs of one length, at least one
   * @param outputs of the same length, overlapping no input and each other not either; overwritten
   */
  multiply(coefficients: Uint8Array, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void;
}
