import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { storeError } from '../errors/store-error.ts';
import { describeBackend } from './describe-backend.ts';
import { type BackendCall, FaultyBackend } from './faulty-backend.ts';

const CALLS: readonly BackendCall[] = ['put', 'get', 'head', 'delete', 'list', 'space'];
const VALUE = Uint8Array.of(1, 2, 3, 4, 5);

describeBackend({ describe, it }, 'FaultyBackend without faults', {
  open: async () => {
    const memory = new MemoryBackend();
    const backend = new FaultyBackend(memory);
    return {
      backend,
      reopen: async () => new FaultyBackend(memory),
      fail: async () => {
        for (const call of CALLS) backend.fail({ call, how: 'before', times: Number.POSITIVE_INFINITY });
      },
      dispose: () => backend.close(),
    };
  },
  without: ['B16'],
});

describe('FaultyBackend', () => {
  it('fails the calls that were chosen, by kind, key and count, and tells all of them', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const error = storeError('DISK_FULL', 'full');
    backend.fail({ call: 'put', how: 'before', prefix: 'packs/', nth: 2, times: 2, error });
    const outcomes: boolean[] = [];
    for (const key of ['packs/1', 'other', 'packs/2', 'packs/3', 'packs/4']) {
      outcomes.push(
        await backend.put(key, VALUE).then(
          () => true,
          (reason) => expect(reason).toBe(error) as unknown as boolean,
        ),
      );
    }
    expect(outcomes.map((outcome) => outcome === true)).toEqual([true, true, false, false, true]);
    expect((await backend.list()).map((blob) => blob.key)).toEqual(['other', 'packs/1', 'packs/4']);
    expect(backend.trace.at(-2)).toBe('put packs/4');
  });

  it('fails before or after the work was done, or in the middle of it', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    for (const how of ['before', 'after', 'torn'] as const) {
      backend.fail({ call: 'put', how });
      await expect(backend.put(how, VALUE)).rejects.toMatchObject({ code: 'BACKEND_IO', retry: true });
    }
    expect(await backend.get('before')).toBeUndefined();
    expect(await backend.get('after')).toEqual(VALUE);
    expect(await backend.get('torn')).toEqual(VALUE.subarray(0, 2));
    backend.fail({ call: 'get', how: 'torn' });
    expect(await backend.get('after')).toEqual(VALUE.subarray(0, 2));
  });

  it('lets a call wait, and heals', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const gate = Promise.withResolvers<void>();
    backend.fail({ call: 'put', how: 'wait', until: gate.promise });
    const put = backend.put('key', VALUE);
    expect(await backend.get('key')).toBeUndefined();
    gate.resolve();
    await put;
    expect(await backend.get('key')).toEqual(VALUE);
    backend.fail({ call: 'get', how: 'before', times: Number.POSITIVE_INFINITY });
    backend.heal();
    expect(await backend.get('key')).toEqual(VALUE);
  });
});
