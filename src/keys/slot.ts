import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { ARGON2_DEFAULT, type Argon2Cost, argon2id } from '../crypto/argon2.ts';
import { createKemKeyPair, encapsulate, KEM_SEED_BYTES } from '../crypto/kem.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import type { CborValue } from '../format/cbor.ts';
import type { KeyFileSlot, PassphraseSlot, Slot, SlotArgon2 } from '../format/config-keys.ts';
import type { Fail } from '../format/damage.ts';
import { ARGON2_MEMORY_KIB_MAX, ARGON2_MEMORY_KIB_MIN, ARGON2_PARALLELISM_MAX, ARGON2_PASSES_MAX } from '../limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { wipe } from './conceal.ts';
import { KEY_BYTES } from './key-file.ts';
import { bindTo, deriveKey, unwrap, wrap } from './key-wrap.ts';
import type { OpenSecret, SlotOwner } from './secrets.ts';

/** What making keys takes from outside. */
export interface KeyContext {
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** For passphrases; default 64 MiB, 3 passes, 4 lanes: about a quarter of a second. */
  readonly argon2?: Argon2Cost;
}

/** Which slot is made, for what. */
export interface SlotPlan {
  readonly id: string;
  readonly label: string;
  readonly owner: SlotOwner;
}

/** Which store a slot belongs to, and the key it leads to. */
export interface SlotTarget {
  /** In lower-case hex. */
  readonly storeId: string;
  readonly masterKey: Uint8Array;
}

type Described = Pick<Slot, 'id' | 'publicKey'>;

/** Makes a slot: a fresh pair, or the recipient's, and the master key encapsulated to it. */
export async function createSlot(plan: SlotPlan, target: SlotTarget, context: KeyContext): Promise<Slot> {
  const { id, label, owner } = plan;
  const created = new Date(context.clock.now()).toISOString();
  if (owner.type === 'recipient') {
    const described = { id, type: owner.type, label, created, publicKey: toBase64(owner.publicKey) };
    return { ...described, ...encapsulateMasterKey({ ...described }, target) };
  }
  const seed = context.random(KEM_SEED_BYTES);
  try {
    const described = { id, label, created, publicKey: toBase64(createKemKeyPair(seed).publicKey) };
    const kept = await wrapSeed(seed, { ...described, storeId: target.storeId, owner }, context);
    return { ...described, ...kept, ...encapsulateMasterKey({ ...described, ...kept }, target) };
  } finally {
    wipe(seed);
  }
}

/** The same slot, leading to another master key: nobody's secret is needed for that. */
export function renewSlot(slot: Slot, target: SlotTarget): Slot {
  return { ...slot, ...encapsulateMasterKey(slot, target) };
}

/** The same slot under another label. Labels are covered by the MAC of the config, and bound to nothing else. */
export function relabelSlot(slot: Slot, label: string): Slot {
  return { ...slot, label };
}

/**
 * Tries a secret on a slot. Costs an Argon2id where both are of passphrases, next to nothing otherwise.
 * @returns the master key, or `undefined` when the slot is somebody else's
 * @throws what `fail` throws when the secret is the slot's and the slot has been tampered with
 */
export async function openSlot(
  slot: Slot,
  secret: OpenSecret,
  store: { readonly storeId: string; readonly fail: Fail },
): Promise<Uint8Array | undefined> {
  const { storeId, fail } = store;
  const publicKey = bytesOf(slot.publicKey);
  if (slot.type === 'recipient') {
    const isOwner = secret.type === 'recipient' && equalBytes(secret.identity.publicKey, publicKey);
    return isOwner ? decapsulateMasterKey(slot, secret.identity.seed, store) : undefined;
  }
  const seed = await unwrapSeed(slot, secret, storeId);
  if (!seed) return undefined;
  if (equalBytes(createKemKeyPair(seed).publicKey, publicKey)) return decapsulateMasterKey(slot, seed, store);
  wipe(seed);
  return fail('has a key slot whose two keys do not belong together');
}

/** Whether a slot is its owner's already. Not told of passphrases: trying one costs its Argon2id. */
export async function isSlotOf(slot: Slot, owner: SlotOwner, storeId: string): Promise<boolean> {
  if (owner.type === 'recipient') return equalBytes(bytesOf(slot.publicKey), owner.publicKey);
  if (owner.type === 'passphrase' || slot.type !== 'key-file') return false;
  const seed = await unwrapSeed(slot, owner, storeId);
  wipe(seed);
  return seed !== undefined;
}

interface SeedPlace extends Described {
  readonly storeId: string;
  readonly owner: Exclude<SlotOwner, { readonly type: 'recipient' }>;
}

type KeptSeed = Pick<PassphraseSlot, 'type' | 'argon2' | 'seed'> | Pick<KeyFileSlot, 'type' | 'salt' | 'seed'>;

