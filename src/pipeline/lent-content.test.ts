import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../bytes/bytes.ts';
import type { EntryValue } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { LENT_BYTES, MIB } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { ContentThread } from './content-thread.ts';
import type { ItemReader, WantedItem } from './item-reader.ts';
import { readLentContent } from './lent-content.ts';
import { ManifestBuilder } from './manifest-builder.ts';

const CHUNK_BYTES = 70_000;
const CONTENT = seededRandom(31).bytes(9 * MIB + 77);

/** A reader of chunks that are all at hand, and the value of the entry that is made of them. */
async function entryOf(content: Uint8Array): Promise<{ reader: ItemReader; value: EntryValue }> {
  const items = new Map<string, Uint8Array>();
  const manifest = new ManifestBuilder(async (id, bytes) => {
    items.set(toHex(id), bytes);
  });
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    const chunk = content.slice(at, at + CHUNK_BYTES);
    items.set(toHex(blake3(chunk)), chunk);
    await manifest.add(chunk.length, blake3(chunk));
  }
  const found = (digest: Uint8Array): Uint8Array => items.get(toHex(digest)) as Uint8Array;
  const reader = {
    read: async (_: string, wanted: readonly WantedItem[]) => wanted.map(({ digest }) => found(digest)),
    readNode: async (digest: Uint8Array) => found(digest),
  };
  const finished = await manifest.finish();
  const value = { ...finished, digest: blake3(content), attributes: {}, contentType: undefined, parent: undefined };
  return { reader: reader as unknown as ItemReader, value: value as unknown as EntryValue };
}

describe('readLentContent', () => {
  let thread: ContentThread;
  beforeAll(() => {
    thread = new ContentThread();
  });
  afterAll(() => thread.close());

  async function read(content: Uint8Array, change: (value: EntryValue) => EntryValue = (value) => value) {
    const { reader, value } = await entryOf(content);
    const found: Buffer[] = [];
    let failure: unknown;
    try {
      for await (const piece of readLentContent(reader, change(value), { thread })) found.push(Buffer.from(piece));
    } catch (error) {
      failure = error;
    }
    return { bytes: Buffer.concat(found), failure };
  }

  it.each([0, 1, CHUNK_BYTES, LENT_BYTES, LENT_BYTES + 1, CONTENT.length])('gives all of %i bytes', async (size) => {
    const { bytes, failure } = await read(CONTENT.subarray(0, size));
    expect(failure).toBeUndefined();
    expect(bytes.equals(CONTENT.subarray(0, size))).toBe(true);
  });

  it('holds the last block back until the digest of all has been compared', async () => {
    const { bytes, failure } = await read(CONTENT, (value) => ({ ...value, digest: new Uint8Array(32) }));
    expect(failure).toMatchObject({ code: 'ENTRY_CORRUPT' });
    expect(bytes.equals(CONTENT.subarray(0, 9 * LENT_BYTES))).toBe(true);
  });

  it('fails when its thread is gone', async () => {
    const gone = new ContentThread();
    await gone.call('hash', []);
    await gone.close();
    const { reader, value } = await entryOf(CONTENT);
    const reading = readLentContent(reader, value, { thread: gone });
    await expect(reading.next()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
