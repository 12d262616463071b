import { describe, it } from 'vitest';
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
