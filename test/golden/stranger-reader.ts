/**
 * A reader of packs, shards and configs as somebody would write it who has `docs/format.md` and no code of ours: other
 * BLAKE3, other CBOR, other names; AES-GCM and HKDF are Node's. Where it and the product disagree, the document, the product or both are wrong.
 */

import assert from 'node:assert/strict';
import { createDecipheriv, hkdfSync } from 'node:crypto';
import { blake3 } from '@noble/hashes/blake3.js';

type Cbor = number | string | null | Buffer | readonly Cbor[];

/** CBOR of RFC 8949 without maps: what is read here has none. */
export function readCbor(bytes: Buffer): Cbor {
  let at = 0;
  const argument = (low: number): number => {
    if (low < 24) return low;
    const width = 2 ** (low - 24);
    assert(width <= 8);
    at += width;
    return width === 8 ? Number(bytes.readBigUInt64BE(at - 8)) : bytes.readUIntBE(at - width, width);
  };
  const value = (): Cbor => {
    const first = bytes.readUInt8(at++);
    if (first === 0xf6) return null;
    const size = argument(first & 31);
    switch (first >> 5) {
      case 0:
        return size;
      case 2:
        at += size;
        return bytes.subarray(at - size, at);
      case 3:
        at += size;
        return bytes.toString('utf8', at - size, at);
      case 4:
        return Array.from({ length: size }, value);
      default:
        throw new Error(`CBOR byte ${first}`);
    }
  };
  const whole = value();
  assert.equal(at, bytes.length);
  return whole;
}

function check16(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.from(blake3(Buffer.concat(parts))).subarray(0, 16);
}

function prelude(bytes: Buffer, magic: string): void {
  assert.equal(bytes.toString('latin1', 0, 8), magic);
  assert.equal(bytes.readUInt16LE(8), 1, 'version');
  assert.equal(bytes.readUInt16LE(14), 0, 'incompatible feature bits');
}

/** Section "Trailers": what stands before the content when its trailer is computed, or sealed with it. */
function aad(
  header: Buffer,
  fields: readonly [ordinal: number, kind: number, codec: number, plain: number, stored: number],
): Buffer {
  const [ordinal, kind, codec, plain, stored] = fields;
  const isSealed = header.readUInt8(65) === 1;
  const bytes = Buffer.alloc(isSealed ? 62 : 60);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(header.readUInt8(66), 2);
  header.copy(bytes, 4, 16, 32);
  header.copy(bytes, 20, 56, 60);
  header.copy(bytes, 24, 60, 64);
  header.copy(bytes, 28, 32, 48);
  bytes.writeUInt32LE(ordinal, 44);
  bytes.writeUInt16LE(kind, 48);
  bytes.writeUInt16LE(codec, 50);
  bytes.writeUInt32LE(plain, 52);
  bytes.writeUInt32LE(stored, 56);
  if (isSealed) header.copy(bytes, 60, 64, 66);
  return bytes;
}

/** The secrets of a store, by number. */
export interface Ring {
  readonly store: Uint8Array;
  readonly epochs: ReadonlyMap<number, Uint8Array>;
  readonly namespaces: ReadonlyMap<number, Uint8Array>;
}

function hkdf(secret: Uint8Array, salt: Uint8Array, info: string | Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret), Buffer.from(salt), Buffer.from(info as string), 32));
}

/** A secret that somebody who reads must have. */
function secretOf(secrets: ReadonlyMap<number, Uint8Array>, number: number): Uint8Array {
  const secret = secrets.get(number);
  assert(secret, `the ring has no secret ${number}`);
  return secret;
}

function openGcm(key: Uint8Array, nonce: Buffer, part: { aad: Buffer; sealed: Buffer; tag: Buffer }): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(part.aad).setAuthTag(part.tag);
  return Buffer.concat([decipher.update(part.sealed), decipher.final()]);
}

/** Section "Envelope". */
function openEnvelope(key: Uint8Array, envelope: Buffer, associated: Buffer): Buffer {
  const derived = hkdf(key, envelope.subarray(0, 16), 'holdfast envelope v1');
  const nonce = Buffer.alloc(12);
  envelope.copy(nonce, 0, 16, 24);
  return openGcm(derived, nonce, { aad: associated, sealed: envelope.subarray(24, -16), tag: envelope.subarray(-16) });
}

/** Opens one frame: `at` is what makes its nonce. */
type OpenFrame = (
  frame: { readonly content: Buffer; readonly trailer: Buffer; readonly aad: Buffer },
  at: { readonly ordinal: number; readonly kind: number },
) => Buffer;

const openPlain: OpenFrame = ({ content, trailer, aad: bound }) => {
  assert.deepEqual(check16(bound, content), trailer);
  return content;
};

