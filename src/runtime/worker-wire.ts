/** What crosses between a worker thread and its owner, in a form that structured cloning keeps. */
import type { ErrorCode } from '../errors/codes.ts';
import { type ErrorDetails, StoreError, storeError } from '../errors/store-error.ts';

export interface CallMessage {
  readonly call: number;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly abortable: boolean;
}

/** Owner to worker. */
export type Request = CallMessage | { readonly abort: number };

/** Worker to owner. */
export type Reply =
  | { readonly call: number; readonly value: unknown }
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
  if (error instanceof StoreError) {
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

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The same value without byte arrays that are a part of a larger buffer: cloning such a view copies the whole buffer.
 * What is shared inside the value stays shared.
 */
export function compactBytes(value: unknown, seen = new Map<object, unknown>()): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  let compact: unknown = value;
  if (value instanceof Uint8Array) {
    if (value.byteLength < value.buffer.byteLength) compact = new Uint8Array(value);
  } else if (Array.isArray(value)) {
    compact = value.map((item) => compactBytes(item, seen));
  } else if (isPlainObject(value)) {
    compact = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, compactBytes(item, seen)]));
  }
  seen.set(value, compact);
  return compact;
}
