import { describe, expect, it, vi } from 'vitest';
import { createStore, openStore } from '../../src/index.ts';
import { INBOX_POLL_MS } from '../../src/limits.ts';
import { inboxFixture, inboxKeys, KEYS, messagesOf, onlyMessage, openAgain, openWriter } from '../support/inbox.ts';
import { closedAfterTest, keysOf } from '../support/stores.ts';

const NOTHING = { adopted: 0, entries: 0, bytes: 0, refused: [], incomplete: [] };

describe('an inbox', () => {
  it('never replaces an entry', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    await store.put('taken', 'first');
    await writer.put('taken', 'second');
    const message = await onlyMessage(fixture);
    const refused = [{ message, code: 'ENTRY_EXISTS', reason: expect.any(String), writer: 'web-1' }];
    expect(await store.inbox.adopt()).toEqual({ ...NOTHING, refused });
    expect(await store.inbox.adopt()).toEqual({ ...NOTHING, refused });
    expect(Buffer.from(await store.get('taken')).toString()).toBe('first');
    await store.delete('taken');
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1, refused: [] });
    expect(Buffer.from(await store.get('taken')).toString()).toBe('second');
  });

  it('counts what is there already as adopted', async () => {
    const { store, writer } = await inboxFixture();
    await store.put('same', 'content', { attributes: { a: 'b' } });
    await writer.put('same', 'content', { attributes: { a: 'b' } });
    await writer.put('same', 'content', { attributes: { a: 'b' } });
    expect(await store.inbox.adopt()).toEqual({ ...NOTHING, adopted: 2 });
  });

  it('keeps to the quota of a namespace', async () => {
    const { store, writer } = await inboxFixture({ namespace: 'small' });
    await store.namespaces.setQuota('small', 1000);
    await writer.put('fits', new Uint8Array(900));
    await store.inbox.adopt();
    await writer.put('does not', new Uint8Array(200));
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 0, refused: [{ code: 'QUOTA_EXCEEDED' }] });
    await store.namespaces.setQuota('small', undefined);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1, refused: [] });
  });

  it('throws messages away when asked', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    await writer.put('a', 'unwanted');
    const message = await onlyMessage(fixture);
    expect(await store.inbox.discard('0'.repeat(32))).toBe(false);
    expect(await store.inbox.discard(message)).toBe(true);
    expect(await inboxKeys(fixture)).toEqual([]);
    await expect(store.inbox.discard('../..')).rejects.toBeInstanceOf(RangeError);
    await expect(store.inbox.discard(7 as never)).rejects.toBeInstanceOf(TypeError);
  });

  it('leaves messages alone that have no head, and tells of them', async () => {
    const fixture = await inboxFixture();
    const message = 'ab'.repeat(16);
    await fixture.blobs.put(`inbox/${message}/0`, new Uint8Array(100));
    await fixture.blobs.put('inbox/readme', new Uint8Array(1));
    await fixture.blobs.put(`inbox/${message}/00`, new Uint8Array(1));
    expect(await fixture.store.inbox.adopt()).toEqual({ ...NOTHING, incomplete: [message] });
    expect(await inboxKeys(fixture)).toHaveLength(3);
  });

  it('is adopted after a rotation, and after the writer was left behind by one', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    await writer.put('before', 'x');
    await store.keys.rotate();
    await writer.put('after', 'y');
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 2, refused: [] });
    await writer.put('in time', 'w');
    await store.keys.rekey();
    expect(await store.has('in time')).toBe(true);
    await writer.put('too late', 'z');
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 0, refused: [{ code: 'EPOCH_UNKNOWN' }] });
  });

  it('is adopted when a store is opened for writing, and while it is open', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const fixture = await inboxFixture();
      await fixture.writer.put('waits', 'x');
      await fixture.store.close();
      const store = await openAgain(fixture);
      await vi.waitFor(async () => expect(await store.has('waits')).toBe(true));
      await vi.waitFor(async () => expect(await messagesOf(fixture)).toEqual([]));
      await fixture.writer.put('comes', 'y');
      vi.advanceTimersByTime(INBOX_POLL_MS);
      await vi.waitFor(async () => expect(await store.has('comes')).toBe(true));
    } finally {
      vi.useRealTimers();
    }
  });

  it('belongs to sealed stores that are open for writing', async () => {
    const plain = closedAfterTest(await createStore('memory:', { keys: 'none' }));
    await expect(plain.inbox.adopt()).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
    const fixture = await inboxFixture();
    await fixture.writer.put('a', 'x');
    await fixture.store.close();
    await expect(fixture.store.inbox.adopt()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    const reader = closedAfterTest(await openStore(fixture.location, { keys: KEYS, readOnly: true }));
    await expect(reader.inbox.adopt()).rejects.toMatchObject({ code: 'READ_ONLY' });
    expect(await messagesOf(fixture)).toHaveLength(1);
  });

  it('tells how far it is, and stops when asked', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    for (const key of ['a', 'b']) await writer.put(key, new Uint8Array(1000));
    const seen: number[] = [];
    const controller = new AbortController();
    const stopping = store.inbox.adopt({
      signal: controller.signal,
      onProgress: ({ phase, done, bytes }) => {
        expect(phase).toBe('adopt');
        seen.push(done, bytes);
        if (done === 1) controller.abort(new Error('enough'));
      },
    });
    await expect(stopping).rejects.toThrow('enough');
    expect(seen.slice(-2)).toEqual([1, 1000]);
    expect(await messagesOf(fixture)).toHaveLength(1);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1 });
  });

  it('is shared by all processes of a store', async () => {
    const fixture = await inboxFixture();
    const other = await openAgain(fixture);
    for (let index = 0; index < 10; index += 1) await fixture.writer.put(`key ${index}`, `content ${index}`);
    const reports = await Promise.all([fixture.store.inbox.adopt(), other.inbox.adopt()]);
    expect(reports.map(({ refused }) => refused)).toEqual([[], []]);
    expect(reports.reduce((sum, { entries }) => sum + entries, 0)).toBe(10);
    expect(await keysOf(other)).toHaveLength(10);
    expect(await messagesOf(fixture)).toEqual([]);
    expect(await openWriter(fixture, fixture.credential).then(({ id }) => id)).toBe(other.id);
  });
});
