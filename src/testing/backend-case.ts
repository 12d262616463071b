import assert from 'node:assert/strict';
import type { Backend } from '../backend/contract.ts';
import { equalBytes } from '../bytes/bytes.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { isStoreError, type StoreError } from '../errors/store-error.ts';

/** What the suite uses of a test's context; that of Vitest and of `node:test` both fit. */
export interface SuiteContext {
  skip(note?: string): unknown;
}

/** A fresh, empty backend to test, and what can be done to it from outside. */
export interface OpenedBackend {
  readonly backend: Backend;
  /** The same blobs through a backend that accepts writes; needed when `backend` is read-only. */
  readonly writer?: Backend;
  /** Opens the same blobs once more, beside the first. */
  reopen?(): Promise<Backend>;
  /** Ends the life of the backend without closing it, as a crash or power cut does, and opens what is left. */
  crash?(): Promise<Backend>;
  /** Breaks what holds the bytes, as pulling out the disk does, for good. */
  fail?(): Promise<void>;
  /** Opens the same blobs without the right to write. */
  openReadOnly?(): Promise<Backend>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

/** One test of the suite. */
export interface BackendCase {
  /** Starts with the number of the guarantee. */
  readonly title: string;
  readonly run: (opened: OpenedBackend, context: SuiteContext) => Promise<void>;
}

/** The backend that the blobs of a test are written with. */
export function writerOf(opened: OpenedBackend): Backend {
  return opened.writer ?? opened.backend;
}

/** `length` bytes of one value: a mix of two such blobs shows itself. */
export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** Asserts the bytes of a blob without printing megabytes. */
export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array, `${what}: absent`);
  assert.equal(actual.length, expected.length, `${what}: length`);
  assert.ok(equalBytes(actual, expected), `${what}: content`);
}

/** Asserts that a call rejects with a store error of the code, and gives that error. */
export async function assertRejects(call: () => Promise<unknown>, code: ErrorCode): Promise<StoreError> {
  let outcome: unknown;
  try {
    await call();
  } catch (error) {
    assert.ok(isStoreError(error), `rejected with ${String(error)}, which is no store error, instead of ${code}`);
    assert.equal(error.code, code, error.message);
    outcome = error;
  }
  assert.ok(outcome, `resolved instead of rejecting with ${code}`);
  return outcome as StoreError;
}

/** Every call of the contract, for guarantees that hold for all of them. */
export function allCalls(backend: Backend, signal?: AbortSignal): Readonly<Record<string, () => Promise<unknown>>> {
  const options = signal ? { signal } : {};
  return {
    put: () => backend.put('calls/put', filled(3, 1), options),
    get: () => backend.get('calls/there', options),
    head: () => backend.head('calls/there', options),
    delete: () => backend.delete('calls/there', options),
    list: () => backend.list(options),
    space: () => backend.space(options),
  };
}
