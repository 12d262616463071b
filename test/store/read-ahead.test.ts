import { expect, it } from 'vitest';
import { noise, sameBytes } from '../support/contents.ts';
import { memoryStore } from '../support/stores.ts';

it('reads the same content however much is fetched ahead', async () => {
  const store = await memoryStore();
  const content = noise(3_000_000, 4);
  const { version } = await store.put('key', content);
  const blob = await store.objects.putBlob(content);
  for (const readAheadBytes of [0, 1, 100_000, 1e9]) {
    const options = { readAheadBytes };
    const whole = Buffer.concat(await Array.fromAsync(store.read('key', options)));
    expect(sameBytes(whole, content)).toBe(true);
    const part = { ...options, offset: 70_000, length: 1_000_000 };
    for (const pieces of [
      store.read('key', part),
      store.versions.read('key', { version }, part),
      store.objects.readBlob(blob.id, part),
    ]) {
      expect(sameBytes(Buffer.concat(await Array.fromAsync(pieces)), content.subarray(70_000, 1_070_000))).toBe(true);
    }
  }
  const wrong = (readAheadBytes: unknown) => Array.fromAsync(store.read('key', { readAheadBytes } as object));
  await expect(wrong(-1)).rejects.toThrow(RangeError);
  await expect(wrong('much')).rejects.toThrow(TypeError);
});
