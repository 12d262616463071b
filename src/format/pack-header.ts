/**
 * The first 128 bytes of a pack: whose it is and how its records are framed. Layout in `docs/format.md`, section "Pack
 * header". The header is never sealed; nothing in it tells more than a backend key and a blob size do.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { equalBytes } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
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
import { CHECK_BYTES, PACK_ID_BYTES, SESSION_ID_BYTES, STORE_ID_BYTES } from './sizes.ts';
import { packClassCode, packClassOf } from './type-codes.ts';
import type { PackClass } from './types.ts';

export const PACK_HEADER_BYTES = 128;
/** Of everything inside a pack; the footer says the same one. */
export const PACK_VERSION = 1;
/** How trailers are made: 0 is BLAKE3 in plain packs. 1 is kept for AES-256-GCM. */
export const SUITE_PLAIN = 0;

const KEY_MODE_PLAIN = 0;
const SALT_BYTES = 32;
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
  /** u32, of the namespace's keys; 0 in plain packs. */
  readonly epoch: number;
  readonly keyMode: 'plain';
  /** Absent when no bit is set. */
  readonly features?: FeatureBits;
}

/**
 * Encodes a header; every record trailer binds what it says.
 * @returns `PACK_HEADER_BYTES` bytes
 * @throws `unsupported/FORMAT_UNSUPPORTED` for read-only-compatible feature bits
 */
export function encodePackHeader(header: PackHeader): Uint8Array {
  const { store, pack, session } = header;
  invariant(store.length === STORE_ID_BYTES && pack.length === PACK_ID_BYTES, 'store and pack ids have 16 bytes');
  invariant(equalBytes(session, pack.subarray(0, SESSION_ID_BYTES)), 'a pack id begins with its session');
  checkInteger('header.namespace', header.namespace, { min: 0, max: 0xffff_ffff });
  invariant(header.epoch === 0, 'a plain pack has no key epoch');
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
    .u8(KEY_MODE_PLAIN)
    .u8(SUITE_PLAIN)
    .put(new Uint8Array(RESERVED_BEFORE_SALT + SALT_BYTES + RESERVED_AFTER_SALT));
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
  const keyMode = reader.u8();
  const suite = reader.u8();
  if (keyMode !== KEY_MODE_PLAIN) throw formatUnsupported('pack header', `key mode ${keyMode}`);
  if (suite !== SUITE_PLAIN) throw formatUnsupported('pack header', `suite ${suite}`);
  // In plain packs the salt is no more than that.
  readReserved(reader, RESERVED_BEFORE_SALT + SALT_BYTES + RESERVED_AFTER_SALT, fail);
  if (epoch !== 0) fail(`has the key epoch ${epoch} in a plain pack`);
  if (!equalBytes(session, pack.subarray(0, SESSION_ID_BYTES))) fail('has a pack id of another session');
  return { store, pack, session, class: packClass, namespace, epoch, keyMode: 'plain', ...(features && { features }) };
}
