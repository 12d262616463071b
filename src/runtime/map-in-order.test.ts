import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapInOrder } from './map-in-order.ts';

async function gathered<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('mapInOrder', () => {
  it('answers in the order of the items whatever ends first', async () => {
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const ended: number[] = [];
    const started = Promise.withResolvers<void>();
    const all = gathered(
      mapInOrder([0, 1, 2], 3, async (index) => {
        if (index === 2) started.resolve();
        await gates[index]?.promise;
        ended.push(index);
        return index * 10;
      }),
    );
    await started.promise;
    for (const index of [2, 0, 1]) gates[index]?.resolve();
    expect(await all).toEqual([0, 10, 20]);
    expect(ended).toEqual([2, 0, 1]);
  });

  it('never has more in flight than asked', async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await setImmediate();
      running -= 1;
    };
    await gathered(mapInOrder(Array(50).keys(), 4, work));
    expect(most).toBe(4);
  });

  it('starts nothing after a rejection and waits for what runs', async () => {
    const started: number[] = [];
    const slow = Promise.withResolvers<void>();
    let slowEnded = false;
    const rejected = gathered(
      mapInOrder([0, 1, 2, 3], 2, async (index) => {
        started.push(index);
        if (index === 0) throw new Error('first');
        await slow.promise;
        slowEnded = true;
      }),
    );
    slow.resolve();
    await expect(rejected).rejects.toThrow('first');
    expect(started).toEqual([0, 1]);
    expect(slowEnded).toBe(true);
  });

  it('waits for what runs when the items themselves fail', async () => {
    let ended = false;
    async function* items(): AsyncGenerator<number> {
      yield 1;
      throw new Error('no more');
    }
    const work = async (): Promise<void> => {
      await Promise.resolve();
      ended = true;
    };
    await expect(gathered(mapInOrder(items(), 5, work))).rejects.toThrow('no more');
    expect(ended).toBe(true);
  });
});
