import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../../src/bytes/bytes.ts';
import { createKemKeyPair } from '../../src/crypto/kem.ts';
import { decodeMessageHead, messageKeys, openMessageHead } from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import { openPutOnly, parseWriterCredential } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { KEYS } from '../support/inbox.ts';
import { closedAfterTest, folderStore } from '../support/stores.ts';

const WINDOW = 16;

/** Every file of a folder, whatever its name: blobs, database, log and what is temporary. */
async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    const file = path.join(item.parentPath, item.name);
    // A merge may have deleted it since it was listed: what it holds is in another one now.
    const bytes = await readFile(file).catch((error: unknown) => {
      if (!existsSync(file)) return undefined;
      throw error;
    });
    if (bytes) files.set(path.relative(folder, file), bytes);
  }
  return files;
}

/** Names of the files that hold any window of `secret`. */
function holders(files: ReadonlyMap<string, Buffer>, secret: Uint8Array): string[] {
  const windows = Array.from({ length: Math.ceil(secret.length / WINDOW) }, (_, index) =>
    secret.subarray(Math.min(index * WINDOW, Math.max(0, secret.length - WINDOW)), (index + 1) * WINDOW),
  );
  return [...files]
    .filter(([, bytes]) => windows.some((window) => bytes.includes(Buffer.from(window))))
    .map(([name]) => name);
}

describe('the files of a store with an inbox', () => {
  it('show nothing that a writer put, before it is adopted and after', async () => {
    const { path: folder, store } = await folderStore({ keys: KEYS });
    const credential = await store.keys.exportWriter({ label: 'the label of the writer' });
    const writer = closedAfterTest(await openPutOnly(folder, { credential }));
    const secrets: Uint8Array[] = [];
    const random = seededRandom(11);
    for (let index = 0; index < 20; index += 1) {
      const key = `a-key-that-tells-something/${toHex(random.bytes(8))}`;
      const content =
        index % 2 === 0 ? random.bytes(3000) : utf8Encode(`a sentence that repeats ${index}. `.repeat(50));
      const attribute = `attribute value ${toHex(random.bytes(8))}`;
      await writer.put(key, content, { contentType: 'application/x-secret-type', attributes: { attribute } });
      const digest = blake3(content);
      secrets.push(utf8Encode(key), content, utf8Encode(attribute), digest, utf8Encode(toHex(digest)));
    }
    secrets.push(utf8Encode('application/x-secret-type'), utf8Encode('the label of the writer'));
    const { signingSeed, idKey } = parseWriterCredential(credential);
    secrets.push(signingSeed, idKey);
    const waiting = await filesIn(folder);
    expect([...waiting.keys()].filter((name) => name.startsWith('inbox')).length).toBe(40);
    expect([...waiting.keys()].some((name) => name.endsWith('-wal'))).toBe(true);
    // The search finds what is there.
    expect(holders(waiting, utf8Encode(`"storeId": "${store.id}`))).toContain('holdfast.json');
    for (const secret of secrets) expect(holders(waiting, secret)).toEqual([]);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 20, refused: [] });
    const adopted = await filesIn(folder);
    for (const secret of secrets) expect(holders(adopted, secret)).toEqual([]);
  });

  it('open nothing with the credential', async () => {
    const { path: folder, store } = await folderStore({ keys: KEYS });
    const credential = parseWriterCredential(await store.keys.exportWriter({ label: 'web-1' }));
    const writer = closedAfterTest(await openPutOnly(folder, { credential }));
    await writer.put('a', 'content');
    const head = [...(await filesIn(folder))].find(([name]) => name.endsWith('head'));
    const message = head?.[0].split(path.sep)[1] ?? '';
    const decoded = decodeMessageHead(new Uint8Array(head?.[1] ?? []), message);
    // What the writer has that could make a KEM pair, or be a shared key: neither opens its own message.
    const { idKey, signingSeed } = credential;
    const pairs = [Buffer.concat([idKey, signingSeed]), Buffer.concat([signingSeed, idKey])];
    const shared = [...pairs.map((seed) => createKemKeyPair(seed).decapsulate(decoded.ciphertext)), idKey, signingSeed];
    for (const key of shared) {
      expect(() => openMessageHead(decoded, messageKeys(decoded, key))).toThrow('does not open under its key');
    }
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1 });
  });
});