/** Sections "Key schedule" and "Sealed frames". */
function openWith(header: Buffer, ring: Ring): OpenFrame {
  const namespace = secretOf(ring.namespaces, header.readUInt32LE(56));
  const dataKey = hkdf(secretOf(ring.epochs, header.readUInt32LE(60)), namespace, 'holdfast data key v1');
  const info = Buffer.concat([
    Buffer.from('holdfast pack key v1'),
    header.subarray(16, 48),
    header.subarray(64, 65),
    header.subarray(56, 64),
  ]);
  const key = hkdf(dataKey, header.subarray(72, 104), info);
  return ({ content, trailer, aad: bound }, { ordinal, kind }) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32LE(ordinal, 0);
    nonce.writeUInt8(kind, 4);
    return openGcm(key, nonce, { aad: bound, sealed: content, tag: trailer });
  };
}

/** Section "Ids". */
function idOf(item: Uint8Array, kind: number, idKey: Uint8Array | undefined): Buffer {
  const digest = blake3(item);
  const isKeyed = idKey !== undefined && kind < 3;
  return Buffer.from(isKeyed ? blake3(Buffer.concat([Buffer.of(kind), digest]), { key: idKey }) : digest);
}

export interface ReadItem {
  /** Hex. */
  readonly id: string;
  readonly kind: number;
  readonly plain: Uint8Array;
}

interface Footer {
  readonly directoryOffset: number;
  readonly directoryLength: number;
  readonly records: number;
  readonly items: number;
  readonly padding: number;
}

function readFooter(bytes: Buffer, header: Buffer, open: OpenFrame): Footer {
  const footer = bytes.subarray(-64);
  prelude(footer, 'HOLDFOOT');
  const bound = Buffer.concat([aad(header, [0, 255, 0, 48, 48]), footer.subarray(0, 16)]);
  const sealed = { content: footer.subarray(16, 48), trailer: footer.subarray(48), aad: bound };
  const numbers = open(sealed, { ordinal: 0, kind: 2 });
  return {
    directoryOffset: Number(numbers.readBigUInt64LE(0)),
    directoryLength: numbers.readUInt32LE(8),
    records: numbers.readUInt32LE(12),
    items: numbers.readUInt32LE(16),
    padding: numbers.readUInt32LE(20),
  };
}

function readDirectory(bytes: Buffer, header: Buffer, { footer, open }: { footer: Footer; open: OpenFrame }): Cbor {
  const end = footer.directoryOffset + footer.directoryLength;
  assert.equal(end + 64, bytes.length);
  const content = bytes.subarray(footer.directoryOffset, end - 16);
  const bound = aad(header, [0, 254, 0, content.length, content.length]);
  const directory = open({ content, trailer: bytes.subarray(end - 16, end), aad: bound }, { ordinal: 0, kind: 1 });
  const padding = directory.subarray(directory.length - footer.padding);
  assert.deepEqual(padding, Buffer.alloc(footer.padding));
  return readCbor(directory.subarray(0, directory.length - footer.padding));
}

/**
 * Reads and checks everything in a pack.
 * @param decode undoes a codec
 * @param ring of the store, when the pack is sealed
 */
export function readPack(
  pack: Uint8Array,
  decode: (codec: number, stored: Uint8Array) => Uint8Array,
  ring?: Ring,
): ReadItem[] {
  const bytes = Buffer.from(pack);
  const header = bytes.subarray(0, 128);
  prelude(header, 'HOLDPACK');
  assert.deepEqual(check16(header.subarray(0, 112)), header.subarray(112));
  assert.deepEqual([...header.subarray(65, 67)], ring ? [1, 1] : [0, 0], 'key mode and suite');
  const open = ring ? openWith(header, ring) : openPlain;
  const idKey = ring && hkdf(secretOf(ring.namespaces, header.readUInt32LE(56)), Buffer.alloc(0), 'holdfast id key v1');
  const footer = readFooter(bytes, header, open);
  const [version, stored, plain, codecs, kinds, counts, lengths, ids] = readDirectory(bytes, header, {
    footer,
    open,
  }) as [...[number, number[], number[], number[], number[], number[], number[]], Buffer];
  assert.equal(version, 1);
  assert.equal(stored.length, footer.records);
  assert.equal(lengths.length, footer.items);
  const items: ReadItem[] = [];
  let offset = 128;
  for (const [ordinal, size = 0] of stored.entries()) {
    const [kind = 0, codec = 0, plainLength = 0] = [kinds[ordinal], codecs[ordinal], plain[ordinal]];
    const content = bytes.subarray(offset, offset + size);
    const trailer = bytes.subarray(offset + size, offset + size + 16);
    const bound = aad(header, [ordinal, kind, codec, plainLength, size]);
    const whole = Buffer.from(decode(codec, open({ content, trailer, aad: bound }, { ordinal, kind: 0 })));
    assert.equal(whole.length, plainLength);
    let inner = 0;
    for (let left = counts[ordinal] ?? 0; left > 0; left -= 1) {
      const itemLength = lengths[items.length] ?? 0;
      const id = ids.subarray(32 * items.length, 32 * (items.length + 1));
      const item = whole.subarray(inner, inner + itemLength);
      assert.deepEqual(idOf(item, kind, idKey), id);
      items.push({ id: id.toString('hex'), kind, plain: item });
      inner += itemLength;
    }
    offset += size + 16;
  }
  assert.equal(offset, footer.directoryOffset);
  return items;
}

