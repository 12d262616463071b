import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { createStore } from '../../src/index.ts';
import { MIB, PACK_BYTES_TARGET } from '../../src/limits.ts';
import { yieldToEventLoop } from '../../src/runtime/timers.ts';
import { FaultyBackend, seededRandom } from '../../src/testing/index.ts';
import { noise, text } from '../support/contents.ts';
import { closedAfterTest, memoryStore, testFolder } from '../support/stores.ts';

describe('a put of content that does not end', () => {
  it('ends when the store is poisoned by another put, not after the rest of its input', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: 'none' }));
    const random = seededRandom(1);
    let given = 0;
    let poisoned = Number.POSITIVE_INFINITY;
    async function* endless(): AsyncGenerator<Uint8Array> {
      // Bounded, so that a put which does not end fails the test and not the machine.
      for (; given < 20; given += 1) {
        if (given === 3) {
          backend.fail({ call: 'put', how: 'after', prefix: 'journal/' });
          await expect(store.put('other', 'small')).rejects.toMatchObject({ code: 'COMMIT_PENDING' });
          poisoned = given;
        }
        await yieldToEventLoop();
        yield random.bytes(MIB);
      }
    }
    await expect(store.put('endless', endless())).rejects.toMatchObject({ code: 'STORE_POISONED' });
    expect(poisoned).toBe(3);
    expect((given * MIB) / PACK_BYTES_TARGET).toBeLessThan(1);
  });
});

describe('given chunks', () => {
  it('may come from a stream that has a path', async () => {
    const path = join(await testFolder(), 'file');
    const content = noise(300_000);
    await writeFile(path, content);
    const store = await memoryStore();
    const stream = createReadStream(path, { highWaterMark: 100_000 });
    expect(await store.put('key', stream, { chunking: 'given' })).toMatchObject({ chunks: 3, size: 300_000 });
    await expect(store.put('key', { path }, { chunking: 'given' })).rejects.toMatchObject({ code: 'CHUNKS_INVALID' });
    await expect(store.put('key', text('bytes'), { chunking: 'given' })).rejects.toMatchObject({
      code: 'CHUNKS_INVALID',
    });
  });
});
