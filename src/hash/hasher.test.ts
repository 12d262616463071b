import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../errors/store-error.ts';
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from './algorithms.ts';
import { blake3Derive, blake3Keyed, digestOf } from './digest-of.ts';
import { createDeriveHasher, createHasher, createKeyedHasher, type Hasher } from './hasher.ts';

const KEY = new Uint8Array(32).map((_, index) => index);
const CONTEXT = 'holdfast test 2026-01-01 derive';

interface Kind {
  readonly name: string;
  readonly create: () => Hasher;
  readonly whole: (bytes: Uint8Array) => Uint8Array;
}

const KINDS: readonly Kind[] = [
  ...(Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[]).map((algorithm) => ({
    name: algorithm,
    create: () => createHasher(algorithm),
    whole: (bytes: Uint8Array) => digestOf(algorithm, bytes),
  })),
  { name: 'keyed blake3', create: () => createKeyedHasher(KEY), whole: (bytes) => blake3Keyed(KEY, bytes) },
  { name: 'derived blake3', create: () => createDeriveHasher(CONTEXT), whole: (bytes) => blake3Derive(CONTEXT, bytes) },
];

describe.each(KINDS)('a streaming $name hasher', ({ create, whole }) => {
  it('gives the same digest however its input is cut', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), cuts, (bytes, at) => {
        const hasher = create();
        let start = 0;
        for (const end of at.toSorted((a, b) => a - b)) {
          hasher.update(bytes.subarray(start, end));
          start = Math.min(end, bytes.length);
        }
        expect(hasher.update(bytes.subarray(start)).digest()).toEqual(whole(bytes));
      }),
    );
  });

  it('gives the digest of nothing when nothing was added', () => {
    expect(create().digest()).toEqual(whole(new Uint8Array(0)));
    expect(create().update(new Uint8Array(0)).digest()).toEqual(whole(new Uint8Array(0)));
  });

  it('does not keep the array it is given', () => {
    const bytes = new Uint8Array(100).fill(1);
    const hasher = create().update(bytes);
    bytes.fill(2);
    expect(hasher.digest()).toEqual(whole(new Uint8Array(100).fill(1)));
  });

  it('refuses everything after its digest', () => {
    const hasher = create().update(KEY);
    hasher.digest();
    for (const call of [() => hasher.digest(), () => hasher.update(KEY)]) {
      try {
        call();
        expect.unreachable();
      } catch (error) {
        expect(isStoreError(error, 'HASHER_FINISHED')).toBe(true);
      }
    }
  });

  it('refuses text and numbers and goes on as if they had not come', () => {
    const hasher = create().update(KEY);
    expect(() => hasher.update('abc' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => hasher.update(7 as unknown as Uint8Array)).toThrow(TypeError);
    expect(hasher.digest()).toEqual(whole(KEY));
  });

  it('runs beside others of its kind', () => {
    const one = create().update(KEY);
    const two = create().update(KEY.subarray(1));
    one.update(KEY);
    expect(two.digest()).toEqual(whole(KEY.subarray(1)));
    expect(one.digest()).toEqual(whole(new Uint8Array([...KEY, ...KEY])));
  });
});

describe('a keyed hasher', () => {
  it('has copied its key', () => {
    const key = KEY.slice();
    const hasher = createKeyedHasher(key);
    key.fill(0);
    expect(hasher.update(KEY).digest()).toEqual(blake3Keyed(KEY, KEY));
  });
});
