/** From the beginning of an id to what it means: packs, chunks, manifest nodes, objects, journal records. */
import { equalBytes, fromHex, toHex } from '../../bytes/bytes.ts';
import { argumentTypeError } from '../../errors/argument-error.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { DIGEST_BYTES, PACK_ID_BYTES } from '../../format/index.ts';
import { ID_PREFIX_DIGITS_MIN, LIST_PAGE_DEFAULT } from '../../limits.ts';
import type { PackRow } from '../../metadata/contract.ts';
import type { ItemKind } from '../../pipeline/item-reader.ts';
import type { Engine } from '../engine.ts';
import { resolvePrefix } from '../objects/find-object.ts';
import type { FoundObject } from '../objects/object-reader.ts';

/** What an id means. */
export type FoundId =
  | { readonly type: 'pack'; readonly row: PackRow }
  | { readonly type: ItemKind; readonly id: Uint8Array }
  | { readonly type: 'object'; readonly object: FoundObject }
  | { readonly type: 'journal'; readonly commit: number };

type IdType = FoundId['type'];

const TYPES: readonly IdType[] = ['pack', 'chunk', 'manifest', 'object'];
const QUALIFIED = /^(?:(pack|chunk|manifest|object|journal):)?([0-9a-f]+)$/;
const NUMBER = /^[1-9]\d{0,14}$/;
const DEFAULT_NAMESPACE = 0;
/** Matches that a message lists. */
const MATCHES_LISTED = 10;

/** Something that has an id, and that id. */
interface Match {
  readonly id: string;
  readonly found: FoundId;
}

/**
 * What a text names: a number is that of a journal record, anything else the beginning of the one id that begins so.
 * `pack:`, `chunk:`, `manifest:`, `object:` or `journal:` before it say which it is. Objects of the default namespace.
 * @throws `TypeError`, `invalid/DIGEST_INVALID`, `invalid/ID_AMBIGUOUS`, `not-found/ID_NOT_FOUND`
 */
export async function findId(engine: Engine, text: unknown): Promise<FoundId> {
  if (typeof text !== 'string') throw argumentTypeError('id', 'an id, the beginning of one, or a commit number', text);
  const [, type, digits = ''] = QUALIFIED.exec(text) ?? [];
  const isJournal = type === 'journal' || (type === undefined && NUMBER.test(digits));
  if (isJournal && NUMBER.test(digits)) return { type: 'journal', commit: Number(digits) };
  if (isJournal || digits.length < ID_PREFIX_DIGITS_MIN || digits.length > 2 * DIGEST_BYTES) {
    const message = `an id begins with ${ID_PREFIX_DIGITS_MIN} to 64 digits of lower-case hex; a commit number is decimal`;
    throw storeError('DIGEST_INVALID', message, { details: { digest: text.slice(0, 80) } });
  }
  const matches: Match[] = [];
  for (const one of type === undefined ? TYPES : [type as IdType])
    matches.push(...(await matchesOf(engine, one, digits)));
  const [only] = matches;
  if (only === undefined) {
    throw storeError('ID_NOT_FOUND', `nothing in the store has an id that begins with ${text}`, {
      details: { digest: text },
    });
  }
  if (matches.length === 1) return only.found;
  const listed = matches.slice(0, MATCHES_LISTED).map(({ id, found }) => `${found.type}:${id}`);
  throw storeError('ID_AMBIGUOUS', `more than one id begins with ${text}: ${listed.join(', ')}`, {
    details: { digest: text, count: matches.length },
  });
}

async function matchesOf(engine: Engine, type: IdType, digits: string): Promise<readonly Match[]> {
  if (type === 'pack') return digits.length > 2 * PACK_ID_BYTES ? [] : await packsOf(engine, digits);
  if (type === 'object') return await objectsOf(engine, digits);
  if (type === 'journal') return [];
  return await itemsOf(engine, type, digits);
}

async function packsOf({ metadata }: Engine, digits: string): Promise<Match[]> {
  const matches: Match[] = [];
  let after: number | undefined;
  do {
    const rows = await metadata.listPacks({ limit: LIST_PAGE_DEFAULT, ...(after !== undefined && { after }) });
    for (const row of rows) {
      const id = toHex(row.id);
      if (id.startsWith(digits)) matches.push({ id, found: { type: 'pack', row } });
    }
    after = rows.at(-1)?.number;
  } while (after !== undefined && matches.length < MATCHES_LISTED);
  return matches;
}

async function objectsOf(engine: Engine, digits: string): Promise<Match[]> {
  try {
    const object = await resolvePrefix(engine, engine.scopes.of(DEFAULT_NAMESPACE), digits);
    return [{ id: object.reference.id, found: { type: 'object', object } }];
  } catch (error) {
    if (isStoreError(error, 'OBJECT_NOT_FOUND')) return [];
    throw error;
  }
}

async function itemsOf({ metadata, scopes }: Engine, kind: ItemKind, digits: string): Promise<Match[]> {
  const rows = await metadata.scanItems(kind, justBefore(digits), MATCHES_LISTED);
  const ids = rows.map(({ id }) => id).filter((id) => toHex(id).startsWith(digits));
  const whole = digits.length === 2 * DIGEST_BYTES ? fromHex(digits) : undefined;
  if (whole && ids.length === 0) {
    // People know chunks by their plain digests, which in sealed stores are no ids.
    const id = scopes.of(DEFAULT_NAMESPACE).ids.idOf(kind, whole);
    const [location] = equalBytes(id, whole) ? [] : await metadata.locate(kind, id);
    if (location) ids.push(id);
  }
  return ids.map((id) => ({ id: toHex(id), found: { type: kind, id } }));
}

/** The greatest id below all that begin so; `undefined` where there is none. */
function justBefore(digits: string): Uint8Array | undefined {
  const first = BigInt(`0x${digits.padEnd(2 * DIGEST_BYTES, '0')}`);
  return first === 0n ? undefined : fromHex((first - 1n).toString(16).padStart(2 * DIGEST_BYTES, '0'));
}
