import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import { describe, expect, it } from 'vitest';
import { patternBytes } from '../../test/support/format-samples.ts';
import { toHex } from '../bytes/bytes.ts';
import { keyedIds, plainIds } from './item-ids.ts';

const DIGEST = patternBytes(32, 1);

describe('ids', () => {
  it('are the digests themselves in a plain store', () => {
    expect(plainIds.idOf('chunk', DIGEST)).toBe(DIGEST);
    expect(plainIds.idOf('manifest', DIGEST)).toBe(DIGEST);
  });

  it('are keyed BLAKE3 over kind and digest in a sealed one', () => {
    const key = patternBytes(32, 2);
    const expected = nobleBlake3(Buffer.concat([Uint8Array.of(2), DIGEST]), { key });
    expect(toHex(keyedIds(key).idOf('manifest', DIGEST))).toBe(toHex(expected));
  });

  it('differ by key, by kind and by digest', () => {
    const [one, two] = [keyedIds(patternBytes(32, 2)), keyedIds(patternBytes(32, 3))];
    const ids = [
      one.idOf('chunk', DIGEST),
      one.idOf('manifest', DIGEST),
      two.idOf('chunk', DIGEST),
      one.idOf('chunk', patternBytes(32, 4)),
      DIGEST,
    ];
    expect(new Set(ids.map(toHex)).size).toBe(ids.length);
  });
});
