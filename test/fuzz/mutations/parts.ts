/**
 * Inputs of several parts: a proof and its root, a header and its content, the files of a folder. Each part has its length
 * before it; what a mutation leaves over at the end is the last part.
 */
import { concatBytes } from '../../../src/bytes/bytes.ts';
import { type Mutation, pick } from './mutation.ts';

export function partsInput(parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    parts.flatMap((part) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, part.length, true);
      return [length, part];
    }),
  );
}

export function inputParts(input: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < input.length; ) {
    const view = new DataView(input.buffer, input.byteOffset + at, input.length - at);
    const length = view.byteLength < 4 ? 0 : view.getUint32(0, true);
    // Copies: what is read of one part must not be able to touch another.
    parts.push(input.slice(Math.min(at + 4, input.length), at + 4 + length));
    at += 4 + length;
  }
  return parts;
}

/** The part of this number, empty where there is none. */
export function partAt(parts: readonly Uint8Array[], index: number): Uint8Array {
  return parts[index] ?? new Uint8Array(0);
}

/**
 * Changes one part by the mutations that are listed for its place (the last ones for all further parts), or takes the part
 * of another sample.
 */
export function partMutations(byPlace: readonly (readonly Mutation[])[]): readonly Mutation[] {
  const change: Mutation = (input, random, others) => {
    const parts = inputParts(input);
    const samples = others.map(inputParts);
    const at = random.integer(Math.max(1, parts.length));
    const same = samples.map((sample) => partAt(sample, at));
    if (random.integer(8) === 0) parts[at] = pick(random, same);
    else parts[at] = pick(random, byPlace[Math.min(at, byPlace.length - 1)] ?? [])(partAt(parts, at), random, same);
    return partsInput(parts);
  };
  return [change];
}
