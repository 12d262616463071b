/**
 * Operations as they stand inside journal records: arrays that begin with the code of their type. Codes are only ever
 * added; what one means and how many values follow it never changes. Layout in `docs/format.md`, section "Operations".
 */

import { concatBytes } from '../bytes/bytes.ts';
import { ENVELOPE_OVERHEAD_BYTES } from '../crypto/envelope.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import {
  JOURNAL_RECORD_BYTES_MAX,
  NAMESPACE_NUMBER_MAX,
  OPERATION_BYTES_MAX,
  OPERATION_NUMBERS_MAX,
  REF_MESSAGE_BYTES_MAX,
  SCOPED_KEY_BYTES_MAX,
} from '../limits.ts';
import type { CborValue } from './cbor.ts';
import type { Fail } from './damage.ts';
import { Fields } from './fields.ts';
import { parseObjectKey } from './object-key.ts';
import { packDescriptorFromCbor, packDescriptorToCbor } from './pack-descriptor.ts';
import { isScopedKey, namespaceOfKey } from './scoped-key.ts';
import { DIGEST_BYTES, INCARNATION_BYTES, PACK_ID_BYTES } from './sizes.ts';
import { HISTORY_CODES, OBJECT_TYPE_CODES } from './type-codes.ts';
import type { NamespacedOperation, Operation, VersionPolicy } from './types.ts';

const CODES = {
  incarnation: 1,
  'entry-put': 2,
  'entry-delete': 3,
  'entry-rename': 4,
  'entry-copy': 5,
  'pack-add': 6,
  'pack-merge': 7,
  scoped: 8,
  'namespace-drop': 9,
  'object-put': 10,
  'ref-set': 11,
  'history-forget': 12,
  'relation-set': 13,
  'version-keep': 14,
  'family-delete': 15,
  'policy-set': 16,
  'items-remove': 17,
  'object-remove': 18,
} as const satisfies Record<Operation['type'], number>;

/** The default namespace is never scoped, and never dropped. */
const NAMESPACES = { min: 1, max: NAMESPACE_NUMBER_MAX } as const;
const SEALED_OPERATION = { min: ENVELOPE_OVERHEAD_BYTES + 1, max: OPERATION_BYTES_MAX } as const;

/** Where an operation stands. */
export interface OperationPlace {
  /** Of the journal record: 2 in sealed stores, 1 in plain ones. */
  readonly version: number;
  /** Whose entries it may name: 0 in a journal record itself, another inside a `scoped` operation. */
  readonly namespace: number;
}

/** Operations that may stand inside a `scoped` one. */
const INNER_TYPES: readonly Operation['type'][] = [
  ...(['entry-put', 'entry-delete', 'entry-rename', 'entry-copy', 'object-put', 'ref-set'] as const),
  ...(['history-forget', 'relation-set', 'version-keep', 'family-delete', 'object-remove'] as const),
];
/** What only records of sealed stores have. */
const SEALED_TYPES: readonly Operation['type'][] = ['scoped', 'namespace-drop'];

/** Whether an operation names keys of one namespace, and is sealed under the key of that where it is not the default one. */
export function isNamespaced(operation: Operation): operation is NamespacedOperation {
  return INNER_TYPES.includes(operation.type);
}

/** The namespace whose keys an operation names. */
export function namespaceOfOperation(operation: NamespacedOperation): number {
  if ('child' in operation) return namespaceOfKey(operation.child);
  return namespaceOfKey('from' in operation ? operation.from : operation.key);
}

function isKeyOf(key: Uint8Array, namespace: number): boolean {
  return isScopedKey(key) && namespaceOfKey(key) === namespace;
}

function keyToCbor(key: Uint8Array, { namespace }: OperationPlace): Uint8Array {
  invariant(isKeyOf(key, namespace), 'entry keys were checked, and belong to the namespace of their operation');
  return key;
}

function objectKeyToCbor(key: Uint8Array, { namespace }: OperationPlace): Uint8Array {
  invariant(parseObjectKey(key)?.namespace === namespace, 'object keys belong to the namespace of their operation');
  return key;
}

