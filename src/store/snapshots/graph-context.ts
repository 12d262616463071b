/** What the functions of this folder work in, and what several of them need. */
import { fromHex } from '../../bytes/bytes.ts';
import { argumentTypeError } from '../../errors/argument-error.ts';
import { invariant, isStoreError, type StoreError } from '../../errors/store-error.ts';
import { parseAddress } from '../../history/address.ts';
import { FINDINGS_LISTED_MAX, LIST_PAGE_DEFAULT } from '../../limits.ts';
import type { Change, EntryRow } from '../../metadata/contract.ts';
import type { ObjectReference, ObjectType, SnapshotObject, StructuredObject } from '../../objects/index.ts';
import type { Engine } from '../engine.ts';
import { checkId, findById, objectNotFound } from '../objects/find-object.ts';
import { followAddress } from '../objects/follow-address.ts';
import { ObjectReader, objectKeyOf } from '../objects/object-reader.ts';
import { wrongType } from '../objects/object-store.ts';
import { refKey } from '../objects/ref-rows.ts';
import { checkMessage } from '../objects/ref-store.ts';
import type { Scope } from '../scope.ts';
import type { RefMoveOptions } from './graph-types.ts';
import { type SnapshotFailure, toFailure } from './snapshot-types.ts';

/** One call in one namespace of an open store. */
export interface GraphContext {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly signal?: AbortSignal | undefined;
}

/** A snapshot that an address led to. */
export interface FoundSnapshot {
  readonly id: string;
  readonly snapshot: SnapshotObject;
  /** The ref that the address names, where it leads to the snapshot without steps. */
  readonly ref?: string;
}

export function readerOf({ engine, scope, signal }: GraphContext): ObjectReader {
  return new ObjectReader(engine, scope, signal);
}

/** @throws `not-found/OBJECT_NOT_FOUND`, `corrupt/*` */
export async function loadObject<T extends ObjectType>(
  reader: ObjectReader,
  type: T,
  id: string,
): Promise<Extract<StructuredObject, { readonly type: T }>> {
  const [object] = await reader.load([{ type, id }]);
  if (object === undefined) throw objectNotFound(id);
  if (isStoreError(object)) throw object;
  invariant(object.type === type, 'a loader answers with the type that was asked for');
  return object as Extract<StructuredObject, { readonly type: T }>;
}

/** @throws `invalid/ADDRESS_INVALID`, `not-found/*`, `invalid/ID_AMBIGUOUS`, `invalid/OBJECT_WRONG_TYPE`, `corrupt/*` */
export async function findSnapshot(context: GraphContext, address: string): Promise<FoundSnapshot> {
  if (typeof address !== 'string') throw argumentTypeError('address', 'the address of a snapshot', address);
  const parsed = parseAddress(address, { now: context.engine.clock.now() });
  const { reference } = await followAddress(context, parsed);
  if (reference.type !== 'snapshot') throw wrongType(reference, 'a snapshot');
  const snapshot = await loadObject(readerOf(context), 'snapshot', reference.id);
  const { base, steps } = parsed;
  return { id: reference.id, snapshot, ...(base.kind === 'ref' && steps.length === 0 && { ref: base.name }) };
}

/** An object key, or the one of a ref's target that must be expected. */
async function expectedTarget(
  { engine, scope }: GraphContext,
  expected: string | null | undefined,
): Promise<{ readonly target: Uint8Array | undefined } | undefined> {
  if (expected === undefined) return undefined;
  if (expected === null) return { target: undefined };
  const { reference } = await findById(engine, scope, checkId(expected, 'expected'));
  return { target: objectKeyOf(scope.namespace, reference) };
}

/**
 * A plan to move a ref to an object that is stored in the same commit, or before.
 * @returns what makes the change, once the object is known; checked now, before anything is stored
 * @throws `invalid/REF_INVALID`, `not-found/OBJECT_NOT_FOUND`; TypeError, RangeError
 */
export async function planMove(
  context: GraphContext,
  { ref, message = '', expected }: RefMoveOptions,
): Promise<(target: ObjectReference) => readonly Change[]> {
  checkMessage(message);
  if (ref === undefined) return () => [];
  const { scope } = context;
  const key = refKey(scope, ref);
  const from = await expectedTarget(context, expected);
  return (reference) => {
    const target = objectKeyOf(scope.namespace, reference);
    return [{ type: 'ref-set', key, target, message, ...(from && { expected: from }) }];
  };
}

/** Entries whose keys begin so, in the order of their keys; every page is one state of the store. */
export async function* entryPages(
  { engine, scope, signal }: GraphContext,
  prefix: string,
): AsyncGenerator<readonly EntryRow[], void, undefined> {
  const bytes = scope.prefix(prefix);
  const query = { sort: 'key', limit: LIST_PAGE_DEFAULT, ...(bytes.length > 0 && { prefix: bytes }) } as const;
  let after: Uint8Array | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await engine.metadata.listEntries({ ...query, ...(after && { after: { key: after } }) });
    if (rows.length > 0) yield rows;
    if (rows.length < LIST_PAGE_DEFAULT) return;
    after = rows.at(-1)?.key;
  }
}

/** Counts failures and keeps the first of them. */
export class FailureList {
  readonly #listed: SnapshotFailure[] = [];
  count = 0;

  add(path: string, error: StoreError): void {
    this.count += 1;
    if (this.#listed.length < FINDINGS_LISTED_MAX) this.#listed.push(toFailure(path, error));
  }

  get listed(): readonly SnapshotFailure[] {
    return Object.freeze([...this.#listed]);
  }
}

/** The bytes of an id that was checked. */
export function idBytes(id: string): Uint8Array {
  const bytes = fromHex(id);
  invariant(bytes, 'ids within objects are hex');
  return bytes;
}

/** What a ref must name before it moves on from an object: that object, or nothing where there is no such ref. */
export async function refOrNowhere(
  { engine, scope }: GraphContext,
  ref: string | undefined,
  parent: string,
): Promise<string | null | undefined> {
  if (ref === undefined) return undefined;
  const [row] = await engine.metadata.getRefs([refKey(scope, ref)]);
  return row ? parent : null;
}
