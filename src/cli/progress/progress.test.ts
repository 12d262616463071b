import { afterEach, describe, expect, it, vi } from 'vitest';
import { RecordingStream } from '../../../test/support/recording-stream.ts';
import { Session } from '../session.ts';
import { Terminal } from '../terminal.ts';
import { ProgressMeter } from './meter.ts';
import { RateEstimator } from './rate.ts';
import { renderProgress } from './render.ts';

const MIB = 1024 * 1024;

describe('RateEstimator', () => {
  it('is the average at first', () => {
    expect(new RateEstimator(1000).update(1500, 500)).toBe(1000);
  });

  it('keeps its figure while no time passes', () => {
    const rate = new RateEstimator(0);
    rate.update(1000, 1000);
    expect(rate.update(1000, 5000)).toBe(1000);
  });

  it('follows a change of speed slowly, by 63 % in three seconds', () => {
    const rate = new RateEstimator(0);
    for (let ms = 100; ms <= 60_000; ms += 100) rate.update(ms, ms);
    let figure = 0;
    for (let ms = 100; ms <= 3000; ms += 100) figure = rate.update(60_000 + ms, 60_000);
    expect(figure).toBeGreaterThan(330);
    expect(figure).toBeLessThan(400);
  });
});

describe('renderProgress', () => {
  const state = { label: 'put', bytes: 5 * MIB, bytesTotal: 10 * MIB, items: 1234, bytesPerSecond: MIB };

  it('shows share, bar, bytes, rate, ETA and items', () => {
    expect(renderProgress(state, 100)).toBe(
      'put  50% [===============>              ]  5.0 MiB / 10.0 MiB  1.0 MiB/s  ETA 5s  1,234 done',
    );
  });

  it('shows no bar and no ETA while the total is unknown', () => {
    const text = renderProgress({ label: 'put', bytes: 5 * MIB, bytesPerSecond: MIB }, 100);
    expect(text).toBe('put  5.0 MiB  1.0 MiB/s');
  });

  it.each([1, 10, 20, 40, 60, 70, 80, 81, 200])('never reaches column %d', (columns) => {
    expect(renderProgress(state, columns).length).toBeLessThan(columns);
  });

  it('never shows more than 100 %', () => {
    const text = renderProgress({ ...state, bytes: 11 * MIB }, 100);
    expect(text).toContain('put 100% [==============================]  11.0 MiB / 11.0 MiB');
    expect(text).toContain('ETA 0s');
  });
});

describe('ProgressMeter', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  function sessionOn(stderr: RecordingStream, progress = true): Session {
    const session = new Session(new Terminal(new RecordingStream(), stderr), new AbortController().signal);
    session.configure({ progress });
    return session;
  }

  it('draws on a terminal, throttled, and clears its line in the end', () => {
    vi.useFakeTimers();
    const stderr = new RecordingStream({ isTTY: true, columns: 100 });
    let now = 0;
    const meter = new ProgressMeter(sessionOn(stderr), 'put', { now: () => 0, monotonicMs: () => now });
    meter.expect(4 * MIB);
    for (let step = 0; step < 1000; step += 1) {
      now += 1;
      meter.addBytes(1024);
      vi.advanceTimersByTime(1);
    }
    meter.stop();
    expect(stderr.writes.length).toBe(11);
    expect(stderr.writes[9]).toContain('put  24% [');
    expect(stderr.writes[10]).toBe('\r\u001b[K');
    vi.advanceTimersByTime(1000);
    expect(stderr.writes.length).toBe(11);
  });

  it.each([
    ['no terminal', new RecordingStream(), true],
    ['--no-progress', new RecordingStream({ isTTY: true }), false],
  ])('counts but draws nothing with %s', (_, stderr, progress) => {
    vi.useFakeTimers();
    using meter = new ProgressMeter(sessionOn(stderr, progress), 'put');
    meter.addBytes(10);
    vi.advanceTimersByTime(1000);
    expect(meter.bytes).toBe(10);
    expect(stderr.writes).toEqual([]);
  });
});
