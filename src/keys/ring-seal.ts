import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import type { Fail } from '../format/damage.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { wipe } from './conceal.ts';
import { bindTo, deriveKey } from './key-wrap.ts';
import { decodeRing, encodeRing, type Ring } from './ring.ts';

const LENGTH_BYTES = 4;
/** What a ring is padded to, so that its size does not count namespaces and epochs. */
const PAGE_BYTES = 1024;

/** Which ring: an envelope of one store opens in no other. */
export interface RingPlace {
  readonly masterKey: Uint8Array;
  /** In lower-case hex. */
  readonly storeId: string;
}

/** Seals a ring under the master key: length (u32), CBOR, zeros up to whole KiB, in one envelope. */
export function sealRing(ring: Ring, place: RingPlace, random: RandomBytes): Uint8Array {
  const encoded = encodeRing(ring);
  const pages = Math.ceil((LENGTH_BYTES + encoded.length) / PAGE_BYTES);
  const { bytes: plain } = new BinaryWriter(pages * PAGE_BYTES).u32(encoded.length).put(encoded);
  const key = deriveKey(place.masterKey, 'ring');
  const sealed = new EnvelopeSealer(key, random).seal(plain, bindTo('ring', [place.storeId]));
  wipe(encoded, plain, key);
  return sealed;
}

/**
 * Opens a ring.
 * @throws what `fail` throws when it does not authenticate or is no ring; `unsupported/FORMAT_UNSUPPORTED` for a newer
 *   one
 */
export function openRing(sealed: Uint8Array, place: RingPlace, fail: Fail): Ring {
  const key = deriveKey(place.masterKey, 'ring');
  const plain = new EnvelopeOpener(key).open(sealed, bindTo('ring', [place.storeId]));
  wipe(key);
  if (!plain) return fail('has a key ring that does not open under its master key');
  try {
    const reader = new BinaryReader(plain, fail);
    const encoded = reader.bytes(reader.u32());
    if (reader.bytes(reader.remaining).some((byte) => byte !== 0)) fail('has a key ring with padding that is not zero');
    return decodeRing(encoded, fail);
  } finally {
    wipe(plain);
  }
}
