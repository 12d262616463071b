/**
 * A reader of packs, shards and configs as somebody would write it who has `docs/format.md` and no code of ours: other
 * BLAKE3, other CBOR, other names. Where it and the product disagree, the document, the product or both are wrong.
 */

import assert from 'node:assert/strict';
import { blake3 } from '@noble/hashes/blake3.js';

type Cbor = number | string | null | Buffer | readonly Cbor[];

/** CBOR of RFC 8949 without maps: the directory has none. */
function readCbor(bytes: Buffer): Cbor {
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

/** Section "Trailers": what stands before the content when its trailer is computed. */
function aad(
  header: Buffer,
  fields: readonly [ordinal: number, kind: number, codec: number, plain: number, stored: number],
): Buffer {
  const [ordinal, kind, codec, plain, stored] = fields;
  const bytes = Buffer.alloc(60);
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
  return bytes;
}

export interface ReadItem {
  /** Hex. */
  readonly id: string;
  readonly kind: number;
  readonly plain: Uint8Array;
}

/** Reads and checks everything in a pack; `decode` undoes a codec. */
export function readPack(pack: Uint8Array, decode: (codec: number, stored: Uint8Array) => Uint8Array): ReadItem[] {
  const bytes = Buffer.from(pack);
  const header = bytes.subarray(0, 128);
  prelude(header, 'HOLDPACK');
  assert.deepEqual(check16(header.subarray(0, 112)), header.subarray(112));
  const footer = bytes.subarray(-64);
  prelude(footer, 'HOLDFOOT');
  assert.deepEqual(check16(aad(header, [0, 255, 0, 48, 48]), footer.subarray(0, 48)), footer.subarray(48));
  const directoryOffset = Number(footer.readBigUInt64LE(16));
  const directoryEnd = directoryOffset + footer.readUInt32LE(24);
  assert.equal(directoryEnd + 64, bytes.length);
  const directory = bytes.subarray(directoryOffset, directoryEnd - 16);
  const { length } = directory;
  assert.deepEqual(
    check16(aad(header, [0, 254, 0, length, length]), directory),
    bytes.subarray(directoryEnd - 16, directoryEnd),
  );

  const [version, stored, plain, codecs, kinds, counts, lengths, ids] = readCbor(directory) as [
    ...[number, number[], number[], number[], number[], number[], number[]],
    Buffer,
  ];
  assert.equal(version, 1);
  assert.equal(stored.length, footer.readUInt32LE(28));
  assert.equal(lengths.length, footer.readUInt32LE(32));
  const items: ReadItem[] = [];
  let offset = 128;
  for (const [ordinal, size = 0] of stored.entries()) {
    const [kind = 0, codec = 0, plainLength = 0] = [kinds[ordinal], codecs[ordinal], plain[ordinal]];
    const content = bytes.subarray(offset, offset + size);
    const trailer = bytes.subarray(offset + size, offset + size + 16);
    assert.deepEqual(check16(aad(header, [ordinal, kind, codec, plainLength, size]), content), trailer);
    const whole = Buffer.from(decode(codec, content));
    assert.equal(whole.length, plainLength);
    let inner = 0;
    for (let left = counts[ordinal] ?? 0; left > 0; left -= 1) {
      const itemLength = lengths[items.length] ?? 0;
      const id = ids.subarray(32 * items.length, 32 * (items.length + 1));
      const item = whole.subarray(inner, inner + itemLength);
      assert.deepEqual(Buffer.from(blake3(item)), id);
      items.push({ id: id.toString('hex'), kind, plain: item });
      inner += itemLength;
    }
    offset += size + 16;
  }
  assert.equal(offset, directoryOffset);
  return items;
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
