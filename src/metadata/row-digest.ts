/**
 * The short digest that every metadata row carries, and the sum of them that every table keeps.
 *
 * In a plain store a row digest is the first 8 bytes of BLAKE3 over the table's name and the values of its columns,
 * each with its type and length, so that no two different rows have the same bytes. Database pages carry no checksums:
 * this is what finds a changed row. The sum, modulo 2^64, with the number of rows, is what finds a row that vanished or
 * appeared. Against accident, not against an attacker, who could compute both. In a sealed store the digest is a keyed
 * one of 16 bytes and the sum is sealed: see `sealed-codec.ts`.
 */
import { utf8Encode } from '../bytes/bytes.ts';
import { blake3 } from '../hash/index.ts';
import type { SqlRow, SqlValue } from './database.ts';

export const ROW_DIGEST_BYTES = 8;

const TYPE = { null: 0, number: 1, bytes: 2, string: 3, bigint: 4 } as const;

/** Grows to the largest row seen; a row is hashed in one synchronous call, so one buffer serves all. */
let scratch = new Uint8Array(1024);
let view = new DataView(scratch.buffer);
let length = 0;

function reserve(count: number): void {
  if (length + count <= scratch.length) return;
  const grown = new Uint8Array(2 * (length + count));
  grown.set(scratch.subarray(0, length));
  scratch = grown;
  view = new DataView(grown.buffer);
}

function append(type: number, bytes: Uint8Array): void {
  reserve(5 + bytes.length);
  view.setUint8(length, type);
  view.setUint32(length + 1, bytes.length, true);
  scratch.set(bytes, length + 5);
  length += 5 + bytes.length;
}

function appendNumber(value: number): void {
  reserve(9);
  view.setUint8(length, TYPE.number);
  // A double holds every safe integer exactly; narrower fields would wrap and hide a flipped high bit.
  view.setFloat64(length + 1, value, true);
  length += 9;
}

function appendValue(value: SqlValue | undefined): void {
  if (typeof value === 'number') appendNumber(value);
  else if (value instanceof Uint8Array) append(TYPE.bytes, value);
  else if (typeof value === 'string') append(TYPE.string, utf8Encode(value));
  else if (typeof value === 'bigint') append(TYPE.bigint, utf8Encode(String(value)));
  else append(TYPE.null, new Uint8Array(0));
}

function finish(): Uint8Array {
  const framed = scratch.subarray(0, length);
  length = 0;
  return framed;
}

function digest(framed: Uint8Array): Uint8Array {
  return blake3(framed).slice(0, ROW_DIGEST_BYTES);
}

const tableNames = new Map<string, Uint8Array>();

function begin(table: string): void {
  let name = tableNames.get(table);
  if (!name) {
    name = utf8Encode(table);
    tableNames.set(table, name);
  }
  append(TYPE.string, name);
}

/**
 * A table's name and some values, in bytes that no other name and values have.
 * @returns a view of memory that the next row is framed in
 */
export function frameValues(table: string, values: readonly SqlValue[]): Uint8Array {
  begin(table);
  for (const value of values) appendValue(value);
  return finish();
}

/** `frameValues` of the named columns of a row as read, in that order. */
export function frameColumns(table: string, row: SqlRow, columns: readonly string[]): Uint8Array {
  begin(table);
  for (const column of columns) appendValue(row[column]);
  return finish();
}

/** The digest of a row about to be written: its values in column order. */
export function digestValues(table: string, values: readonly SqlValue[]): Uint8Array {
  return digest(frameValues(table, values));
}

/** The digest that a row as read should carry: of the named columns, in that order. */
export function digestColumns(table: string, row: SqlRow, columns: readonly string[]): Uint8Array {
  return digest(frameColumns(table, row, columns));
}

/** Number of rows and sum of their digests, modulo what a digest can hold. */
export interface TableSum {
  readonly rows: number;
  readonly sum: bigint;
}

export const EMPTY_SUM: TableSum = { rows: 0, sum: 0n };

/** Little-endian; digests are whole words of 64 bits. */
function toNumber(digest: Uint8Array): bigint {
  scratch.set(digest);
  let value = 0n;
  for (let at = digest.length - 8; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
  return value;
}

/** The sum with a row added (`count` 1) or taken away (`count` -1). */
export function addToSum(total: TableSum, digest: Uint8Array, count: 1 | -1): TableSum {
  const change = count === 1 ? toNumber(digest) : -toNumber(digest);
  return { rows: total.rows + count, sum: BigInt.asUintN(8 * digest.length, total.sum + change) };
}

/** @param digestBytes of the digests that were summed */
export function encodeSum(sum: bigint, digestBytes: number): Uint8Array {
  const bytes = new Uint8Array(digestBytes);
  const words = new DataView(bytes.buffer);
  for (let at = 0; at < digestBytes; at += 8) words.setBigUint64(at, BigInt.asUintN(64, sum >> BigInt(8 * at)), true);
  return bytes;
}

export function decodeSum(bytes: Uint8Array): bigint {
  return toNumber(bytes);
}
