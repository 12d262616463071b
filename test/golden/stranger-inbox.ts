/**
 * Opens a message of a put-only writer as somebody would write it who has `docs/format.md` and no code of ours: Node's own
 * crypto, another BLAKE3, other names.
 */

import assert from 'node:assert/strict';
import { createDecipheriv, createPrivateKey, createPublicKey, decapsulate, hkdfSync, verify } from 'node:crypto';
import { blake3 } from '@noble/hashes/blake3.js';
import { decode } from 'cborg';

/** PKCS #8 of an ML-KEM-1024 seed (RFC 9935), and SPKI of an Ed25519 key (RFC 8410). */
const KEM_SEED = Buffer.from('3054020100300b060960864801650304040304428040', 'hex');
const ED25519 = Buffer.from('302a300506032b6570032100', 'hex');
const FRONT = 1664;

function open(key: Buffer, nonce: Buffer, aad: Uint8Array, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(sealed.subarray(-16)).setAAD(aad);
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

/** @returns the seven values of the head, and the key of its parts */
export function openHead(
  head: Buffer,
  kemSeed: Uint8Array,
): { readonly values: readonly unknown[]; readonly partKey: Buffer } {
  assert.equal(head.subarray(0, 8).toString(), 'HOLDMAIL');
  const end = head.length - 16;
  assert.deepEqual(Buffer.from(blake3(head.subarray(0, end))).subarray(0, 16), head.subarray(end));
  const signed = Buffer.concat([Buffer.from('holdfast message signature v1'), head.subarray(0, end - 64)]);
  const spki = Buffer.concat([ED25519, head.subarray(64, 96)]);
  const writer = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  assert(verify(null, signed, writer, head.subarray(end - 64, end)));
  const pkcs8 = Buffer.concat([KEM_SEED, kemSeed]);
  const pair = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const shared = decapsulate(pair, head.subarray(96, FRONT));
  const keyOf = (label: string): Buffer => {
    const info = Buffer.concat([Buffer.from(label), head.subarray(16, 56)]);
    return Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), info, 32));
  };
  const sealed = head.subarray(FRONT, FRONT + head.readUInt32LE(56) + 16);
  assert.equal(FRONT + sealed.length, end - 64);
  const key = keyOf('holdfast message head key v1');
  const plain = open(key, Buffer.alloc(12), head.subarray(0, FRONT), sealed);
  const values = decode(plain.subarray(4, 4 + plain.readUInt32LE(0)), { useMaps: true }) as readonly unknown[];
  return { values, partKey: keyOf('holdfast message part key v1') };
}

/** The content of a part; `chunkOf` gives chunks of the store. */
export function openPart(
  part: Buffer,
  key: { readonly partKey: Buffer; readonly index: number },
  chunkOf: (digest: string) => Uint8Array,
): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(key.index);
  const plain = open(key.partKey, nonce, Buffer.from('holdfast message part v1'), part);
  const content: Uint8Array[] = [];
  let at = 0;
  while (at < plain.length && plain[at] !== 0) {
    const first = plain.readUInt32LE(at + 1);
    if (plain[at] === 1) {
      content.push(plain.subarray(at + 5, at + 5 + first));
      at += 5 + first;
    } else if (plain[at] === 2) {
      content.push(plain.subarray(first, first + plain.readUInt32LE(at + 5)));
      at += 9;
    } else {
      assert.equal(plain[at], 3);
      const chunk = chunkOf(plain.subarray(at + 5, at + 37).toString('hex'));
      assert.equal(chunk.length, first);
      content.push(chunk);
      at += 37;
    }
  }
  return Buffer.concat(content);
}
