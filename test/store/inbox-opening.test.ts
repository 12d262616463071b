import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, openPutOnly, openStore, parseWriterCredential } from '../../src/index.ts';
import { inboxFixture } from '../support/inbox.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

describe('opening with a credential', () => {
  it('takes a path, text and what was parsed', async () => {
    const { location, credential, store } = await inboxFixture();
    const parsed = closedAfterTest(await openPutOnly(location, { credential: parseWriterCredential(credential) }));
    expect(parsed.id).toBe(store.id);
    await expect(openPutOnly(location, { credential: '/no/such.credential' })).rejects.toMatchObject({
      code: 'CREDENTIAL_NOT_FOUND',
    });
  });

  it('refuses what is none, without showing it', async () => {
    const { location, credential } = await inboxFixture();
    const damaged = JSON.parse(credential) as Record<string, unknown>;
    for (const wrong of [
      '{',
      '{"secret":"canary"}',
      JSON.stringify({ ...damaged, signingSeed: 'canary' }),
      JSON.stringify({ ...damaged, chunking: 'given' }),
      JSON.stringify({ ...damaged, chunking: 'canary' }),
      {},
      { ...damaged, idKey: 7 },
    ]) {
      const opening = openPutOnly(location, { credential: wrong as string });
      await expect(opening).rejects.toMatchObject({ code: 'CREDENTIAL_INVALID' });
      await expect(opening).rejects.not.toThrow('canary');
    }
    await expect(openPutOnly(location, {} as never)).rejects.toBeInstanceOf(TypeError);
    await expect(openPutOnly(location, undefined as never)).rejects.toBeInstanceOf(TypeError);
  });

  it('refuses that of another store, plain stores, and places without one', async () => {
    const [one, other] = [await inboxFixture(), await inboxFixture()];
    const { credential } = other;
    await expect(openPutOnly(one.location, { credential })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const plain = await testFolder();
    await (await createStore(plain, { keys: 'none', reserveBytes: 0 })).close();
    await expect(openPutOnly(plain, { credential })).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
    await expect(openPutOnly('memory:', { credential })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
  });

  it('is not what opens a store with its keys', async () => {
    const { location, credential } = await inboxFixture();
    const file = path.join(await testFolder(), 'web-1.credential');
    await writeFile(file, credential, { mode: 0o600 });
    const opened = closedAfterTest(await openPutOnly(location, { credential: file }));
    await opened.put('a', 'x');
    for (const keys of [{ keyFile: file }, { identity: file }]) {
      await expect(openStore(location, { keys })).rejects.toMatchObject({ kind: 'denied', code: 'WRITE_ONLY' });
    }
  });
});
