import { describe, expect, it } from 'vitest';
import { takeThread, warmThread } from './warm-threads.ts';

const THREAD = { entry: new URL('./small-file-worker.ts', import.meta.url), name: 'test' };

describe('threads that are warm', () => {
  it('are taken once, by whoever comes first, and others get one of their own', async () => {
    warmThread(THREAD);
    warmThread(THREAD);
    const [first, second] = [takeThread(THREAD), takeThread(THREAD)];
    expect(first).not.toBe(second);
    for (const thread of [first, second]) {
      expect(await thread.call('sync', [[], 0])).toMatchObject({ tried: 0 });
      await thread.terminate();
    }
  });

  it('that failed to start fail who takes them', async () => {
    const absent = { entry: new URL('./no-such-module.ts', import.meta.url), name: 'absent' };
    warmThread(absent);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(takeThread(absent).call('any', [])).rejects.toMatchObject({ code: 'BACKEND_IO' });
  });
});
