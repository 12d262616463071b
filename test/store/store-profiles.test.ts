import { describe, expect, it } from 'vitest';
import { wordyContent } from '../../src/bench/sample-content.ts';
import { type CreateOptions, createStore, STORE_PROFILES } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/index.ts';

const content = Buffer.concat([...wordyContent(400_000, seededRandom(5).bytes)]);

/** Bytes that the content takes in a new store. */
async function storedBytes(options: Partial<CreateOptions>): Promise<number> {
  await using store = await createStore('memory:', { keys: 'none', ...options });
  return (await store.put('text', content)).storedBytes;
}

describe('a profile of a new store', () => {
  it('is another name for its settings, and fast is the default', async () => {
    const [fast, small] = [await storedBytes({ profile: 'fast' }), await storedBytes({ profile: 'small' })];
    expect(small).toBeLessThan(fast);
    expect(await storedBytes({})).toBe(fast);
    expect(await storedBytes({ compressionLevel: STORE_PROFILES.small.compressionLevel })).toBe(small);
  });

  it('gives way to a level that is named', async () => {
    expect(await storedBytes({ profile: 'small', compressionLevel: 1 })).toBe(await storedBytes({}));
  });

  it.each(['tiny', '__proto__', 'toString'])('refuses %s', async (profile) => {
    const options = { keys: 'none', profile } as unknown as CreateOptions;
    await expect(createStore('memory:', options)).rejects.toThrow(RangeError);
  });
});
