/**
 * Key pages: the secret of one isolated entry each, on the backend and nowhere else. Never in the journal, which keeps
 * what it was told; a page is deleted, and with it everything that was sealed under its secret. Layout in
 * `docs/format.md`, section "Key page".
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { ENVELOPE_OVERHEAD_BYTES, EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { ISOLATED_NAMESPACE_MIN, NAMESPACE_NUMBER_MAX } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { checkHolds, checkOf } from './check.ts';
import { type Fail, failWith } from './damage.ts';
import type { KeySchedule } from './key-schedule.ts';
import { type Layout, PRELUDE_BYTES, readPrelude, readReserved, writePrelude } from './prelude.ts';
import { CHECK_BYTES, SECRET_BYTES } from './sizes.ts';

/** Backend keys of key pages begin with this. */
export const KEY_PAGES_PREFIX = 'keys/';

const LAYOUT: Layout = { magic: 'HOLDKEYS', version: 1, component: 'key page' };
const RESERVED_BYTES = 12;
const HEAD_BYTES = PRELUDE_BYTES + 4 + RESERVED_BYTES;
const NUMBER_DIGITS = 8;
const LABEL = utf8Encode('holdfast key page v1');

/** What a key page holds. */
export interface KeyPage {
  /** The namespace of one whose secret it is: `ISOLATED_NAMESPACE_MIN` or more. */
  readonly namespace: number;
  /** 32 random bytes. */
  readonly secret: Uint8Array;
}

/** Bytes of every key page. */
export const KEY_PAGE_BYTES = HEAD_BYTES + ENVELOPE_OVERHEAD_BYTES + SECRET_BYTES + CHECK_BYTES;

/** Backend key of the page of an isolated entry. @param namespace its namespace of one */
export function keyPageKey(namespace: number): string {
  checkInteger('namespace', namespace, { min: ISOLATED_NAMESPACE_MIN, max: NAMESPACE_NUMBER_MAX });
  return KEY_PAGES_PREFIX + namespace.toString(16).padStart(NUMBER_DIGITS, '0');
}

/**
 * Encodes a page. Its key takes no epoch, so a page is written once and deleted once: nobody can write it anew while
 * somebody else deletes it. Who has the secret in it, and no epoch of the packs, opens nothing.
 * @returns `KEY_PAGE_BYTES` bytes
 */
export function encodeKeyPage({ namespace, secret }: KeyPage, schedule: KeySchedule, random: RandomBytes): Uint8Array {
  checkInteger('page.namespace', namespace, { min: ISOLATED_NAMESPACE_MIN, max: NAMESPACE_NUMBER_MAX });
  invariant(secret.length === SECRET_BYTES, 'the secret of an isolated entry has 32 bytes');
  const head = new BinaryWriter(HEAD_BYTES);
  writePrelude(head, LAYOUT);
  head.u32(namespace);
  const envelope = new EnvelopeSealer(schedule.keyPageKey(), random).seal(secret, aadOf(head.bytes));
  return concatBytes([head.bytes, envelope, checkOf(head.bytes, envelope)]);
}

/**
 * Opens a page. Damage by accident shows in its check, which takes no key; a page put in the place of another, or made
 * by somebody without the keys, does not open.
 * @param namespace whose page it must be
 * @returns the secret, in memory of the caller's own
 * @throws `corrupt/KEY_PAGE_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeKeyPage(bytes: Uint8Array, namespace: number, schedule: KeySchedule): Uint8Array {
  const fail = failWith('KEY_PAGE_CORRUPT', 'key page', { backendKey: keyPageKey(namespace) });
  if (keyPageNamespace(bytes, fail) !== namespace) fail('belongs to another entry');
  const head = bytes.subarray(0, HEAD_BYTES);
  const opener = new EnvelopeOpener(schedule.keyPageKey());
  return (
    opener.open(bytes.subarray(HEAD_BYTES, KEY_PAGE_BYTES - CHECK_BYTES), aadOf(head)) ??
    fail('does not open under its key')
  );
}

/**
 * What a page says without a key: whose it is. Damage by accident is told.
 * @throws `corrupt/KEY_PAGE_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function keyPageNamespace(bytes: Uint8Array, fail: Fail = failWith('KEY_PAGE_CORRUPT', 'key page')): number {
  if (bytes.length !== KEY_PAGE_BYTES) fail(`has ${bytes.length} bytes, not ${KEY_PAGE_BYTES}`);
  const checked = bytes.subarray(0, KEY_PAGE_BYTES - CHECK_BYTES);
  const check = bytes.subarray(KEY_PAGE_BYTES - CHECK_BYTES);
  readPrelude(bytes, LAYOUT, { fail, intact: () => checkHolds(check, checked) });
  const reader = new BinaryReader(bytes.subarray(0, HEAD_BYTES), fail);
  reader.bytes(PRELUDE_BYTES);
  const namespace = reader.u32();
  readReserved(reader, RESERVED_BYTES, fail);
  return namespace;
}

function aadOf(head: Uint8Array): Uint8Array {
  return concatBytes([LABEL, head]);
}
