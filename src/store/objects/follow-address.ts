/** Follows an address to what it means: its base, its steps back, its path. Nothing is guessed on the way. */
import { isStoreError, storeError } from '../../errors/store-error.ts';
import type { Address, AddressStep } from '../../history/address.ts';
import type { MoveRow } from '../../metadata/object-contract.ts';
import {
  findChild,
  type LoadObjects,
  type ObjectReference,
  referenceOfChild,
  type TreeChild,
  walkPath,
} from '../../objects/index.ts';
import type { Engine } from '../engine.ts';
import type { Scope } from '../scope.ts';
import { findById, objectNotFound, referenceOfRow, resolvePrefix } from './find-object.ts';
import { ObjectReader } from './object-reader.ts';
import type { FoundAddress } from './object-types.ts';
import { eachMove, eachRef, refKey } from './ref-rows.ts';

/** Where addresses are followed. */
export interface Following {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly signal?: AbortSignal | undefined;
}

/** An object on the way, and the move of a ref that led to it. */
interface Place {
  readonly reference: ObjectReference;
  readonly ref?: { readonly name: string; readonly number: number };
  /** The ref is gone: it says what it named only to those who look back. */
  readonly deleted?: true;
}

/** @throws `not-found/*`, `invalid/ID_AMBIGUOUS`, `corrupt/*` */
export async function followAddress(following: Following, address: Address): Promise<FoundAddress> {
  const { engine, scope, signal } = following;
  const { load } = new ObjectReader(engine, scope, signal);
  let place = await basePlace(following, address.base);
  if (place.deleted && (address.steps[0]?.kind ?? 'back') === 'back')
    throw nothingThere('it was deleted; `@{1}` is what it named last', place.ref?.name ?? '');
  for (const step of address.steps) place = await takeStep(following, { place, step, load });
  const found = { base: place.reference, ...(place.ref && { ref: place.ref.name, number: place.ref.number }) };
  if (address.path === undefined) return { ...found, reference: place.reference };
  return { ...found, ...(await followPath(place.reference, address.path, load)) };
}

async function basePlace(following: Following, base: Address['base']): Promise<Place> {
  const { engine, scope } = following;
  if (base.kind === 'id') return { reference: (await findById(engine, scope, base.id)).reference };
  if (base.kind === 'latest') return await latestPlace(following);
  const [row] = await engine.metadata.getRefs([refKey(scope, base.name)]);
  if (row) return await currentPlace(following, base.name, row.target);
  if (base.idPrefix !== undefined) return { reference: (await resolvePrefix(engine, scope, base.idPrefix)).reference };
  return await formerPlace(following, base.name);
}

/** A ref that was deleted: its moves are there to look back in, until they are forgotten. */
async function formerPlace(following: Following, name: string): Promise<Place> {
  let newest: MoveRow | undefined;
  for await (const move of eachMove(following, name)) {
    newest ??= move;
    if (!move.to) continue;
    return { reference: await referenceOf(following, move.to), ref: { name, number: newest.number }, deleted: true };
  }
  throw storeError('REF_NOT_FOUND', `there is no ref ${name}`, { details: { key: name } });
}

async function referenceOf({ engine }: Following, target: Uint8Array): Promise<ObjectReference> {
  const [row] = await engine.metadata.getObjects([target]);
  if (row) return referenceOfRow(row);
  throw storeError('METADATA_CORRUPT', 'a ref leads to an object that is not there', { details: { table: 'refs' } });
}

async function currentPlace(following: Following, name: string, target: Uint8Array): Promise<Place> {
  const { engine, scope } = following;
  const [move] = await engine.metadata.getHistory('move', refKey(scope, name), { limit: 1 });
  const reference = await referenceOf(following, target);
  // A history that was forgotten has no number to go on from.
  return move ? { reference, ref: { name, number: move.number } } : { reference };
}

