import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/index.ts';
import { collectedStore } from '../support/collected-store.ts';
import { LIVING_KEYS } from '../support/living-store.ts';

const source = seededRandom(35);
const ISOLATED = { isolation: 'entry' } as const;

/** A store of two processes, of which one does something when the other has found an entry and not read it yet. */
async function readWhile(meanwhile: (one: Awaited<ReturnType<typeof collectedStore>>) => Promise<unknown>) {
  const one = await collectedStore(LIVING_KEYS);
  const two = await one.start();
  await one.store.put('key', source.bytes(300_000), ISOLATED);
  const locate = two.metadata.locate.bind(two.metadata);
  let isFirst = true;
  Object.defineProperty(two.metadata, 'locate', {
    configurable: true,
    value: async (...args: Parameters<typeof locate>) => {
      if (isFirst) {
        isFirst = false;
        await meanwhile(one);
      }
      return await locate(...args);
    },
  });
  return two.store.get('key');
}

describe('an isolated entry, while another process reads it', () => {
  it('that is replaced is read as what it is now', async () => {
    const next = source.bytes(90_000);
    expect(Buffer.compare(await readWhile(({ store }) => store.put('key', next, ISOLATED)), next)).toBe(0);
  });

  it('that is deleted is not there', async () => {
    await expect(readWhile(({ store }) => store.delete('key'))).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
  });
});
