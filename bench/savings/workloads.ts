/**
 * The synthetic workloads that chunkstore quotes its savings for, byte by byte as its tests build them. They are small
 * patterns on purpose: whoever compares figures needs the same bytes.
 */
import { MIB } from '../../src/limits.ts';

const BLOCK_BYTES = 4 * MIB;

/** Contents of one workload, made one after another so that gigabytes never lie in memory together. */
export interface Workload {
  readonly name: string;
  /** Per cent saved, as published or derived, by chunking profile. */
  readonly expected: Readonly<Record<string, number>>;
  contents(): Iterable<Uint8Array>;
}

function fill(length: number, byteAt: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = byteAt(index);
  return bytes;
}

/** As `fill`, where bytes come again after `period`: sixty times as fast. */
function periodic(length: number, period: number, byteAt: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(fill(period, byteAt));
  for (let filled = period; filled < length; filled *= 2) bytes.copyWithin(filled, 0, length - filled);
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function* pool(picksOf: (file: number) => readonly number[]): Iterable<Uint8Array> {
  const blocks = Array.from({ length: 200 }, (_, block) =>
    periodic(BLOCK_BYTES, 251, (index) => (31 * block + index) % 251),
  );
  for (let file = 0; file < 1000; file += 1) yield concat(...picksOf(file).map((block) => blocks[block]!));
}

function dedupPicks(file: number): readonly number[] {
  return [file % 200, (3 * file + 1) % 200, (7 * file + 2) % 200].slice(0, 1 + (file % 3));
}

function criterionPicks(file: number): readonly number[] {
  return [file % 200, (3 * file + 1) % 200, (7 * file + 2) % 200, (11 * file + 3) % 200].slice(0, 1 + (file % 4));
}

function* versions(): Iterable<Uint8Array> {
  const shared = periodic(18 * MIB, 200, (index) => index);
  yield concat(
    shared,
    periodic(2 * MIB, 17, (index) => index),
  );
  yield concat(
    shared,
    periodic(2 * MIB, 23, (index) => index),
  );
}

/** x = index * 0x9E3779B9, byte = (x >> 24) ^ (x >> 16) ^ (x >> 8): 20 MiB, then the same after one more byte. */
function* prefixInsert(): Iterable<Uint8Array> {
  const base = fill(20 * MIB, (index) => {
    const low = Math.imul(index, 0x9e3779b9);
    return ((low >>> 24) ^ (low >>> 16) ^ (low >>> 8)) & 0xff;
  });
  yield base;
  yield concat(Uint8Array.of(0xab), base);
}

function* fullDuplicate(): Iterable<Uint8Array> {
  const [content] = prefixInsert();
  yield content!;
  yield content!;
}

function* sharedBlock(): Iterable<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES).fill(0xbb);
  yield concat(block, Buffer.from('tail-a'));
  yield concat(block, Buffer.from('tail-b-longer'));
}

function* random(): Iterable<Uint8Array> {
  for (let file = 0; file < 50; file += 1) yield periodic(BLOCK_BYTES, 256, (index) => (17 * file + 13 * index) % 256);
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'dedup pool', expected: { 'fixed-4m': 89.995 }, contents: () => pool(dedupPicks) },
  { name: 'criterion pool', expected: { 'fixed-4m': 92 }, contents: () => pool(criterionPicks) },
  { name: 'versions 90/10', expected: { 'fixed-4m': 40 }, contents: versions },
  { name: 'prefix insert', expected: { 'fixed-4m': 0, chunkstore: 45.135 }, contents: prefixInsert },
  { name: 'full duplicate', expected: { 'fixed-4m': 50, chunkstore: 50, default: 50 }, contents: fullDuplicate },
  { name: 'shared block', expected: { 'fixed-4m': 49.9999 }, contents: sharedBlock },
  { name: 'random', expected: { 'fixed-4m': 0 }, contents: random },
];
