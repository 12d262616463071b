/**
 * Opens the config of a sealed store as somebody would write it who has `docs/format.md` and no code of ours: Node's own
 * crypto, another BLAKE3, other names.
 */

import assert from 'node:assert/strict';
import { argon2Sync, createDecipheriv, createPrivateKey, decapsulate, hkdfSync } from 'node:crypto';
import { blake3 } from '@noble/hashes/blake3.js';
import { encode } from 'cborg';

/** What opens a slot: the bytes of a passphrase, of a key, or of the seed of an identity. */
export interface StrangerSecret {
  readonly type: 'passphrase' | 'key-file' | 'recipient';
  readonly bytes: Uint8Array;
}

interface StrangerSlot {
  readonly id: string;
  readonly type: StrangerSecret['type'];
  readonly publicKey: string;
  readonly argon2: {
    readonly memoryKib: number;
    readonly passes: number;
    readonly parallelism: number;
    readonly salt: string;
  };
  readonly salt: string;
  readonly seed: string;
  readonly ciphertext: string;
  readonly masterKey: string;
}

const base64 = (text: string): Buffer => Buffer.from(text, 'base64');

function hkdf(secret: Uint8Array, label: string, salt: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, label, 32));
}

function open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(sealed.subarray(-16)).setAAD(aad);
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

const NO_NONCE = Buffer.alloc(12);

/** Section "Slots": the seed of the slot's pair. */
function slotSeed(slot: StrangerSlot, secret: StrangerSecret, storeId: string): Uint8Array {
  if (slot.type === 'recipient') return secret.bytes;
  const publicKey = base64(slot.publicKey);
  if (slot.type === 'key-file') {
    const salt = base64(slot.salt);
    const label = 'holdfast slot seed key-file v1';
    const aad = encode([label, storeId, slot.id, publicKey, salt]);
    return open(hkdf(secret.bytes, label, salt), NO_NONCE, aad, base64(slot.seed));
  }
  const { memoryKib, passes, parallelism } = slot.argon2;
  const salt = base64(slot.argon2.salt);
  const cost = { memory: memoryKib, passes, parallelism, tagLength: 32 };
  const stretched = argon2Sync('argon2id', { message: secret.bytes, nonce: salt, ...cost });
  const label = 'holdfast slot seed passphrase v1';
  const aad = encode([label, storeId, slot.id, publicKey, memoryKib, passes, parallelism, salt]);
  return open(hkdf(stretched, label), NO_NONCE, aad, base64(slot.seed));
}

/** PKCS #8 of an ML-KEM-1024 seed, RFC 9935. */
const PKCS8 = Buffer.from('3054020100300b060960864801650304040304428040', 'hex');

function slotMasterKey(slot: StrangerSlot, seed: Uint8Array, storeId: string): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const ciphertext = base64(slot.ciphertext);
  const label = 'holdfast slot master key v1';
  const aad = encode([label, storeId, slot.id, slot.type, base64(slot.publicKey), ciphertext]);
  return open(hkdf(decapsulate(key, ciphertext), label), NO_NONCE, aad, base64(slot.masterKey));
}

/** Master key and the bytes of the ring (CBOR), through the first slot of the secret's type; the MAC is checked. */
export function openConfig(
  text: string,
  secret: StrangerSecret,
): { readonly masterKey: Buffer; readonly ring: Buffer } {
  const config = JSON.parse(text);
  const slot = config.keys.slots.find((one: StrangerSlot) => one.type === secret.type);
  const masterKey = slotMasterKey(slot, slotSeed(slot, secret, config.storeId), config.storeId);
  const covered = Buffer.from(text.slice(0, text.indexOf(',\n  "mac"')));
  const mac = blake3(covered, { key: hkdf(masterKey, 'holdfast config mac v1') });
  assert.equal(Buffer.from(mac).toString('hex'), config.mac);
  const sealed = base64(config.keys.ring);
  const label = 'holdfast ring key v1';
  const key = hkdf(hkdf(masterKey, label), 'holdfast envelope v1', sealed.subarray(0, 16));
  const nonce = Buffer.concat([sealed.subarray(16, 24), Buffer.alloc(4)]);
  const plain = open(key, nonce, encode([label, config.storeId]), sealed.subarray(24));
  const length = plain.readUInt32LE(0);
  assert.equal(plain.length % 1024, 0);
  assert(plain.subarray(4 + length).every((byte) => byte === 0));
  return { masterKey, ring: plain.subarray(4, 4 + length) };
}
