import { describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { memoryStore } from '../support/stores.ts';

describe('a piece of a read whose buffer is given away', () => {
  it.each([0, 1])('never makes the rest shorter in silence, read from byte %i', async (offset) => {
    const store = await memoryStore({ chunking: 'fixed:10000' });
    const content = noise(100_000);
    await store.put('key', content);
    let length = 0;
    const reading = async (): Promise<void> => {
      for await (const piece of store.read('key', { offset })) {
        length += piece.length;
        structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] });
      }
    };
    const outcome = await reading().then(
      () => 'read',
      (error: unknown) => error,
    );
    if (length < content.length - offset) expect(outcome).toMatchObject({ name: 'TypeError', parameter: 'piece' });
    else expect(outcome).toBe('read');
  });
});
