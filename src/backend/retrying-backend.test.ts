import { describe, expect, it } from 'vitest';
import { storeError } from '../errors/store-error.ts';
import { BACKEND_RETRY_DELAY_MS_MAX } from '../limits.ts';
import { FaultyBackend } from '../testing/faulty-backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { type RetryOptions, retryingBackend } from './retrying-backend.ts';

const VALUE = new Uint8Array(10).fill(1);

function prepare(options: RetryOptions = {}) {
  const memory = new MemoryBackend();
  const faulty = new FaultyBackend(memory);
  const waits: number[] = [];
  const sleep: RetryOptions['sleep'] = async (ms, { signal }) => {
    waits.push(ms);
    signal?.throwIfAborted();
  };
  return { memory, faulty, waits, backend: retryingBackend(faulty, { sleep, ...options }) };
}

describe('a retrying backend', () => {
  it('tries what may be repeated again, waiting twice as long each time', async () => {
    const { backend, faulty, waits } = prepare();
    for (const call of ['put', 'get', 'head', 'delete', 'list', 'space'] as const) {
      faulty.fail({ call, how: call === 'put' || call === 'delete' ? 'after' : 'before', times: 3 });
    }
    await backend.put('key', VALUE);
    expect(await backend.get('key')).toEqual(VALUE);
    expect(await backend.head('key')).toEqual({ key: 'key', bytes: 10 });
    expect(await backend.list()).toHaveLength(1);
    expect((await backend.space()).usedBytes).toBe(10);
    await backend.delete('key');
    expect(waits).toEqual(Array.from({ length: 6 }, () => [100, 200, 400]).flat());
  });

  it('gives up after its attempts with the last failure, and waits no longer than its bound', async () => {
    const { backend, faulty, waits } = prepare({ attempts: 3, delayMs: BACKEND_RETRY_DELAY_MS_MAX - 1 });
    const failures = [1, 2, 3].map((number) => storeError('BACKEND_IO', `failure ${number}`));
    for (const [index, error] of failures.entries()) faulty.fail({ call: 'get', how: 'before', nth: index + 1, error });
    await expect(backend.get('key')).rejects.toBe(failures[2]);
    expect(waits).toEqual([BACKEND_RETRY_DELAY_MS_MAX - 1, BACKEND_RETRY_DELAY_MS_MAX]);
  });

  it('passes on at once what says that trying again cannot help, and what is no store error', async () => {
    const { backend, faulty, waits } = prepare();
    for (const error of [
      storeError('DISK_FULL', 'full'),
      storeError('BACKEND_IO', 'x', { retry: false }),
      new Error('bug'),
    ]) {
      faulty.heal();
      faulty.fail({ call: 'put', how: 'before', error });
      await expect(backend.put('key', VALUE)).rejects.toBe(error);
    }
    expect(waits).toEqual([]);
  });

  it('stops waiting when the call is aborted', async () => {
    const abort = new AbortController();
    const { backend, faulty } = prepare({ sleep: async () => abort.abort(new Error('enough')) });
    faulty.fail({ call: 'get', how: 'before', times: Number.POSITIVE_INFINITY });
    await expect(backend.get('key', { signal: abort.signal })).rejects.toThrow('enough');
    expect(faulty.trace.filter((call) => call === 'get key')).toHaveLength(1);
  });

  it('repeats a conditional create that left nothing', async () => {
    const { backend, faulty } = prepare();
    faulty.fail({ call: 'put', how: 'before', times: 2 });
    await backend.put('key', VALUE, { ifAbsent: true });
    expect(await backend.get('key')).toEqual(VALUE);
  });

  it('claims neither success nor conflict for a conditional create that may have happened', async () => {
    const { backend, faulty, memory } = prepare();
    const failure = storeError('BACKEND_IO', 'the answer was lost');
    faulty.fail({ call: 'put', how: 'after', error: failure });
    await expect(backend.put('key', VALUE, { ifAbsent: true })).rejects.toBe(failure);
    expect(await memory.get('key')).toEqual(VALUE);
    expect(faulty.trace.filter((call) => call.startsWith('put'))).toHaveLength(1);
    await expect(backend.put('key', VALUE, { ifAbsent: true })).rejects.toMatchObject({ code: 'BLOB_EXISTS' });
  });

  it('claims no conflict either when the blob appears between the look and the second try', async () => {
    const { backend, faulty, memory } = prepare();
    const failure = storeError('BACKEND_IO', 'the answer was lost');
    faulty.fail({ call: 'put', how: 'before', error: failure });
    faulty.fail({ call: 'put', how: 'wait', nth: 2, until: Promise.resolve().then(() => memory.put('key', VALUE)) });
    await expect(backend.put('key', VALUE, { ifAbsent: true })).rejects.toBe(failure);
  });

  it('refuses settings out of range', () => {
    const memory = new MemoryBackend();
    expect(() => retryingBackend(memory, { attempts: 0 })).toThrow(RangeError);
    expect(() => retryingBackend(memory, { delayMs: BACKEND_RETRY_DELAY_MS_MAX + 1 })).toThrow(RangeError);
  });
});
