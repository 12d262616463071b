/** From what people write to the object it means. */
import { fromHex, toHex } from '../../bytes/bytes.ts';
import { argumentTypeError } from '../../errors/argument-error.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { parseObjectKey } from '../../format/index.ts';
import { ID_PREFIX_DIGITS_MIN } from '../../limits.ts';
import type { ObjectRow } from '../../metadata/object-contract.ts';
import type { ObjectReference } from '../../objects/index.ts';
import type { Engine } from '../engine.ts';
import type { Scope } from '../scope.ts';
import { type FoundObject, ObjectReader } from './object-reader.ts';

const ID = /^[0-9a-f]{64}$/;
const ID_PREFIX = /^[0-9a-f]{4,64}$/;
/** Matches that a message lists. */
const MATCHES_LISTED = 10;

/** What a row is referred to by. */
export function referenceOfRow({ key, type }: ObjectRow): ObjectReference {
  const name = parseObjectKey(key);
  if (!name)
    throw storeError('METADATA_CORRUPT', 'metadata table objects: a key is none', { details: { table: 'objects' } });
  return { type: name.objectClass === 'raw' ? 'raw' : type, id: toHex(name.digest) };
}

export function objectNotFound(id: string): Error {
  return storeError('OBJECT_NOT_FOUND', `there is no object ${id}`, { details: { digest: id } });
}

/** An id as users write it. @throws `TypeError`, `invalid/DIGEST_INVALID` */
export function checkId(id: unknown, parameter = 'id'): string {
  if (typeof id !== 'string') throw argumentTypeError(parameter, 'the id of an object', id);
  if (ID.test(id)) return id;
  throw storeError('DIGEST_INVALID', `${parameter} must be an id of 64 digits of lower-case hex`, {
    details: { digest: id.slice(0, 80) },
  });
}

/** The object of an id: the structured one where bytes have the same. @throws `not-found/OBJECT_NOT_FOUND` */
export async function findById(engine: Engine, scope: Scope, id: string): Promise<FoundObject> {
  const reader = new ObjectReader(engine, scope);
  // The class is all that a key needs: which structured type it is, the row says.
  const [structured, raw] = await reader.find([
    { type: 'bundle', id },
    { type: 'raw', id },
  ]);
  const found = structured ?? raw;
  if (found === undefined) throw objectNotFound(id);
  if (isStoreError(found)) throw found;
  return { ...found, reference: referenceOfRow(found.row) };
}

/**
 * The one object whose id begins so.
 * @throws `invalid/DIGEST_INVALID`, `not-found/OBJECT_NOT_FOUND`, `invalid/ID_AMBIGUOUS`
 */
export async function resolvePrefix(engine: Engine, scope: Scope, prefix: unknown): Promise<FoundObject> {
  if (typeof prefix !== 'string') throw argumentTypeError('prefix', 'the beginning of an id', prefix);
  if (ID.test(prefix)) return await findById(engine, scope, prefix);
  if (!ID_PREFIX.test(prefix)) {
    throw storeError('DIGEST_INVALID', `the beginning of an id has ${ID_PREFIX_DIGITS_MIN} to 64 digits of hex`, {
      details: { digest: prefix.slice(0, 80) },
    });
  }
  const even = prefix.slice(0, prefix.length - (prefix.length % 2));
  const digestPrefix = fromHex(even) ?? new Uint8Array(0);
  const matches = new Set<string>();
  let after: Uint8Array | undefined;
  do {
    const query = { namespace: scope.namespace, digestPrefix, limit: 1000, ...(after && { after }) };
    const { rows, next } = await engine.metadata.listObjects(query);
    for (const row of rows) {
      const { id } = referenceOfRow(row);
      if (id.startsWith(prefix)) matches.add(id);
    }
    after = next;
  } while (after);
  const [only] = matches;
  if (only === undefined) throw objectNotFound(prefix);
  if (matches.size === 1) return await findById(engine, scope, only);
  const listed = [...matches].slice(0, MATCHES_LISTED);
  const more = matches.size > listed.length ? ` and ${matches.size - listed.length} more` : '';
  throw storeError('ID_AMBIGUOUS', `${matches.size} ids begin with ${prefix}: ${listed.join(', ')}${more}`, {
    details: { digest: prefix, count: matches.size },
  });
}
