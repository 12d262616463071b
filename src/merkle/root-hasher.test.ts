import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { createDataTree } from './create-tree.ts';
import { createRootHasher } from './root-hasher.ts';

describe('the root of a stream', () => {
  it('is that of the data as a whole, however it is cut', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        pieces,
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom('blake3', 'sha512'),
        (cut, leafBytes, algorithm) => {
          const hasher = createRootHasher({ leafBytes, algorithm });
          for (const piece of cut) hasher.update(piece);
          const tree = createDataTree(Buffer.concat(cut), { leafBytes, algorithm });
          const { leafCount, totalLength } = tree;
          expect(hasher.finish()).toEqual({ leafCount, totalLength, root: tree.root(), treeHash: tree.treeHash() });
        },
      ),
    );
  });

  it('has leaves of 64 KiB and BLAKE3 where nothing else is said', () => {
    const data = new Uint8Array(200_000).fill(3);
    const head = createRootHasher().update(data).finish();
    expect(head).toMatchObject({ leafCount: 4, totalLength: 200_000, root: createDataTree(data).root() });
    expect(head.root).toMatch(/^blake3:/);
  });

  it('is there once, and of bytes only', () => {
    const hasher = createRootHasher();
    expect(() => hasher.update('x' as unknown as Uint8Array)).toThrow(TypeError);
    hasher.finish();
    expect(outcomeOf(() => hasher.finish())).toBe('invalid/HASHER_FINISHED');
    expect(outcomeOf(() => hasher.update(new Uint8Array(1)))).toBe('invalid/HASHER_FINISHED');
    expect(() => createRootHasher({ leafBytes: 0 })).toThrow(RangeError);
    expect(() => createRootHasher({ algorithm: 'md5' as 'sha256' })).toThrow(RangeError);
  });
});
