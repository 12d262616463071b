import { expect, it, vi } from 'vitest';
import { createStore } from '../index.ts';
import { SERVER_HISTORY_KEPT_MAX, SERVER_HISTORY_MS } from '../limits.ts';
import { settingsOf } from './settings.ts';
import { SpaceHistory } from './space-history.ts';

it('notes what a store holds every minute, thins out what is long ago, and ends with the server', async () => {
  await using store = await createStore('memory:', { keys: 'none' });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const stopping = new AbortController();
    const settings = {
      ...settingsOf({ stopping: stopping.signal }),
      clock: { now: () => now, monotonicMs: () => now },
    };
    let now = 0;
    const history = new SpaceHistory(store, settings);
    const { signal } = new AbortController();
    const pass = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        now += SERVER_HISTORY_MS;
        vi.advanceTimersByTime(SERVER_HISTORY_MS);
        // What was noted is there once another look at the store has ended.
        await store.stats();
      }
      return await history.samples(signal);
    };
    expect(await pass(3)).toHaveLength(4);
    const many = await pass(SERVER_HISTORY_KEPT_MAX);
    expect(many.length).toBeGreaterThan(SERVER_HISTORY_KEPT_MAX / 2);
    expect(many.length).toBeLessThanOrEqual(SERVER_HISTORY_KEPT_MAX + 1);
    expect(many[0]?.time).toBe(new Date(SERVER_HISTORY_MS).toISOString());
    stopping.abort();
    expect(await pass(5)).toHaveLength(many.length);
  } finally {
    vi.useRealTimers();
  }
});
