/**
 * The member `keys` of the config of a sealed store: the slots that lead to the master key, and the ring that it seals.
 * Byte strings are canonical base64. Only shapes and bounds are looked at here; nothing in this file needs a key.
 */

import { z } from 'zod';
import { fromBase64 } from '../bytes/base64.ts';
import {
  ARGON2_MEMORY_KIB_MAX,
  ARGON2_MEMORY_KIB_MIN,
  ARGON2_PARALLELISM_MAX,
  ARGON2_PASSES_MAX,
  ARGON2_SALT_BYTES_MAX,
  ARGON2_SALT_BYTES_MIN,
  ARGON2_WORK_KIB_MAX,
  KEY_SLOTS_MAX,
  RING_BYTES_MAX,
} from '../limits.ts';

/** What opens a slot: Argon2id of a passphrase, a key of 32 bytes, or the holder of an ML-KEM-1024 pair. */
export const SLOT_TYPES = ['passphrase', 'key-file', 'recipient'] as const;
export type SlotType = (typeof SLOT_TYPES)[number];

/** An ML-KEM-1024 encapsulation key, and a ciphertext: FIPS 203, table 3. */
const KEM_BYTES = 1568;
/** A seed of 64 bytes, and a key of 32, each with its AES-256-GCM tag. */
const SEALED_SEED_BYTES = 80;
const SEALED_KEY_BYTES = 48;
const KEY_SALT_BYTES = 32;
/** An envelope around nothing: salt, counter and tag. */
const RING_BYTES_MIN = 40;

function base64(bounds: { readonly min: number; readonly max: number }): z.ZodType<string> {
  return z.string().refine((text) => {
    const length = fromBase64(text)?.length;
    return length !== undefined && length >= bounds.min && length <= bounds.max;
  }, `no base64 of ${bounds.min} to ${bounds.max} bytes`);
}

function base64Of(length: number): z.ZodType<string> {
  return base64({ min: length, max: length });
}

/** Labels of slots and writers: 1 to 64 characters, no control characters, no half of a surrogate pair. */
const LABEL = /^[^\p{Cc}\p{Cs}]{1,64}$/u;

/** Whether a text can be the label of a slot or writer. */
export function isKeyLabel(text: string): boolean {
  return LABEL.test(text);
}

const slotMembers = {
  id: z.string().regex(/^[0-9a-f]{8}$/),
  label: z.string().regex(LABEL),
  created: z.iso.datetime(),
  publicKey: base64Of(KEM_BYTES),
};

const masterKeyMembers = {
  ciphertext: base64Of(KEM_BYTES),
  masterKey: base64Of(SEALED_KEY_BYTES),
};

const argon2Schema = z.strictObject({
  memoryKib: z.int().min(ARGON2_MEMORY_KIB_MIN).max(ARGON2_MEMORY_KIB_MAX),
  passes: z.int().min(1).max(ARGON2_PASSES_MAX),
  parallelism: z.int().min(1).max(ARGON2_PARALLELISM_MAX),
  salt: base64({ min: ARGON2_SALT_BYTES_MIN, max: ARGON2_SALT_BYTES_MAX }),
});

const { id, ...described } = slotMembers;

const slotSchema = z.discriminatedUnion('type', [
  z.strictObject({
    id,
    type: z.literal('passphrase'),
    ...described,
    argon2: argon2Schema,
    seed: base64Of(SEALED_SEED_BYTES),
    ...masterKeyMembers,
  }),
  z.strictObject({
    id,
    type: z.literal('key-file'),
    ...described,
    salt: base64Of(KEY_SALT_BYTES),
    seed: base64Of(SEALED_SEED_BYTES),
    ...masterKeyMembers,
  }),
  z.strictObject({ id, type: z.literal('recipient'), ...described, ...masterKeyMembers }),
]);

type Affordable =
  | { readonly type: 'passphrase'; readonly argon2: Omit<SlotArgon2, 'salt'> }
  | { readonly type: 'key-file' | 'recipient' };

type Slots = readonly z.infer<typeof slotSchema>[];

function areDistinct(slots: Slots): boolean {
  return new Set(slots.map((slot) => slot.id)).size === slots.length;
}

/**
 * Whether the passphrase slots among these cost little enough to be tried one after the other: memory times passes of
 * all of them, up to 16 GiB.
 */
export function areAffordable(slots: readonly Affordable[]): boolean {
  const work = slots.map((slot) => (slot.type === 'passphrase' ? slot.argon2.memoryKib * slot.argon2.passes : 0));
  return work.reduce((sum, one) => sum + one, 0) <= ARGON2_WORK_KIB_MAX;
}

/** Schema of the member `keys`; members in the order in which they are written. */
export const sealedKeysSchema = z.strictObject({
  suite: z.string(),
  slots: z
    .array(slotSchema)
    .min(1)
    .max(KEY_SLOTS_MAX)
    .refine(areDistinct, 'slots of one id')
    .refine(areAffordable, 'Argon2 parameters that cost too much'),
  ring: base64({ min: RING_BYTES_MIN, max: RING_BYTES_MAX }),
});

/** Cost and salt of one derivation from a passphrase (RFC 9106). */
export interface SlotArgon2 {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  /** 16 to 64 random bytes, base64. */
  readonly salt: string;
}

interface SlotBase {
  /** 8 hex digits, unique in the store. */
  readonly id: string;
  /** 1 to 64 characters; for people. Everybody who has the file can read it. */
  readonly label: string;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
  /** ML-KEM-1024 encapsulation key, base64. */
  readonly publicKey: string;
  /** ML-KEM-1024 ciphertext whose shared key seals the master key, base64. */
  readonly ciphertext: string;
  /** The master key, sealed: 32 bytes and tag, base64. */
  readonly masterKey: string;
}

/** A slot whose seed a passphrase seals. */
export interface PassphraseSlot extends SlotBase {
  readonly type: 'passphrase';
  readonly argon2: SlotArgon2;
  /** The seed of the pair, sealed: 64 bytes and tag, base64. */
  readonly seed: string;
}

/** A slot whose seed a key of 32 bytes seals. */
export interface KeyFileSlot extends SlotBase {
  readonly type: 'key-file';
  /** 32 random bytes, base64. */
  readonly salt: string;
  /** The seed of the pair, sealed: 64 bytes and tag, base64. */
  readonly seed: string;
}

/** A slot whose pair somebody else holds: nothing of its seed is here. */
export interface RecipientSlot extends SlotBase {
  readonly type: 'recipient';
}

/** One way to the master key. */
export type Slot = PassphraseSlot | KeyFileSlot | RecipientSlot;

/** Slots and ring of a sealed store. */
export interface SealedKeys {
  readonly suite: 'aes-256-gcm';
  /** 1 to 32. */
  readonly slots: readonly Slot[];
  /** The key ring in an envelope under the master key, base64. */
  readonly ring: string;
}
