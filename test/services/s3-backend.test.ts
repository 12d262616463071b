import { describe, expect, it } from 'vitest';
import { openS3Backend } from '../../src/backend/index.ts';
import { listAll } from '../../src/backend/list-all.ts';
import { describeBackend } from '../../src/testing/index.ts';
import { ENDPOINT, makeBucket, openRelay, WHY_SKIPPED } from './services.ts';

let bucket: Promise<string> | undefined;
let opened = 0;

describeBackend({ describe: describe.skipIf(ENDPOINT === undefined), it }, `S3Backend${WHY_SKIPPED}`, {
  open: async () => {
    bucket ??= makeBucket();
    opened += 1;
    const [relay, url] = [await openRelay(), (await bucket).replace('?', `/suite-${opened}?`)];
    const open = (readOnly = false) => openS3Backend(url, { readOnly });
    const backend = await openS3Backend(relay.over(url), { attempts: 2 });
    return {
      backend,
      reopen: () => open(),
      // What was put is the object store's: this process is all that ends.
      crash: () => open(),
      fail: () => relay.cut(),
      openReadOnly: () => open(true),
      dispose: async () => {
        await backend.close();
        await relay.cut();
        const cleaner = await open();
        for await (const { key } of listAll(cleaner)) await cleaner.delete(key);
        await cleaner.close();
      },
    };
  },
});

describe.skipIf(ENDPOINT === undefined)(`bytes on their way to an object store${WHY_SKIPPED}`, () => {
  it('are refused when they change', async () => {
    const content = new Uint8Array(100_000).fill(0xa5);
    let isNoisy = false;
    const relay = await openRelay(ENDPOINT, (bytes) => {
      const at = isNoisy ? bytes.indexOf(content.subarray(0, 100)) : -1;
      if (at !== -1) bytes[at + 50] = 0xa4;
    });
    const url = await makeBucket();
    const backend = await openS3Backend(relay.over(url));
    await backend.put('a', content);
    isNoisy = true;
    for (const ifAbsent of [false, true])
      await expect(backend.put('b', content, { ifAbsent })).rejects.toMatchObject({ code: 'BACKEND_IO', retry: true });
    expect(await backend.head('b')).toBeUndefined();
    expect(await backend.get('a')).toEqual(content);
    await backend.close();
    await relay.cut();
  });
});
