import { describe, expect, it } from 'vitest';
import { describeBackend } from '../testing/describe-backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { readOnlyBackend } from './read-only-backend.ts';

describeBackend({ describe, it }, 'MemoryBackend', {
  open: async () => {
    const backend = new MemoryBackend();
    return { backend, openReadOnly: async () => readOnlyBackend(backend), dispose: () => backend.close() };
  },
});

describe('MemoryBackend', () => {
  it('refuses what passes its quota and stores nothing of it (100 bytes: 5 fit, 200 do not)', async () => {
    const backend = new MemoryBackend({ quotaBytes: 100, reserveBytes: 50 });
    await backend.put('a', new Uint8Array(5));
    await expect(backend.put('b', new Uint8Array(200))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      kind: 'exhausted',
    });
    expect(await backend.head('b')).toBeUndefined();
    await backend.put('b', new Uint8Array(95));
    expect(await backend.space()).toEqual({ usedBytes: 100, quotaBytes: 100, freeBytes: 0 });
  });

  it('counts the value that a put replaces as free', async () => {
    const backend = new MemoryBackend({ quotaBytes: 100 });
    await backend.put('a', new Uint8Array(90));
    await backend.put('a', new Uint8Array(100));
    await backend.delete('a');
    expect(await backend.space()).toEqual({ usedBytes: 0, quotaBytes: 100, freeBytes: 100 });
  });

  it('lets calls that may spend the reserve pass the quota by that much and no more', async () => {
    const backend = new MemoryBackend({ quotaBytes: 100, reserveBytes: 50 });
    await backend.put('a', new Uint8Array(100));
    await backend.put('b', new Uint8Array(50), { spendReserve: true });
    await expect(backend.put('c', new Uint8Array(1), { spendReserve: true })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
  });
});