/** The snapshot that was stamped last of those that refs name now. */
async function latestPlace(following: Following): Promise<Place> {
  let newest: { readonly name: string; readonly target: Uint8Array; readonly moved: number } | undefined;
  for await (const ref of eachRef(following)) {
    if (newest && newest.moved > ref.moved) continue;
    const [row] = await following.engine.metadata.getObjects([ref.target]);
    if (row?.type === 'snapshot') newest = ref;
  }
  if (newest) return await currentPlace(following, newest.name, newest.target);
  throw storeError('REF_NOT_FOUND', 'no ref names a snapshot yet', { details: { key: 'latest' } });
}

function nothingThere(what: string, name: string): Error {
  return storeError('REF_NOT_FOUND', `${name}: ${what}`, { details: { key: name } });
}

interface Stepping {
  readonly place: Place;
  readonly step: AddressStep;
  readonly load: LoadObjects;
}

async function takeStep(following: Following, { place, step, load }: Stepping): Promise<Place> {
  if (step.kind === 'back') {
    let at = place;
    for (let count = 0; count < step.count; count += 1) at = await stepBack(following, at, load);
    return at;
  }
  const { ref } = place;
  if (!ref) throw nothingThere('only a ref has a history to look back in', place.reference.id);
  let count = 0;
  for await (const move of eachMove(following, ref.name, ref.number + 1)) {
    const reached = step.kind === 'moves' ? count === step.count : move.time <= step.time;
    count += 1;
    if (reached) return await placeOfMove(following, ref.name, move);
  }
  const what = step.kind === 'moves' ? `${step.count} moves ago` : `at ${new Date(step.time).toISOString()}`;
  throw nothingThere(`it named nothing ${what}, or that was forgotten`, ref.name);
}

async function placeOfMove(following: Following, name: string, move: MoveRow): Promise<Place> {
  if (!move.to) throw nothingThere('it named nothing then', name);
  return { reference: await referenceOf(following, move.to), ref: { name, number: move.number } };
}

/** By its parent, or to what the ref named before. */
async function stepBack(following: Following, { reference, ref }: Place, load: LoadObjects): Promise<Place> {
  const [object] = reference.type === 'snapshot' ? await load([reference]) : [];
  if (isStoreError(object)) throw object;
  if (object?.type === 'snapshot' && object.content.parent !== undefined)
    return { reference: { type: 'snapshot', id: object.content.parent } };
  if (!ref) throw nothingThere('it has no parent', reference.id);
  for await (const move of eachMove(following, ref.name, ref.number))
    if (move.to) return await placeOfMove(following, ref.name, move);
  throw nothingThere('there is nothing further back', ref.name);
}

async function followPath(
  base: ObjectReference,
  path: string,
  load: LoadObjects,
): Promise<{ readonly reference: ObjectReference; readonly child?: TreeChild }> {
  const missing = (): Error =>
    storeError('SOURCE_NOT_FOUND', `there is no ${path} in ${base.id}`, { details: { path } });
  const [object] = base.type === 'raw' ? [] : await load([base]);
  if (isStoreError(object)) throw object;
  const { tree, entries } = treesOf(base, object);
  if (tree === undefined && entries === undefined) throw missing();
  const names = path.split('/').filter((name) => name !== '');
  if (tree !== undefined && names.length === 0) return { reference: { type: 'tree', id: tree } };
  if (entries !== undefined && path === '') return { reference: { type: 'tree', id: entries } };
  const child =
    (tree !== undefined && names.length > 0 ? await walkPath(tree, names, load) : undefined) ??
    (entries !== undefined ? await findChild(entries, path, load) : undefined);
  if (!child) throw missing();
  const reference = referenceOfChild(child);
  // A link leads to no object; what it says stands in the tree.
  return reference ? { reference, child } : { reference: base, child };
}

function treesOf(
  base: ObjectReference,
  object: Awaited<ReturnType<LoadObjects>>[number],
): { readonly tree?: string | undefined; readonly entries?: string | undefined } {
  if (isStoreError(object) || object === undefined) throw objectNotFound(base.id);
  if (object.type === 'tree') return { tree: base.id, entries: base.id };
  return object.type === 'snapshot' ? object.content : {};
}
