/**
 * Operations as they stand inside journal records: arrays that begin with the code of their type. Codes are only ever
 * added; what one means and how many values follow it never changes. Layout in `docs/format.md`, section "Operations".
 */

import { isUtf8 } from 'node:buffer';
import { concatBytes } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { ENTRY_KEY_BYTES_MAX, JOURNAL_RECORD_BYTES_MAX } from '../limits.ts';
import type { CborValue } from './cbor.ts';
import type { Fail } from './damage.ts';
import { Fields } from './fields.ts';
import { packDescriptorFromCbor, packDescriptorToCbor } from './pack-descriptor.ts';
import { DIGEST_BYTES, INCARNATION_BYTES, PACK_ID_BYTES } from './sizes.ts';
import type { Operation } from './types.ts';

const CODES = {
  incarnation: 1,
  'entry-put': 2,
  'entry-delete': 3,
  'entry-rename': 4,
  'entry-copy': 5,
  'pack-add': 6,
  'pack-merge': 7,
} as const satisfies Record<Operation['type'], number>;

function keyToCbor(key: Uint8Array): Uint8Array {
  invariant(key.length > 0 && key.length <= ENTRY_KEY_BYTES_MAX && isUtf8(key), 'entry keys were checked');
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

/** An operation as it stands inside a journal record. */
export function operationToCbor(operation: Operation): CborValue {
  const code = CODES[operation.type];
  switch (operation.type) {
    case 'incarnation':
      invariant((operation.previous?.length ?? INCARNATION_BYTES) === INCARNATION_BYTES, 'an incarnation has 16 bytes');
      return [code, operation.previous ?? null];
    case 'entry-put':
      return [code, keyToCbor(operation.key), operation.entry, operation.modified];
    case 'entry-delete':
      return [code, keyToCbor(operation.key)];
    case 'entry-rename':
      return [code, keyToCbor(operation.from), keyToCbor(operation.to)];
    case 'entry-copy':
      return [code, keyToCbor(operation.from), keyToCbor(operation.to), operation.modified];
    case 'pack-add':
      return [code, packDescriptorToCbor(operation.pack)];
    case 'pack-merge':
      return [
        code,
        operation.added.map(packDescriptorToCbor),
        idsToCbor(operation.dropped, PACK_ID_BYTES),
        idsToCbor(operation.stale, DIGEST_BYTES),
      ];
  }
}

function entryKey(fields: Fields, fail: Fail): Uint8Array {
  const key = fields.bytesBetween('entry key', { min: 1, max: ENTRY_KEY_BYTES_MAX });
  if (!isUtf8(key)) fail('has an entry key that is not UTF-8');
  return key;
}

/** Ids that stand back to back in one byte string. */
function idList(fields: Fields, what: string, rules: { readonly idBytes: number; readonly fail: Fail }): Uint8Array[] {
  const { idBytes, fail } = rules;
  const joined = fields.bytesBetween(what, { min: 0, max: JOURNAL_RECORD_BYTES_MAX });
  if (joined.length % idBytes !== 0) fail(`has ${what} that are not whole`);
  return Array.from({ length: joined.length / idBytes }, (_, i) => joined.subarray(i * idBytes, (i + 1) * idBytes));
}

function operationOf(code: number, fields: Fields, fail: Fail): Operation {
  switch (code) {
    case CODES.incarnation: {
      const previous = fields.nullable('previous incarnation', () => fields.bytes('incarnation', INCARNATION_BYTES));
      return { type: 'incarnation', previous };
    }
    case CODES['entry-put']: {
      const key = entryKey(fields, fail);
      const entry = fields.bytesBetween('entry', { min: 1, max: JOURNAL_RECORD_BYTES_MAX });
      return { type: 'entry-put', key, entry, modified: fields.integer('modified') };
    }
    case CODES['entry-delete']:
      return { type: 'entry-delete', key: entryKey(fields, fail) };
    case CODES['entry-rename']:
      return { type: 'entry-rename', from: entryKey(fields, fail), to: entryKey(fields, fail) };
    case CODES['entry-copy']: {
      const from = entryKey(fields, fail);
      const to = entryKey(fields, fail);
      return { type: 'entry-copy', from, to, modified: fields.integer('modified') };
    }
    case CODES['pack-add']:
      return { type: 'pack-add', pack: packDescriptorFromCbor(fields.any('pack'), fail) };
    case CODES['pack-merge']: {
      const added = fields.list('added packs').map((pack) => packDescriptorFromCbor(pack, fail));
      const dropped = idList(fields, 'dropped packs', { idBytes: PACK_ID_BYTES, fail });
      return {
        type: 'pack-merge',
        added,
        dropped,
        stale: idList(fields, 'stale ids', { idBytes: DIGEST_BYTES, fail }),
      };
    }
    default:
      throw storeError('OPERATION_UNSUPPORTED', `the journal has operation ${code}, written by a newer version`, {
        details: { actual: code },
      });
  }
}

/**
 * Reads an operation out of a journal record.
 * @throws what `fail` throws, `unsupported/OPERATION_UNSUPPORTED` for a code of a later version
 */
export function operationFromCbor(value: unknown, fail: Fail): Operation {
  const fields = new Fields(value, fail);
  const code = fields.integer('operation', { min: 1 });
  const operation = operationOf(code, fields, fail);
  fields.end();
  return operation;
}
