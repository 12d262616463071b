import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { blake3 } from '../hash/index.ts';

/**
 * Draws a sample: each pack is in it with the same probability, whatever the others are, and the same seed draws the same
 * packs again.
 * @param percent above 0, up to 100
 */
export function createSample(percent: number, seed: string): (packId: Uint8Array) => boolean {
  if (percent >= 100) return () => true;
  const prefix = utf8Encode(`sample ${seed} `);
  return (packId) => {
    const digest = blake3(concatBytes([prefix, packId]));
    const drawn = new DataView(digest.buffer, digest.byteOffset).getUint32(0, true);
    return drawn < (percent / 100) * 2 ** 32;
  };
}
