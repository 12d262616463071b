import { expect, it } from 'vitest';
import { processUse, watchEventLoop } from './process-use.ts';

it('tells how much later than asked the event loop calls, and never less than nothing', async () => {
  const times = [0, 20, 90, 100];
  const clock = { now: () => 0, monotonicMs: () => times.shift() ?? 0 };
  const delays: number[] = [];
  await new Promise<void>((resolve) => {
    const watch = watchEventLoop(clock, (ms) => {
      delays.push(ms);
      if (delays.length < 3) return;
      watch.stop();
      resolve();
    });
  });
  expect(delays).toEqual([0, 50, 0]);
});

it('tells the memory and the time that this process takes', () => {
  const { residentBytes, cpuSeconds } = processUse();
  expect(residentBytes).toBeGreaterThan(10 * 1024 ** 2);
  expect(cpuSeconds).toBeGreaterThan(0);
  expect(processUse().cpuSeconds).toBeGreaterThanOrEqual(cpuSeconds);
});
