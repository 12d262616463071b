/** What the processes of one shared store are told, and what they tell the process that kills them, a line of JSON each. */
import { noise } from '../../support/contents.ts';
import type { Content, Operation } from '../../support/operations.ts';

/** A store with its bytes in a bucket and its metadata in PostgreSQL. */
export interface SharedStore {
  /** URLs. */
  readonly location: { readonly backend: string; readonly metadata: string };
  readonly sealed: boolean;
}

export interface NodeOrders extends SharedStore {
  readonly lane: number;
  readonly seed: number;
  /** How many are to be acknowledged before the process ends. */
  readonly operations: number;
  /** By how much its clock is ahead, by which it dates what it writes and knows who is silent. */
  readonly skewMs: number;
  /** Whether it collects garbage beside its operations, again and again. */
  readonly collects: boolean;
  /** What its keys may hold now: without the operation that was in flight when it was killed, and with it. */
  readonly candidates: readonly (readonly (readonly [key: string, content: Content])[])[];
}

export type NodeReport =
  /** The store is open, and holds the candidate of this number. */
  | { readonly is: 'ready'; readonly candidate: number }
  /** A change of keys of its own is about to be made. */
  | { readonly is: 'begin'; readonly operation: Operation }
  /** It was acknowledged; or was not, and the store was asked what became of it. */
  | { readonly is: 'end'; readonly happened: boolean }
  /** A key that all change is about to be put, with what follows from the number; and was. */
  | { readonly is: 'shared'; readonly key: string; readonly number: number }
  | { readonly is: 'shared put'; readonly key: string }
  /** The counter that all share is about to be raised; and was, or was certainly not. */
  | { readonly is: 'count' | 'counted' | 'not counted' }
  /** A snapshot of its keys is about to be made; and was. */
  | { readonly is: 'snapshot' }
  | { readonly is: 'snapshot made'; readonly id: string }
  /** Something that changes nothing was done, and what it said was right. */
  | { readonly is: 'did'; readonly what: 'read' | 'read shared' | 'read others' | 'list' | 'gc' }
  /** A call was refused, as calls are while connections are cut; and the store had to be opened again. */
  | { readonly is: 'refused' | 'reopened'; readonly code: string }
  /** All operations are done, and the store is closed. */
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly message: string };

/** Keys that all change, and one that holds a number which each of them raises. */
export const SHARED_KEYS: readonly string[] = ['shared/0', 'shared/1', 'shared/2'];
export const COUNTER_KEY = 'shared/counter';

/** What a node puts under a shared key: no two of these are alike. */
export function sharedContent(lane: number, number: number): Uint8Array {
  const bytes = number % 5 === 0 ? 90_000 : 20 + ((number * 37) % 2000);
  return Buffer.concat([Buffer.from(`shared ${lane} ${number}\n`), noise(bytes, lane * 1_000_003 + number)]);
}

/** By whom it was put, and which of theirs it is. @throws when it is none of these, to the last byte */
export function parseShared(content: Uint8Array): { readonly lane: number; readonly number: number } {
  const [, lane, number] = /^shared (\d+) (\d+)\n/.exec(Buffer.from(content.subarray(0, 40)).toString('latin1')) ?? [];
  const [by, which] = [Number(lane), Number(number)];
  if (lane === undefined || Buffer.compare(content, sharedContent(by, which)) !== 0)
    throw new Error(`a shared key holds ${content.length} bytes that nobody put`);
  return { lane: by, number: which };
}

/** The ref of a node, which names snapshots of its keys. */
export function refOfLane(lane: number): string {
  return `lane-${lane}`;
}
