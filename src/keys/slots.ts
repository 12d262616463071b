import { fromBase64 } from '../bytes/base64.ts';
import { fingerprint } from '../crypto/fingerprint.ts';
import { argumentRangeError } from '../errors/argument-error.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import type { SealedStoreConfig, StoreConfigBase } from '../format/config.ts';
import { areAffordable, type Slot, type SlotType } from '../format/config-keys.ts';
import { KEY_SLOTS_MAX } from '../limits.ts';
import { credentialError } from './credential-error.ts';
import { withEpoch } from './epochs.ts';
import { KEY_BYTES } from './key-file.ts';
import { createKeyring, materialOf } from './keyring.ts';
import { checkLabel } from './label.ts';
import { type KeyState, nextState, sealState } from './sealed-state.ts';
import type { SecretFileOptions } from './secret-file.ts';
import { type KeySecret, type NewSlot, openSlotOwner, type SlotOwner, wipeSecret } from './secrets.ts';
import {
  createSlot,
  createSlotId,
  isSlotOf,
  type KeyContext,
  relabelSlot,
  renewSlot,
  type SlotTarget,
} from './slot.ts';

/** What making and changing slots takes from outside. */
export interface SlotContext extends KeyContext, SecretFileOptions {}

/** A slot, as everybody sees it who has the config. */
export interface SlotFacts {
  /** 8 hex digits. */
  readonly id: string;
  readonly type: SlotType;
  readonly label: string;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
  /** Of its public key, 32 hex digits; equal to that of the recipient's identity. */
  readonly fingerprint: string;
}

/** The slots of a sealed store, in the order in which they are tried. Needs no key. */
export function listSlots(config: SealedStoreConfig): readonly SlotFacts[] {
  return config.keys.slots.map(({ id, type, label, created, publicKey }) => {
    const key = fromBase64(publicKey);
    invariant(key, 'a decoded config holds base64 where it belongs');
    return { id, type, label, created, fingerprint: fingerprint('ml-kem-1024', key) };
  });
}

/**
 * Makes the config and the keys of a new sealed store, generation 1.
 * @param base what the config says beside its keys; its generation does not count
 * @param slots what is to open the store; at least one
 * @throws RangeError for no slot or more than 32; as `addSlot`
 */
export async function createSealed(
  base: StoreConfigBase,
  slots: readonly NewSlot[],
  context: SlotContext,
): Promise<KeyState> {
  if (slots.length === 0 || slots.length > KEY_SLOTS_MAX) {
    throw argumentRangeError('slots.length', `1 to ${KEY_SLOTS_MAX}`, slots.length);
  }
  const { masterKey, ring } = materialOf(createKeyring(context.random, context.clock));
  const made: Slot[] = [];
  for (const slot of slots) made.push(await makeSlot(slot, { slots: made, storeId: base.storeId, masterKey }, context));
  return sealState(base, { masterKey, ring, generation: 1, slots: made }, context.random);
}

/**
 * Lets somebody else in. The new slot is the last one.
 * @throws `invalid/CREDENTIAL_INVALID`, `denied/KEY_FILE_EXPOSED` for the secret; TypeError or RangeError for the
 *   label; `conflict/SLOT_EXISTS` for a key file or recipient that has a slot; `exhausted/QUOTA_EXCEEDED` beyond 32
 *   slots
 */
export async function addSlot(state: KeyState, slot: NewSlot, context: SlotContext): Promise<KeyState> {
  const { slots } = state.config.keys;
  if (slots.length >= KEY_SLOTS_MAX)
    throw storeError('QUOTA_EXCEEDED', `a store has at most ${KEY_SLOTS_MAX} key slots`);
  const { masterKey } = materialOf(state.keyring);
  const made = await makeSlot(slot, { slots, storeId: state.config.storeId, masterKey }, context);
  return nextState(state, { slots: [...slots, made] }, context.random);
}

/**
 * Gives a slot another label.
 * @throws `not-found/SLOT_NOT_FOUND`; TypeError or RangeError for the label
 */
export function labelSlot(
  state: KeyState,
  change: { readonly id: string; readonly label: string },
  context: Pick<KeyContext, 'random'>,
): KeyState {
  const label = checkLabel(change.label);
  const old = slotOf(state.config, change.id);
  const slots = state.config.keys.slots.map((slot) => (slot === old ? relabelSlot(slot, label) : slot));
  return nextState(state, { slots }, context.random);
}

