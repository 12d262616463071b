/**
 * Changes of CBOR (RFC 8949) item by item: an item becomes another one, arrays lose, gain or exchange items, heads lie
 * about lengths or are spelt in a way that is not the shortest. The walk is its own, and lenient.
 */
import { concatBytes } from '../../../src/bytes/bytes.ts';
import type { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { BYTE_MUTATIONS } from './bytes.ts';
import { type Mutation, pick, replaced } from './mutation.ts';

interface Item {
  readonly major: number;
  readonly argument: bigint;
  readonly start: number;
  /** Behind the head. */
  readonly body: number;
  readonly end: number;
  /** Of an array or map; a map has names and values in turn. */
  readonly items: readonly Item[];
}

/** Head of major type and argument in the shortest form, or in one of `width` bytes (RFC 8949, section 3). */
function head(major: number, argument: bigint, width?: 1 | 2 | 4 | 8): Uint8Array {
  const value = BigInt.asUintN(64, argument);
  if (width === undefined && value < 24n) return Uint8Array.of((major << 5) | Number(value));
  const shortest = value < 0x100n ? 1 : value < 0x1_0000n ? 2 : value < 0x1_0000_0000n ? 4 : 8;
  const bytes = width ?? shortest;
  const encoded = new Uint8Array(9);
  encoded[0] = (major << 5) | { 1: 24, 2: 25, 4: 26, 8: 27 }[bytes];
  new DataView(encoded.buffer).setBigUint64(1, value << BigInt(64 - 8 * bytes));
  return encoded.slice(0, 1 + bytes);
}

const ITEMS_MAX = 20_000;
const DEPTH_MAX = 500;

/** @returns `undefined` where there is no item, or more of them than are worth the walk */
function readItem(input: Uint8Array, start: number, walk = { items: 0, depth: 0 }): Item | undefined {
  const first = input[start];
  walk.items += 1;
  if (first === undefined || walk.items > ITEMS_MAX || walk.depth > DEPTH_MAX) return undefined;
  const [major, short] = [first >> 5, first & 31];
  const width = short < 24 ? 0 : { 24: 1, 25: 2, 26: 4, 27: 8 }[short];
  if (width === undefined || start + 1 + width > input.length) return undefined;
  let argument = short < 24 ? BigInt(short) : 0n;
  for (let index = 0; index < width; index += 1) argument = (argument << 8n) | BigInt(input[start + 1 + index] ?? 0);
  const body = start + 1 + width;
  const item = { major, argument, start, body };
  if (major === 2 || major === 3) {
    const end = body + Number(argument);
    return end <= input.length ? { ...item, end, items: [] } : undefined;
  }
  const contained = major === 4 ? argument : major === 5 ? 2n * argument : major === 6 ? 1n : 0n;
  const items: Item[] = [];
  let end = body;
  walk.depth += 1;
  for (let index = 0n; index < contained; index += 1n) {
    const one = readItem(input, end, walk);
    if (one === undefined) return undefined;
    items.push(one);
    end = one.end;
  }
  walk.depth -= 1;
  return { ...item, end, items };
}

function allItems(root: Item): readonly Item[] {
  const items = [root];
  // Grows while it is walked.
  for (const item of items) items.push(...item.items);
  return items;
}

const INTEGERS = [
  0n,
  1n,
  2n,
  23n,
  24n,
  31n,
  32n,
  33n,
  255n,
  256n,
  65_535n,
  65_536n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 64n - 1n,
];

function foreignItem(random: SeededRandom, like: Item): Uint8Array {
  const number = pick(random, [...INTEGERS, like.argument + 1n, like.argument - 1n]);
  const length = pick(random, [0, 1, 16, 31, 32, 33, 64, 300]);
  const text = pick(random, ['', 'a', '__proto__', 'é', '\0', 'x'.repeat(300)]);
  return pick(random, [
    head(0, number),
    head(0, number),
    // One more than a negative one.
    head(1, number),
    concatBytes([head(2, BigInt(length)), random.bytes(length)]),
    concatBytes([head(3, BigInt(Buffer.byteLength(text))), Buffer.from(text)]),
    // A text that is no UTF-8, and one that begins with a byte order mark.
    Uint8Array.of(0x62, 0xff, 0xfe),
    Uint8Array.of(0x63, 0xef, 0xbb, 0xbf),
    Uint8Array.of(0x80),
    Uint8Array.of(0xa0),
    Uint8Array.of(0x81, 0xf6),
    Uint8Array.of(0xa1, 0x61, 0x61, 0x00),
    // null, false, true, undefined, half a NaN, 1.5, a tag, an array without an end, a simple value.
    ...[
      [0xf6],
      [0xf4],
      [0xf5],
      [0xf7],
      [0xf9, 0x7e, 0x00],
      [0xf9, 0x3e, 0x00],
      [0xc0, 0x00],
      [0x9f, 0xff],
      [0xf8, 0x20],
    ].map((bytes) => Uint8Array.from(bytes)),
  ]);
}

/** An item becomes a foreign one, or one from elsewhere in this sample or another. */
function replaceItem(input: Uint8Array, random: SeededRandom, { item, items, others }: Choice): Uint8Array {
  if (random.integer(3) > 0) return replaced(input, item, foreignItem(random, item));
  const source = random.integer(2) === 0 ? undefined : pick(random, others);
  const root = source && readItem(source, 0);
  const taken = root ? pick(random, allItems(root)) : pick(random, items);
  return replaced(input, item, (root && source ? source : input).subarray(taken.start, taken.end));
}

/** One item more, fewer, or elsewhere; the count in the head follows, mostly. */
function changeContained(input: Uint8Array, random: SeededRandom, { item, items }: Choice): Uint8Array {
  const encoded = item.items.map((one) => input.subarray(one.start, one.end));
  const step = item.major === 5 ? 2 : 1;
  const at = step * random.integer(Math.max(1, Math.floor(encoded.length / step)));
  const taken = encoded.splice(at, step);
  const other = pick(random, items);
  const how = random.integer(4);
  if (how === 0) encoded.splice(at, 0, ...taken, ...taken);
  else if (how === 1) encoded.splice(step * random.integer(encoded.length / step + 1), 0, ...taken);
  else if (how === 2)
    encoded.splice(at, 0, ...taken, ...Array.from({ length: step }, () => input.subarray(other.start, other.end)));
  const count = random.integer(8) === 0 ? item.argument : BigInt(Math.floor(encoded.length / step));
  return replaced(input, item, concatBytes([head(item.major, count), ...encoded]));
}

/** The head of an item says another length or number, or the same one in more bytes. */
function changeHead(input: Uint8Array, random: SeededRandom, { item }: Choice): Uint8Array {
  const place = { start: item.start, end: item.body };
  if (random.integer(2) === 0)
    return replaced(input, place, head(item.major, item.argument, pick(random, [1, 2, 4, 8] as const)));
  if (random.integer(4) === 0)
    return replaced(input, place, Uint8Array.of((item.major << 5) | pick(random, [28, 29, 30, 31])));
  const argument = pick(random, [...INTEGERS, item.argument + 1n, item.argument - 1n]);
  return replaced(input, place, head(random.integer(8) === 0 ? random.integer(8) : item.major, argument));
}

/** Bytes or text of another length, the head saying so. */
function resize(input: Uint8Array, random: SeededRandom, { item, others }: Choice): Uint8Array {
  const content = input.subarray(item.body, item.end);
  const changed = pick(random, BYTE_MUTATIONS)(content, random, others);
  return replaced(input, item, concatBytes([head(item.major, BigInt(changed.length)), changed]));
}

interface Choice {
  readonly item: Item;
  readonly items: readonly Item[];
  readonly others: readonly Uint8Array[];
}

const changeItem: Mutation = (input, random, others) => {
  const root = readItem(input, 0);
  if (root === undefined) return pick(random, BYTE_MUTATIONS)(input, random, others);
  const items = allItems(root);
  const choice = { item: pick(random, items), items, others };
  const { major } = choice.item;
  const way = random.integer(8);
  if (way < 3) return replaceItem(input, random, choice);
  if (way < 4) return changeHead(input, random, choice);
  if (major === 4 || major === 5) return changeContained(input, random, choice);
  if (major === 2 || major === 3) return resize(input, random, choice);
  return replaceItem(input, random, choice);
};

const nest: Mutation = (input, random) => {
  const root = readItem(input, 0);
  if (root === undefined) return input;
  const { start } = pick(random, allItems(root));
  const depth = pick(random, [1, 7, 8, 9, 100, 5000]);
  // Arrays of one item, or tags.
  return replaced(input, { start, end: start }, new Uint8Array(depth).fill(random.integer(4) === 0 ? 0xc1 : 0x81));
};

export const CBOR_MUTATIONS: readonly Mutation[] = [
  ...[changeItem, changeItem, changeItem, changeItem, changeItem, changeItem, changeItem],
  ...[nest, ...BYTE_MUTATIONS.slice(0, 5)],
];
