/** What crosses between a worker thread and its owner, in a form that structured cloning keeps. */
import type { ErrorCode } from '../errors/codes.ts';
import { type ErrorDetails, isStoreError, storeError } from '../errors/store-error.ts';
import { isPackedRows, packRows, unpackRows } from './worker-rows.ts';

export interface CallMessage {
  readonly call: number;
  readonly method: string;
  readonly args: Packed;
  readonly abortable: boolean;
}

/** Owner to worker. */
export type Request = CallMessage | { readonly abort: number };

/** Worker to owner. */
export type Reply =
  | { readonly call: number; readonly value: Packed }
  | { readonly call: number; readonly error: WireError }
  | { readonly call: number; readonly progress: readonly unknown[] };

/** A result whose buffers move to the other thread instead of being copied; here they are empty afterwards. */
export class Transferred {
  readonly value: unknown;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: unknown, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

interface WireErrorBase {
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: WireError | undefined;
}

/** An error as plain data; cloning itself would lose class and fields. */
export type WireError = WireErrorBase &
  (
    | { readonly type: 'store'; readonly code: ErrorCode; readonly details: ErrorDetails; readonly retry: boolean }
    | { readonly type: 'TypeError' | 'RangeError'; readonly fields: Readonly<Record<string, unknown>> }
    | { readonly type: 'other'; readonly name: string; readonly code: string | undefined }
  );

/** Causes of causes are kept down to here; an error must not grow without bound on its way up. */
const CAUSE_DEPTH_MAX = 4;

/** Plain data for any thrown value. */
export function encodeError(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) {
    return {
      type: 'other',
      name: 'Error',
      code: undefined,
      message: String(error),
      stack: undefined,
      cause: undefined,
    };
  }
  const cause = error.cause === undefined || depth >= CAUSE_DEPTH_MAX ? undefined : encodeError(error.cause, depth + 1);
  const base = { message: error.message, stack: error.stack, cause };
  if (isStoreError(error)) {
    return { ...base, type: 'store', code: error.code, details: { ...error.details }, retry: error.retry };
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    const { kind, code, parameter } = error as { kind?: unknown; code?: unknown; parameter?: unknown };
    const type = error instanceof TypeError ? 'TypeError' : 'RangeError';
    return { ...base, type, fields: { kind, code, parameter } };
  }
  const { code } = error as { code?: unknown };
  return { ...base, type: 'other', name: error.name, code: typeof code === 'string' ? code : undefined };
}

function rebuild(wire: WireError, cause: Error | undefined): Error {
  const { message } = wire;
  const options = cause && { cause };
  switch (wire.type) {
    case 'store':
      return storeError(wire.code, message, { details: wire.details, retry: wire.retry, cause });
    case 'TypeError':
      return Object.assign(new TypeError(message, options), wire.fields);
    case 'RangeError':
      return Object.assign(new RangeError(message, options), wire.fields);
    case 'other': {
      const error = new Error(message, options);
      error.name = wire.name;
      return wire.code === undefined ? error : Object.assign(error, { code: wire.code });
    }
  }
}

/** The error again, in its class, with the stack of the thread it came from. */
export function decodeError(wire: WireError): Error {
  const error = rebuild(wire, wire.cause && decodeError(wire.cause));
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

/** A value as it crosses. */
export interface Packed {
  readonly value: unknown;
  /** Whether there are rows in it that stand as columns. */
  readonly hasRows: boolean;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Byte arrays up to this length cross many to a buffer: one of its own costs an id of 32 bytes ten times as many. */
const GATHERED_BYTES_MAX = 256;
/** Whoever keeps one of them keeps all of its buffer, so that is a small one, and smaller where there are few. */
const GATHERING_BYTES = { first: 256, max: 4096 } as const;

/** What has been made of the parts of one value so far. */
class Packing {
  readonly #seen = new Map<object, unknown>();
  #gathering = new Uint8Array(0);
  #nextBytes: number = GATHERING_BYTES.first;
  hasRows = false;

  #bytes(bytes: Uint8Array): Uint8Array {
    if (bytes.length > GATHERED_BYTES_MAX) {
      return bytes.byteLength < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
    }
    if (this.#gathering.length < bytes.length) {
      this.#gathering = new Uint8Array(this.#nextBytes);
      this.#nextBytes = Math.min(2 * this.#nextBytes, GATHERING_BYTES.max);
    }
    const gathered = this.#gathering.subarray(0, bytes.length);
    gathered.set(bytes);
    this.#gathering = this.#gathering.subarray(bytes.length);
    return gathered;
  }

  #parts(value: object): unknown {
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (Array.isArray(value)) {
      const rows = packRows(value, isPlainObject, (one) => this.of(one));
      this.hasRows ||= rows !== undefined;
      return rows ?? value.map((item) => this.of(item));
    }
    if (!isPlainObject(value)) return value;
    const packed: Record<string, unknown> = {};
    for (const name of Object.keys(value)) packed[name] = this.of(value[name]);
    return packed;
  }

  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#seen.get(value);
    if (known !== undefined) return known;
    const packed = this.#parts(value);
    this.#seen.set(value, packed);
    return packed;
  }
}

/**
 * The same value for cloning: without byte arrays that are a part of a larger buffer, as cloning such a view copies the
 * whole buffer, and with many rows of one shape as columns. What is shared inside the value stays shared, but for the
 * rows themselves and byte arrays in them.
 */
export function pack(value: unknown): Packed {
  const packing = new Packing();
  return { value: packing.of(value), hasRows: packing.hasRows };
}

/** What was packed, as the other thread sees it. The clone is used up. */
export function unpack({ value, hasRows }: Packed): unknown {
  if (!hasRows) return value;
  const seen = new Map<object, unknown>();
  const unpackOne = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return one;
    const known = seen.get(one);
    if (known !== undefined) return known;
    seen.set(one, one);
    if (Array.isArray(one)) {
      for (const [index, item] of one.entries()) one[index] = unpackOne(item);
    } else if (isPlainObject(one)) {
      if (isPackedRows(one)) {
        const rows = unpackRows(one, unpackOne);
        seen.set(one, rows);
        return rows;
      }
      for (const name of Object.keys(one)) one[name] = unpackOne(one[name]);
    }
    return one;
  };
  return unpackOne(value);
}
