/**
 * The first 128 bytes of a pack: whose it is and how its records are framed. Layout in `docs/format.md`, section "Pack
 * header". The header is never sealed: beside what a backend key tells it says class, namespace and epoch, as numbers.
 *
 * Its check is against accident, in sealed packs too. What binds it there is the key: the salt and every field that
 * gives a record its meaning go into the pack's key or the AAD of its frames, so no other value of them opens anything.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { equalBytes } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { EPOCH_NUMBER_MAX, NAMESPACE_NUMBER_MAX } from '../limits.ts';
import { checkHolds, checkOf } from './check.ts';
import { failWith, formatUnsupported } from './damage.ts';
import {
  type FeatureBits,
  type Layout,
  PRELUDE_BYTES,
  readPrelude,
  readReserved,
  refuseReadOnlyFeatures,
  writePrelude,
} from './prelude.ts';
import { CHECK_BYTES, PACK_ID_BYTES, PACK_SALT_BYTES, SESSION_ID_BYTES, STORE_ID_BYTES } from './sizes.ts';
import { packClassCode, packClassOf } from './type-codes.ts';
import type { PackClass } from './types.ts';

export const PACK_HEADER_BYTES = 128;
/** Of everything inside a pack; the footer says the same one. */
export const PACK_VERSION = 1;

/** Whether a pack is sealed. */
export type KeyMode = 'plain' | 'sealed';

/** Codes of a key mode, and of how trailers are made in it: BLAKE3 in plain packs, AES-256-GCM in sealed ones. */
export const KEY_MODES: Readonly<Record<KeyMode, { readonly code: number; readonly suite: number }>> = {
  plain: { code: 0, suite: 0 },
  sealed: { code: 1, suite: 1 },
};

const RESERVED_BEFORE_SALT = 5;
const RESERVED_AFTER_SALT = 8;
const LAYOUT: Layout = { magic: 'HOLDPACK', version: PACK_VERSION, component: 'pack header' };

/** What a pack says of itself. Byte arrays of a decoded header are copies. */
export interface PackHeader {
  /** 16 bytes. */
  readonly store: Uint8Array;
  /** 16 bytes; the first 8 are `session`. */
  readonly pack: Uint8Array;
  /** 8 bytes. */
  readonly session: Uint8Array;
  readonly class: PackClass;
  /** u32; 0 is the default namespace. */
  readonly namespace: number;
  /** u32, of the keys: from 1; 0 in plain packs. */
  readonly epoch: number;
  readonly keyMode: KeyMode;
  /** 32 random bytes, fresh for every pack: sealed packs only. */
  readonly salt?: Uint8Array;
  /** Absent when no bit is set. */
  readonly features?: FeatureBits;
}

/**
 * Encodes a header; every record trailer binds what it says.
 * @returns `PACK_HEADER_BYTES` bytes
 * @throws `unsupported/FORMAT_UNSUPPORTED` for read-only-compatible feature bits
 */
export function encodePackHeader(header: PackHeader): Uint8Array {
  const { store, pack, session, keyMode } = header;
  invariant(store.length === STORE_ID_BYTES && pack.length === PACK_ID_BYTES, 'store and pack ids have 16 bytes');
  invariant(equalBytes(session, pack.subarray(0, SESSION_ID_BYTES)), 'a pack id begins with its session');
  const isSealed = keyMode === 'sealed';
  checkInteger('header.namespace', header.namespace, { min: 0, max: NAMESPACE_NUMBER_MAX });
  invariant(isSealed === (header.epoch !== 0), 'sealed packs have a key epoch, plain ones none');
  checkInteger('header.epoch', header.epoch, { min: 0, max: EPOCH_NUMBER_MAX });
  invariant(
    header.salt?.length === (isSealed ? PACK_SALT_BYTES : undefined),
    'sealed packs have a salt, plain ones none',
  );
  refuseReadOnlyFeatures(LAYOUT.component, header.features);
  const writer = new BinaryWriter(PACK_HEADER_BYTES);
  writePrelude(writer, LAYOUT, header.features);
  writer
    .put(store)
    .put(pack)
    .put(session)
    .u32(header.namespace)
    .u32(header.epoch)
    .u8(packClassCode(header.class))
    .u8(KEY_MODES[keyMode].code)
    .u8(KEY_MODES[keyMode].suite)
    .put(new Uint8Array(RESERVED_BEFORE_SALT))
    .put(header.salt ?? new Uint8Array(PACK_SALT_BYTES))
    .put(new Uint8Array(RESERVED_AFTER_SALT));
  return writer.put(checkOf(writer.bytes.subarray(0, writer.offset))).bytes;
}

/**
 * Decodes the header at the front of `bytes`; what follows it is not looked at.
 * @throws `corrupt/PACK_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodePackHeader(bytes: Uint8Array): PackHeader {
  const fail = failWith('PACK_CORRUPT', 'pack header', { offset: 0 });
  if (bytes.length < PACK_HEADER_BYTES) fail(`has ${bytes.length} of ${PACK_HEADER_BYTES} bytes`);
  const checked = bytes.subarray(0, PACK_HEADER_BYTES - CHECK_BYTES);
  const check = bytes.subarray(PACK_HEADER_BYTES - CHECK_BYTES, PACK_HEADER_BYTES);
  const features = readPrelude(bytes, LAYOUT, { fail, intact: () => checkHolds(check, checked) });

  const reader = new BinaryReader(checked, fail);
  reader.bytes(PRELUDE_BYTES);
  const store = new Uint8Array(reader.bytes(STORE_ID_BYTES));
  const pack = new Uint8Array(reader.bytes(PACK_ID_BYTES));
  const session = new Uint8Array(reader.bytes(SESSION_ID_BYTES));
  const namespace = reader.u32();
  const epoch = reader.u32();
  const packClass = packClassOf(reader.u8());
  const keyMode = keyModeOf(reader.u8(), reader.u8());
  readReserved(reader, RESERVED_BEFORE_SALT, fail);
  const salt = new Uint8Array(reader.bytes(PACK_SALT_BYTES));
  readReserved(reader, RESERVED_AFTER_SALT, fail);
  if ((epoch !== 0) !== (keyMode === 'sealed')) fail(`has the key epoch ${epoch} in a ${keyMode} pack`);
  if (keyMode === 'plain' && salt.some((byte) => byte !== 0)) fail('has a salt in a plain pack');
  if (!equalBytes(session, pack.subarray(0, SESSION_ID_BYTES))) fail('has a pack id of another session');
  return {
    ...{ store, pack, session, class: packClass, namespace, epoch, keyMode },
    ...(keyMode === 'sealed' && { salt }),
    ...(features && { features }),
  };
}

function keyModeOf(code: number, suite: number): KeyMode {
  const mode = code === KEY_MODES.sealed.code ? 'sealed' : 'plain';
  if (code !== KEY_MODES[mode].code) throw formatUnsupported('pack header', `key mode ${code}`);
  if (suite !== KEY_MODES[mode].suite) throw formatUnsupported('pack header', `suite ${suite}`);
  return mode;
}
