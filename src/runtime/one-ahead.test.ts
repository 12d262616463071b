import { describe, expect, it } from 'vitest';
import { oneAhead } from './one-ahead.ts';
import { yieldToEventLoop } from './timers.ts';

/** Counts up to a number, and fails there if told to. */
function counting(to: number, failure?: Error) {
  const seen = { made: 0, closed: false };
  async function* items(): AsyncGenerator<number, void, undefined> {
    try {
      while (seen.made < to) {
        await yieldToEventLoop();
        seen.made += 1;
        yield seen.made;
      }
      if (failure) throw failure;
    } finally {
      seen.closed = true;
    }
  }
  return { seen, items: items() };
}

describe('oneAhead', () => {
  it('gives all in order, and has one made ahead and no more', async () => {
    const { items, seen } = counting(5);
    const given: number[] = [];
    for await (const one of oneAhead(items)) {
      given.push(one);
      for (let turn = 0; turn < 5; turn += 1) await yieldToEventLoop();
      expect(seen.made).toBe(Math.min(one + 1, 5));
    }
    expect([given, seen.closed]).toEqual([[1, 2, 3, 4, 5], true]);
  });

  it('tells a failure in its place', async () => {
    const { items } = counting(2, new Error('broken'));
    const given: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const one of oneAhead(items)) given.push(one);
    };
    await expect(reading()).rejects.toThrow('broken');
    expect(given).toEqual([1, 2]);
  });

  it('waits for what is being made when its reader stops', async () => {
    const { items, seen } = counting(5);
    for await (const one of oneAhead(items)) if (one === 1) break;
    expect(seen).toEqual({ made: 2, closed: true });
  });
});
