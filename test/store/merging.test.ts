import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { rebuildStore } from '../../src/index.ts';
import { MERGE_FAN_IN } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { folderStore, reopen, SOUND } from '../support/stores.ts';

const CHUNK_BYTES = 4096;

describe('a merge of packs', () => {
  it('keeps a chunk that lies in several records found after a rebuild', async () => {
    const { path, store } = await folderStore({ chunking: `fixed:${CHUNK_BYTES}` });
    const random = seededRandom(1);
    const chunk = (): Uint8Array => random.bytes(CHUNK_BYTES);
    const shared = chunk();
    const contents = new Map<string, Uint8Array>();
    for (let round = 0; round < 3; round += 1) {
      // Puts at the same time do not know of each other's chunks: both store the shared one, each beside one of its own.
      for (const name of ['a', 'b']) contents.set(`${name}${round}`, concatBytes([shared, chunk()]));
      await Promise.all(['a', 'b'].map((name) => store.put(`${name}${round}`, contents.get(`${name}${round}`) ?? '')));
    }
    const merged = new Promise((resolve) => store.on('merge', resolve));
    for (let number = 0; number < MERGE_FAN_IN; number += 1) await store.put(`small ${number}`, `${number}`);
    await merged;
    await store.close();
    expect((await rebuildStore(path, { reserveBytes: 0 })).problems).toEqual([]);
    const rebuilt = await reopen(path);
    for (const [key, content] of contents) expect(await rebuilt.get(key)).toEqual(content);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
  });
});