async function wrapSeed(seed: Uint8Array, place: SeedPlace, context: KeyContext): Promise<KeptSeed> {
  const salt = context.random(KEY_BYTES);
  if (place.owner.type === 'key-file') {
    const key = deriveKey(place.owner.key, 'keyFileSeed', salt);
    const aad = bindTo('keyFileSeed', [place.storeId, place.id, bytesOf(place.publicKey), salt]);
    return { type: 'key-file', salt: toBase64(salt), seed: toBase64(wrap(key, aad, seed)) };
  }
  const { memoryKib, passes, parallelism } = checkCost(context.argon2 ?? ARGON2_DEFAULT);
  const argon2 = { memoryKib, passes, parallelism, salt: toBase64(salt) };
  const key = await passphraseKey(place.owner.passphrase, argon2);
  const aad = bindTo('passphraseSeed', passphrasePlace({ ...place, argon2 }, place.storeId));
  return { type: 'passphrase', argon2, seed: toBase64(wrap(key, aad, seed)) };
}

/** What is written must be believed when it is read. */
function checkCost(cost: Argon2Cost): Argon2Cost {
  checkInteger('argon2.memoryKib', cost.memoryKib, { min: ARGON2_MEMORY_KIB_MIN, max: ARGON2_MEMORY_KIB_MAX });
  checkInteger('argon2.passes', cost.passes, { min: 1, max: ARGON2_PASSES_MAX });
  checkInteger('argon2.parallelism', cost.parallelism, { min: 1, max: ARGON2_PARALLELISM_MAX });
  return cost;
}

async function unwrapSeed(
  slot: PassphraseSlot | KeyFileSlot,
  secret: OpenSecret,
  storeId: string,
): Promise<Uint8Array | undefined> {
  const sealed = bytesOf(slot.seed);
  if (slot.type === 'key-file' && secret.type === 'key-file') {
    const salt = bytesOf(slot.salt);
    const aad = bindTo('keyFileSeed', [storeId, slot.id, bytesOf(slot.publicKey), salt]);
    return unwrap(deriveKey(secret.key, 'keyFileSeed', salt), aad, sealed);
  }
  if (slot.type === 'passphrase' && secret.type === 'passphrase') {
    const aad = bindTo('passphraseSeed', passphrasePlace(slot, storeId));
    return unwrap(await passphraseKey(secret.passphrase, slot.argon2), aad, sealed);
  }
  return undefined;
}

function passphrasePlace(slot: Described & Pick<PassphraseSlot, 'argon2'>, storeId: string): readonly CborValue[] {
  const { memoryKib, passes, parallelism, salt } = slot.argon2;
  return [storeId, slot.id, bytesOf(slot.publicKey), memoryKib, passes, parallelism, bytesOf(salt)];
}

async function passphraseKey(passphrase: Uint8Array, argon2: SlotArgon2): Promise<Uint8Array> {
  const stretched = await argon2id(passphrase, { ...argon2, salt: bytesOf(argon2.salt), bytes: KEY_BYTES });
  try {
    return deriveKey(stretched, 'passphraseSeed');
  } finally {
    wipe(stretched);
  }
}

/** Everything of the slot that opens it is bound, its ciphertext included: no part of it fits another slot or store. */
function masterKeyAad(slot: Described & Pick<Slot, 'type'>, storeId: string, ciphertext: Uint8Array): Uint8Array {
  return bindTo('masterKey', [storeId, slot.id, slot.type, bytesOf(slot.publicKey), ciphertext]);
}

function encapsulateMasterKey(
  slot: Described & Pick<Slot, 'type'>,
  target: SlotTarget,
): Pick<Slot, 'ciphertext' | 'masterKey'> {
  const { ciphertext, sharedKey } = encapsulate(bytesOf(slot.publicKey));
  const key = deriveKey(sharedKey, 'masterKey');
  wipe(sharedKey);
  const sealed = wrap(key, masterKeyAad(slot, target.storeId, ciphertext), target.masterKey);
  return { ciphertext: toBase64(ciphertext), masterKey: toBase64(sealed) };
}

/** Wipes the seed. */
function decapsulateMasterKey(
  slot: Slot,
  seed: Uint8Array,
  store: { readonly storeId: string; readonly fail: Fail },
): Uint8Array {
  const ciphertext = bytesOf(slot.ciphertext);
  const sharedKey = createKemKeyPair(seed).decapsulate(ciphertext);
  const key = deriveKey(sharedKey, 'masterKey');
  wipe(seed, sharedKey);
  const aad = masterKeyAad(slot, store.storeId, ciphertext);
  return unwrap(key, aad, bytesOf(slot.masterKey)) ?? store.fail('has a key slot that does not open with its own key');
}

/** 8 random hex digits that no other slot has. */
export function createSlotId(random: RandomBytes, taken: readonly string[]): string {
  const id = toHex(random(4));
  return taken.includes(id) ? createSlotId(random, taken) : id;
}

function bytesOf(base64: string): Uint8Array {
  const bytes = fromBase64(base64);
  invariant(bytes, 'a decoded config holds base64 where it belongs');
  return bytes;
}