/** Ids back to back in one byte string: their length is fixed, so nothing need stand between them. */
function idsToCbor(ids: readonly Uint8Array[], idBytes: number): Uint8Array {
  invariant(
    ids.every((id) => id.length === idBytes),
    'ids have their fixed length',
  );
  return concatBytes(ids);
}

/** An operation as it stands in its place. */
export function operationToCbor(operation: Operation, place: OperationPlace): CborValue {
  const code = CODES[operation.type];
  invariant(place.version > 1 || !SEALED_TYPES.includes(operation.type), 'plain stores have no namespaces');
  invariant(place.namespace === 0 || INNER_TYPES.includes(operation.type), 'what is scoped names keys');
  switch (operation.type) {
    case 'incarnation':
      invariant((operation.previous?.length ?? INCARNATION_BYTES) === INCARNATION_BYTES, 'an incarnation has 16 bytes');
      return [code, operation.previous ?? null];
    case 'entry-put':
      return [code, keyToCbor(operation.key, place), operation.entry, operation.modified];
    case 'entry-delete':
      return [code, keyToCbor(operation.key, place)];
    case 'entry-rename':
      return [code, keyToCbor(operation.from, place), keyToCbor(operation.to, place)];
    case 'entry-copy':
      return [code, keyToCbor(operation.from, place), keyToCbor(operation.to, place), operation.modified];
    case 'pack-add':
      return [code, packDescriptorToCbor(operation.pack, place.version)];
    case 'items-remove':
      return [code, idsToCbor(operation.chunks, DIGEST_BYTES), idsToCbor(operation.nodes, DIGEST_BYTES)];
    case 'pack-merge':
      return [
        code,
        operation.added.map((pack) => packDescriptorToCbor(pack, place.version)),
        idsToCbor(operation.dropped, PACK_ID_BYTES),
        idsToCbor(operation.stale, DIGEST_BYTES),
      ];
    case 'scoped':
      checkInteger('operation.namespace', operation.namespace, NAMESPACES);
      checkInteger('operation.sealed.length', operation.sealed.length, SEALED_OPERATION);
      return [code, operation.namespace, operation.sealed];
    case 'namespace-drop':
      return [code, checkInteger('operation.namespace', operation.namespace, NAMESPACES)];
    default:
      return [code, ...namedToCbor(operation, place)];
  }
}

type NamedOperation = Extract<
  Operation,
  {
    type:
      | 'object-put'
      | 'object-remove'
      | 'ref-set'
      | 'history-forget'
      | 'relation-set'
      | 'version-keep'
      | 'family-delete'
      | 'policy-set';
  }
>;

/** The values of the operations on what is not entries alone. */
function namedToCbor(operation: NamedOperation, place: OperationPlace): readonly CborValue[] {
  switch (operation.type) {
    case 'object-put': {
      const { key, objectType, entry } = operation;
      return [objectKeyToCbor(key, place), OBJECT_TYPE_CODES[objectType], entry];
    }
    case 'object-remove':
      return [objectKeyToCbor(operation.key, place)];
    case 'ref-set': {
      const { key, target, message } = operation;
      invariant(isMessage(message), 'the message of a ref has its bound');
      return [keyToCbor(key, place), target ? objectKeyToCbor(target, place) : null, message];
    }
    case 'history-forget':
      return [HISTORY_CODES[operation.history], keyToCbor(operation.key, place), operation.numbers];
    case 'relation-set': {
      const { child, parent } = operation;
      return [keyToCbor(child, place), parent ? keyToCbor(parent, place) : null];
    }
    case 'version-keep':
      return [keyToCbor(operation.key, place), operation.first];
    case 'family-delete':
      return [keyToCbor(operation.key, place)];
    case 'policy-set': {
      const { namespace, policy } = operation;
      invariant(place.version > 1 || namespace === 0, 'plain stores have no namespaces');
      return [namespace, policy ? [policy.last ?? null, policy.forMs ?? null] : null];
    }
  }
}

