import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { equalBytes } from '../../src/bytes/bytes.ts';
import { createStore } from '../../src/index.ts';
import { yieldToEventLoop } from '../../src/runtime/timers.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest, memoryStore, SOUND } from '../support/stores.ts';

const MEMORY_CAPABILITIES = new MemoryBackend().capabilities;

/** A backend that counts how many of its calls are under way. */
class CountingBackend extends MemoryBackend {
  override readonly capabilities = { ...MEMORY_CAPABILITIES, concurrencyMax: 3 };
  callsAtOnce = 0;
  #calls = 0;

  protected override async run<T>(options: object, call: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    this.callsAtOnce = Math.max(this.callsAtOnce, this.#calls);
    try {
      await yieldToEventLoop();
      return await super.run(options, call);
    } finally {
      this.#calls -= 1;
    }
  }
}

/** Waits until so many have come, again and again. */
function meeting(parties: number): () => Promise<void> {
  let there = 0;
  let all = Promise.withResolvers<void>();
  return async () => {
    const mine = all;
    there += 1;
    if (there === parties) {
      there = 0;
      all = Promise.withResolvers<void>();
      mine.resolve();
    }
    await mine.promise;
  };
}

describe('many calls at once', () => {
  it('never ask more of a backend at once than it takes', async () => {
    const backend = new CountingBackend();
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: 'none' }));
    const random = seededRandom(1);
    const contents = new Map(Array.from({ length: 40 }, (_, number) => [`entry ${number}`, random.bytes(70_000)]));
    await Promise.all([...contents].map(([key, content]) => store.put(key, content)));
    for (const [index, content] of (await Promise.all([...contents.keys()].map((key) => store.get(key)))).entries())
      expect(equalBytes(content, [...contents.values()][index] ?? content.subarray(1))).toBe(true);
    expect(backend.callsAtOnce).toBe(3);
  });

  it('write the same content once, although none finds it stored when it begins', async () => {
    const store = await memoryStore();
    // Of sixteen letters: compressing it takes a while, in which nobody knows of it yet.
    const content = noise(8_000_000, 5).map((byte) => 97 + (byte & 15));
    const step = meeting(3);
    const inStep = async function* (): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < content.length; offset += 500_000) {
        await step();
        yield content.subarray(offset, offset + 500_000);
      }
    };
    const puts = await Promise.all(['a', 'b', 'c'].map((key) => store.put(key, inStep())));
    const sum = (of: 'newBytes' | 'storedBytes'): number => puts.reduce((total, put) => total + put[of], 0);
    const { uniqueBytes, storedBytes } = await store.stats();
    expect(uniqueBytes).toBe(content.length);
    // Records that the others hold in other pieces may be written again, how many depends on who is first; three times all of it
    // would be one and a half times its length, compressed.
    expect(sum('newBytes')).toBeLessThan(2 * content.length);
    expect(storedBytes).toBeLessThan(1.1 * content.length);
    expect(sum('storedBytes')).toBeLessThan(storedBytes);
    for (const key of ['a', 'b', 'c']) expect(equalBytes(await store.get(key), content)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});
