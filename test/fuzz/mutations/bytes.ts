/** Changes of bytes that know no format: bits, bytes, spans, splices, and numbers in the widths that formats have. */
import { EMPTY_BYTES } from '../../../src/bytes/bytes.ts';
import type { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { type Mutation, pick, randomSpan, replaced, smallCount } from './mutation.ts';

const BYTES = [0x00, 0x01, 0x20, 0x7f, 0x80, 0xfe, 0xff];

/** Numbers at which widths, signs and doubles end, and sizes that nobody has the memory for. */
const NUMBERS = [
  ...[0n, 1n, 2n, 15n, 16n, 31n, 32n, 127n, 128n, 255n, 256n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];

const flipBit: Mutation = (input, random) => {
  const changed = input.slice();
  for (let count = 1 + random.integer(4); count > 0 && changed.length > 0; count -= 1) {
    const at = random.integer(changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(8));
  }
  return changed;
};

const setByte: Mutation = (input, random) => {
  const changed = input.slice();
  if (changed.length > 0) changed[random.integer(changed.length)] = pick(random, BYTES);
  return changed;
};

const truncate: Mutation = (input, random) => {
  const cut = random.integer(3) === 0 ? random.integer(input.length + 1) : smallCount(random, 64);
  return random.integer(4) === 0
    ? input.slice(Math.min(cut, input.length))
    : input.slice(0, Math.max(0, input.length - cut));
};

const extend: Mutation = (input, random) => {
  const added =
    random.integer(2) === 0 ? new Uint8Array(smallCount(random, 4096)) : random.bytes(smallCount(random, 256));
  const at = pick(random, [0, input.length, random.integer(input.length + 1)]);
  return replaced(input, { start: at, end: at }, added);
};

/** The front of this and the back of another sample, joined anywhere or at one place. */
const splice: Mutation = (input, random, others) => {
  const other = pick(random, others);
  const at = random.integer(input.length + 1);
  const from = random.integer(2) === 0 ? Math.min(at, other.length) : random.integer(other.length + 1);
  return replaced(input, { start: at, end: input.length }, other.subarray(from));
};

/** A span of another sample, or of this one, in the place of one here. */
const transplant: Mutation = (input, random, others) => {
  const source = random.integer(2) === 0 ? input : pick(random, others);
  const { start, end } = randomSpan(random, source.length);
  const at = random.integer(input.length + 1);
  const isOverwrite = random.integer(2) === 0;
  return replaced(
    input,
    { start: at, end: isOverwrite ? Math.min(input.length, at + end - start) : at },
    source.subarray(start, end),
  );
};

const repeatSpan: Mutation = (input, random) => {
  const { start, end } = randomSpan(random, input.length);
  const times = smallCount(random, 64);
  const span = input.subarray(start, end);
  const repeated = new Uint8Array(span.length * times);
  for (let index = 0; index < times; index += 1) repeated.set(span, index * span.length);
  return replaced(input, { start: end, end }, repeated);
};

const deleteSpan: Mutation = (input, random) => replaced(input, randomSpan(random, input.length), EMPTY_BYTES);

const noise: Mutation = (input, random) => {
  const span = randomSpan(random, input.length);
  return replaced(input, span, random.bytes(span.end - span.start));
};

function boundary(random: SeededRandom, input: Uint8Array, current: bigint): bigint {
  const near = [BigInt(input.length), current].map((value) => value + BigInt(random.integer(5)) - 2n);
  return pick(random, [...NUMBERS, ...NUMBERS.map((value) => -value), ...near]);
}

/** A field of 1, 2, 4 or 8 bytes set to a number where something ends, in either byte order. */
export const setNumber: Mutation = (input, random) => {
  const width = pick(random, [1, 2, 4, 8] as const);
  if (input.length < width) return input;
  const last = input.length - width;
  const at = random.integer(2) === 0 ? random.integer(last + 1) : Math.floor(random.integer(last + 1) / width) * width;
  const changed = input.slice();
  const view = new DataView(changed.buffer);
  const isLittle = random.integer(4) > 0;
  const padded = new DataView(new ArrayBuffer(8));
  for (let index = 0; index < width; index += 1)
    padded.setUint8(index, view.getUint8(at + (isLittle ? index : width - 1 - index)));
  padded.setBigUint64(0, BigInt.asUintN(64, boundary(random, input, padded.getBigUint64(0, true))), true);
  for (let index = 0; index < width; index += 1)
    view.setUint8(at + (isLittle ? index : width - 1 - index), padded.getUint8(index));
  return changed;
};

export const BYTE_MUTATIONS: readonly Mutation[] = [
  ...[flipBit, setByte, setNumber, setNumber, truncate, extend],
  ...[splice, transplant, repeatSpan, deleteSpan, noise],
];
