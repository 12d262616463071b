import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { equalBytes } from '../../src/bytes/bytes.ts';
import { createStore } from '../../src/index.ts';
import { yieldToEventLoop } from '../../src/runtime/timers.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { closedAfterTest } from '../support/stores.ts';

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

describe('many calls at once', () => {
  it('never ask more of a backend at once than it takes', async () => {
    const backend = new CountingBackend();
    const store = closedAfterTest(await createStore({ backend, metadataPath: ':memory:' }, { keys: 'none' }));
    const random = seededRandom(1);
    const contents = new Map(Array.from({ length: 40 }, (_, number) => [`entry ${number}`, random.bytes(70_000)]));
    await Promise.all([...contents].map(([key, content]) => store.put(key, content)));
    for (const [index, content] of (await Promise.all([...contents.keys()].map((key) => store.get(key)))).entries())
      expect(equalBytes(content, [...contents.values()][index] ?? content.subarray(1))).toBe(true);
    expect(backend.callsAtOnce).toBe(3);
  });
});
