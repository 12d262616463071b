import { toBase64 } from '../bytes/base64.ts';
import { equalBytes, fromHex, toHex } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import {
  configMacBytes,
  SEALED_STORE_FORMAT,
  SEALED_SUITE,
  type SealedStoreConfig,
  type StoreConfigBase,
} from '../format/config.ts';
import type { Slot } from '../format/config-keys.ts';
import { blake3Keyed } from '../hash/index.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { wipe } from './conceal.ts';
import { deriveKey } from './key-wrap.ts';
import { Keyring, type KeyringMaterial, materialOf } from './keyring.ts';
import type { Ring } from './ring.ts';
import { sealRing } from './ring-seal.ts';

/** A sealed store's config and its opened keys, of one generation. What every change of keys takes and gives. */
export interface KeyState {
  readonly config: SealedStoreConfig;
  readonly keyring: Keyring;
}

/** What a change of keys changes; the rest stays. */
export interface KeyChange {
  /** What is not about keys. */
  readonly settings?: Partial<Pick<StoreConfigBase, 'features' | 'redundancy' | 'placement'>>;
  readonly slots?: readonly Slot[];
  readonly ring?: Ring;
  /** A fresh one, to which the slots given beside it lead. */
  readonly masterKey?: Uint8Array;
}

/** The MAC of a config: BLAKE3 keyed under the master key over everything in front of it. */
export function configMac(config: Omit<SealedStoreConfig, 'mac'>, masterKey: Uint8Array): Uint8Array {
  const key = deriveKey(masterKey, 'configMac');
  const mac = blake3Keyed(key, configMacBytes(config));
  wipe(key);
  return mac;
}

/** Whether the config is as somebody wrote it who had the master key. */
export function hasValidMac(config: SealedStoreConfig, masterKey: Uint8Array): boolean {
  const mac = fromHex(config.mac);
  return mac !== undefined && equalBytes(configMac(config, masterKey), mac);
}

/** Config and keyring of what a store is to have: the ring sealed anew, the MAC made. */
export function sealState(
  base: StoreConfigBase,
  keys: KeyringMaterial & { readonly slots: readonly Slot[] },
  random: RandomBytes,
): KeyState {
  const { masterKey, ring, generation, slots } = keys;
  const { features, storeId, created, digest, chunking, compression, redundancy, placement } = base;
  const sealedRing = toBase64(sealRing(ring, { masterKey, storeId }, random));
  const config = {
    format: SEALED_STORE_FORMAT,
    features,
    storeId,
    created,
    digest,
    chunking,
    compression,
    redundancy,
    ...(placement && { placement }),
    keys: { suite: SEALED_SUITE, slots, ring: sealedRing },
    generation,
  } as const;
  const mac = toHex(configMac(config, masterKey));
  return { config: { ...config, mac }, keyring: new Keyring({ masterKey, ring, generation }) };
}

/** The next generation: what changes, sealed with what stays. The state it came from stays valid as it was. */
export function nextState(state: KeyState, change: KeyChange, random: RandomBytes): KeyState {
  const { masterKey, ring, generation } = materialOf(state.keyring);
  invariant(generation === state.config.generation, 'config and keyring are of one generation');
  // What follows seals the keys to the slots of this config: one that was put in its place would get them.
  invariant(hasValidMac(state.config, masterKey), 'the config that is changed is the one that was unlocked');
  const keys = {
    masterKey: change.masterKey ?? masterKey,
    ring: change.ring ?? ring,
    generation: generation + 1,
    slots: change.slots ?? state.config.keys.slots,
  };
  return sealState({ ...state.config, ...change.settings }, keys, random);
}

/** A change of what is not about keys: sealed anew, so that nobody without them can make it. */
export function changeSettings(
  state: KeyState,
  settings: NonNullable<KeyChange['settings']>,
  random: RandomBytes,
): KeyState {
  return nextState(state, { settings }, random);
}