/** Opens a scoped operation, as it stands in a journal record. */
export function readScopedOperation(operation: Cbor, ring: Ring): Cbor {
  const [code, namespace, envelope] = operation as [number, number, Buffer];
  assert.equal(code, 8);
  const key = hkdf(secretOf(ring.namespaces, namespace), Buffer.alloc(0), 'holdfast operation key v1');
  const bound = Buffer.alloc(32, 'holdfast scoped operation v1');
  bound.writeUInt32LE(namespace, 28);
  return readCbor(openEnvelope(key, envelope, bound));
}

/** Opens the rows of a page of a checkpoint that are of a namespace. */
export function readScopedPage(page: Cbor, ring: Ring): Cbor {
  const [, table, namespace, envelope] = page as [number, number, number, Buffer];
  const key = hkdf(secretOf(ring.namespaces, namespace), Buffer.alloc(0), 'holdfast operation key v1');
  const bound = Buffer.alloc(37, 'holdfast scoped checkpoint v1');
  bound.writeUInt32LE(namespace, 29);
  bound.writeUInt32LE(table, 33);
  return readCbor(openEnvelope(key, envelope, bound));
}

/** Opens an isolated entry. @returns its entry value, encoded */
export function readIsolatedEntry(entry: Uint8Array, ring: Ring): Buffer {
  const [version, namespace, shown, size, envelope] = readCbor(Buffer.from(entry)) as [
    ...[number, number, Buffer, number],
    Buffer,
  ];
  assert.equal(version, 2);
  const key = hkdf(secretOf(ring.namespaces, namespace), Buffer.alloc(0), 'holdfast isolated entry key v1');
  const bound = Buffer.alloc(70, 'holdfast isolated entry v1');
  bound.writeUInt32LE(namespace, 26);
  shown.copy(bound, 30);
  bound.writeBigUInt64LE(BigInt(size), 62);
  return openEnvelope(key, envelope, bound);
}

/** Opens a key page. */
export function readKeyPage(page: Uint8Array, ring: Ring): { readonly namespace: number; readonly secret: Buffer } {
  const bytes = Buffer.from(page);
  prelude(bytes, 'HOLDKEYS');
  assert.equal(bytes.length, 120);
  assert.deepEqual(check16(bytes.subarray(0, 104)), bytes.subarray(104));
  const key = hkdf(ring.store, Buffer.alloc(0), 'holdfast key page key v1');
  const bound = Buffer.concat([Buffer.from('holdfast key page v1'), bytes.subarray(0, 32)]);
  return { namespace: bytes.readUInt32LE(16), secret: openEnvelope(key, bytes.subarray(32, 104), bound) };
}

export interface ReadShard {
  readonly stripeId: string;
  readonly index: number;
  readonly k: number;
  readonly m: number;
  readonly data: Buffer;
}

/** Reads and checks a whole shard. */
export function readShard(blob: Uint8Array): ReadShard {
  const bytes = Buffer.from(blob);
  const header = bytes.subarray(0, 128);
  prelude(header, 'HOLDSHRD');
  assert.deepEqual(check16(header.subarray(0, 112)), header.subarray(112));
  const [index, k, m] = [header.readUInt8(65), header.readUInt8(66), header.readUInt8(67)];
  const shardBytes = Number(header.readBigUInt64LE(80));
  assert.equal(shardBytes, Math.ceil(Number(header.readBigUInt64LE(72)) / k));
  const tail = bytes.subarray(-48);
  prelude(tail, 'HOLDTAIL');
  const [blockCount, shardCount] = [tail.readUInt32LE(16), tail.readUInt32LE(20)];
  assert.equal(shardCount, k + m);
  assert.equal(bytes.length, 128 + shardBytes + 32 * (blockCount + shardCount) + 48);
  const data = bytes.subarray(128, 128 + shardBytes);
  const digests = bytes.subarray(128 + shardBytes, 128 + shardBytes + 32 * blockCount);
  const roots = bytes.subarray(128 + shardBytes + digests.length, -48);
  assert.deepEqual(check16(roots, tail.subarray(0, 32)), tail.subarray(32));
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < shardBytes; at += 65_536) blocks.push(blake3(data.subarray(at, at + 65_536)));
  assert.deepEqual(Buffer.concat(blocks), digests);
  const root = blake3(Buffer.concat([Buffer.from('holdfast shard root v1'), header, digests]));
  assert.deepEqual(Buffer.from(root), roots.subarray(32 * index, 32 * (index + 1)));
  return { stripeId: header.toString('hex', 48, 64), index, k, m, data };
}

/** Whether the check at the end of a store config holds. */
export function readConfigCheck(text: string): boolean {
  const bytes = Buffer.from(text);
  const front = bytes.subarray(0, -82);
  const check = Buffer.from(blake3(front)).toString('hex');
  return bytes.subarray(-82).toString() === `,\n  "check": "${check}"\n}\n`;
}