/** What reading an operation needs besides its values. */
interface Reading {
  readonly place: OperationPlace;
  readonly fail: Fail;
}

function entryKey(fields: Fields, { place, fail }: Reading): Uint8Array {
  const key = fields.bytesBetween('entry key', { min: 1, max: SCOPED_KEY_BYTES_MAX });
  if (!isKeyOf(key, place.namespace)) fail(`has an entry key that is none of namespace ${place.namespace}`);
  return key;
}

/** Ids that stand back to back in one byte string. */
function idList(fields: Fields, what: string, rules: { readonly idBytes: number; readonly fail: Fail }): Uint8Array[] {
  const { idBytes, fail } = rules;
  const joined = fields.bytesBetween(what, { min: 0, max: JOURNAL_RECORD_BYTES_MAX });
  if (joined.length % idBytes !== 0) fail(`has ${what} that are not whole`);
  return Array.from({ length: joined.length / idBytes }, (_, i) => joined.subarray(i * idBytes, (i + 1) * idBytes));
}

function entryOperationOf(code: number, fields: Fields, reading: Reading): Operation | undefined {
  switch (code) {
    case CODES['entry-put']: {
      const key = entryKey(fields, reading);
      const entry = fields.bytesBetween('entry', { min: 1, max: JOURNAL_RECORD_BYTES_MAX });
      return { type: 'entry-put', key, entry, modified: fields.integer('modified') };
    }
    case CODES['entry-delete']:
      return { type: 'entry-delete', key: entryKey(fields, reading) };
    case CODES['entry-rename']:
      return { type: 'entry-rename', from: entryKey(fields, reading), to: entryKey(fields, reading) };
    case CODES['entry-copy']: {
      const from = entryKey(fields, reading);
      const to = entryKey(fields, reading);
      return { type: 'entry-copy', from, to, modified: fields.integer('modified') };
    }
    default:
      return undefined;
  }
}

function objectKeyOf(value: unknown, { place, fail }: Reading): Uint8Array {
  const isOurs = value instanceof Uint8Array && parseObjectKey(value)?.namespace === place.namespace;
  return isOurs ? value : fail(`has an object key that is none of namespace ${place.namespace}`);
}

function isMessage(text: string): boolean {
  return Buffer.byteLength(text) <= REF_MESSAGE_BYTES_MAX;
}

function codeOf<Name extends string>(
  codes: Readonly<Record<Name, number>>,
  code: number,
  { fail, what }: { readonly fail: Fail; readonly what: string },
): Name {
  for (const name of Object.keys(codes) as Name[]) if (codes[name] === code) return name;
  return fail(`has an unknown ${what} ${code}`);
}

function policyFromCbor(value: unknown, fail: Fail): VersionPolicy {
  const fields = new Fields(value, fail);
  const last = fields.nullable('versions', () => fields.integer('versions'));
  const forMs = fields.nullable('time', () => fields.integer('time'));
  fields.end();
  return { ...(last !== undefined && { last }), ...(forMs !== undefined && { forMs }) };
}