/**
 * Shuts somebody out: a new master key, which only the other slots lead to, and a new epoch. With the slot's secret and
 * an old config they still have what they had; nothing sealed from now on opens for them.
 * @throws `not-found/SLOT_NOT_FOUND`, `conflict/LAST_SLOT`
 */
export function removeSlot(state: KeyState, id: string, context: KeyContext): KeyState {
  const old = slotOf(state.config, id);
  const slots = state.config.keys.slots.filter((slot) => slot !== old);
  if (slots.length === 0) {
    throw storeError('LAST_SLOT', 'this is the only way into the store: add another before removing it', {
      details: { actual: id },
    });
  }
  return renewMasterKey(state, slots, context);
}

/**
 * Replaces the passphrase of a slot, whose id and label stay. The slot gets a new key pair, and the store a new master
 * key and epoch: whoever has the old passphrase and an old config could unwrap the old pair, and with it everything
 * that is ever encapsulated to it. So a changed passphrase shuts out as removing a slot does.
 * @param change `passphrase`: `{ passphrase }` and nothing else
 * @throws `not-found/SLOT_NOT_FOUND`; `invalid/CREDENTIAL_INVALID` when the slot or the new secret is no passphrase
 */
export async function changePassphrase(
  state: KeyState,
  change: { readonly id: string; readonly passphrase: KeySecret },
  context: KeyContext,
): Promise<KeyState> {
  const old = slotOf(state.config, change.id);
  if (old.type !== 'passphrase') throw credentialError('a slot with a passphrase', `it is of type ${old.type}`);
  if (!('passphrase' in change.passphrase)) throw credentialError('a passphrase', 'it is another kind of secret');
  const target = { storeId: state.config.storeId, masterKey: context.random(KEY_BYTES) };
  const owner = await openSlotOwner(change.passphrase);
  try {
    const fresh = await createSlot({ id: old.id, label: old.label, owner }, target, context);
    const slots = state.config.keys.slots.map((slot) => (slot === old ? fresh : renewSlot(slot, target)));
    const ring = withEpoch(materialOf(state.keyring).ring, context);
    return nextState(state, { slots, ring, masterKey: target.masterKey }, context.random);
  } finally {
    wipeSecret(owner);
  }
}

function renewMasterKey(state: KeyState, slots: readonly Slot[], context: KeyContext): KeyState {
  const masterKey = context.random(KEY_BYTES);
  const target = { storeId: state.config.storeId, masterKey };
  const ring = withEpoch(materialOf(state.keyring).ring, context);
  return nextState(state, { slots: slots.map((slot) => renewSlot(slot, target)), ring, masterKey }, context.random);
}

async function makeSlot(
  slot: NewSlot,
  target: SlotTarget & { readonly slots: readonly Slot[] },
  context: SlotContext,
): Promise<Slot> {
  const label = slot.label === undefined ? undefined : checkLabel(slot.label);
  const owner = await openSlotOwner(slot, context);
  const id = createSlotId(
    context.random,
    target.slots.map((other) => other.id),
  );
  try {
    await refuseKnown(owner, target);
    const made = await createSlot({ id, label: label ?? owner.type, owner }, target, context);
    if (areAffordable([...target.slots, made])) return made;
    throw argumentRangeError('argon2', 'less costly: all passphrases of a store may have to be tried', undefined);
  } finally {
    wipeSecret(owner);
  }
}

async function refuseKnown(
  owner: SlotOwner,
  { slots, storeId }: Pick<SlotTarget, 'storeId'> & { readonly slots: readonly Slot[] },
): Promise<void> {
  for (const slot of slots) {
    if (!(await isSlotOf(slot, owner, storeId))) continue;
    const message = `this ${owner.type} opens the store already: it has the slot ${slot.id}`;
    throw storeError('SLOT_EXISTS', message, { details: { actual: slot.id } });
  }
}

function slotOf(config: SealedStoreConfig, id: string): Slot {
  const found = config.keys.slots.find((slot) => slot.id === id);
  if (found) return found;
  throw storeError('SLOT_NOT_FOUND', 'the store has no key slot with this id', { details: { actual: id } });
}