/** Operations on objects, refs, histories and relations. */
function namedOperationOf(code: number, fields: Fields, reading: Reading): Operation | undefined {
  const { fail, place } = reading;
  switch (code) {
    case CODES['object-put']: {
      const key = objectKeyOf(fields.any('object key'), reading);
      const objectType = codeOf(OBJECT_TYPE_CODES, fields.integer('type'), { fail, what: 'type of object' });
      const entry = fields.bytesBetween('entry', { min: 1, max: JOURNAL_RECORD_BYTES_MAX });
      return { type: 'object-put', key, objectType, entry };
    }
    case CODES['object-remove']:
      return { type: 'object-remove', key: objectKeyOf(fields.any('object key'), reading) };
    case CODES['ref-set']: {
      const key = entryKey(fields, reading);
      const target = fields.nullable('target', () => objectKeyOf(fields.any('target'), reading));
      const message = fields.any('message');
      if (typeof message !== 'string' || !isMessage(message)) return fail('has a message that is none');
      return { type: 'ref-set', key, target, message };
    }
    case CODES['history-forget']: {
      const history = codeOf(HISTORY_CODES, fields.integer('history'), { fail, what: 'kind of history' });
      const key = entryKey(fields, reading);
      const numbers = fields.integers('number', { min: 1 });
      if (numbers.length > OPERATION_NUMBERS_MAX) fail(`has ${numbers.length} numbers`);
      return { type: 'history-forget', history, key, numbers };
    }
    case CODES['relation-set']: {
      const child = entryKey(fields, reading);
      return { type: 'relation-set', child, parent: fields.nullable('parent', () => entryKey(fields, reading)) };
    }
    case CODES['version-keep']:
      return { type: 'version-keep', key: entryKey(fields, reading), first: fields.integer('first', { min: 1 }) };
    case CODES['family-delete']:
      return { type: 'family-delete', key: entryKey(fields, reading) };
    case CODES['policy-set']: {
      const namespace = fields.integer('namespace', { max: place.version > 1 ? NAMESPACE_NUMBER_MAX : 0 });
      const policy = fields.nullable('policy', () => policyFromCbor(fields.any('policy'), fail));
      return { type: 'policy-set', namespace, policy };
    }
    default:
      return undefined;
  }
}

function storeOperationOf(code: number, fields: Fields, { place, fail }: Reading): Operation | undefined {
  switch (code) {
    case CODES.incarnation: {
      const previous = fields.nullable('previous incarnation', () => fields.bytes('incarnation', INCARNATION_BYTES));
      return { type: 'incarnation', previous };
    }
    case CODES['pack-add']:
      return { type: 'pack-add', pack: packDescriptorFromCbor(fields.any('pack'), place.version, fail) };
    case CODES['items-remove']: {
      const chunks = idList(fields, 'ids of chunks', { idBytes: DIGEST_BYTES, fail });
      return { type: 'items-remove', chunks, nodes: idList(fields, 'ids of nodes', { idBytes: DIGEST_BYTES, fail }) };
    }
    case CODES['pack-merge']: {
      const added = fields.list('added packs').map((pack) => packDescriptorFromCbor(pack, place.version, fail));
      const dropped = idList(fields, 'dropped packs', { idBytes: PACK_ID_BYTES, fail });
      const stale = idList(fields, 'stale ids', { idBytes: DIGEST_BYTES, fail });
      return { type: 'pack-merge', added, dropped, stale };
    }
    case CODES.scoped: {
      const namespace = fields.integer('namespace', NAMESPACES);
      return { type: 'scoped', namespace, sealed: fields.bytesBetween('sealed operation', SEALED_OPERATION) };
    }
    case CODES['namespace-drop']:
      return { type: 'namespace-drop', namespace: fields.integer('namespace', NAMESPACES) };
    default:
      return undefined;
  }
}

/**
 * Reads an operation out of its place.
 * @throws what `fail` throws, `unsupported/OPERATION_UNSUPPORTED` for a code of a later version
 */
export function operationFromCbor(value: unknown, place: OperationPlace, fail: Fail): Operation {
  const fields = new Fields(value, fail);
  const code = fields.integer('operation', { min: 1 });
  const reading = { place, fail };
  const isKnown = place.version > 1 || !SEALED_TYPES.some((type) => CODES[type] === code);
  const operation = isKnown
    ? (entryOperationOf(code, fields, reading) ??
      namedOperationOf(code, fields, reading) ??
      storeOperationOf(code, fields, reading))
    : undefined;
  if (operation === undefined) {
    throw storeError('OPERATION_UNSUPPORTED', `the journal has operation ${code}, written by a newer version`, {
      details: { actual: code },
    });
  }
  if (place.namespace !== 0 && !INNER_TYPES.includes(operation.type)) fail(`scopes operation ${code} to a namespace`);
  fields.end();
  return operation;
}
