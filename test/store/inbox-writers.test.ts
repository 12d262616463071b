import { describe, expect, it } from 'vitest';
import { INBOX_PART_BYTES } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { inboxBlobs, inboxFixture, inboxKeys, isSame, openAgain } from '../support/inbox.ts';
import { keysOf, SOUND } from '../support/stores.ts';

const NOTHING = { adopted: 0, entries: 0, bytes: 0, refused: [], incomplete: [] };

describe('a put-only writer', () => {
  it('leaves entries for whoever holds the keys', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    const content = seededRandom(2).bytes(300_000);
    const put = await writer.put('a', content, { contentType: 'x/y', attributes: { b: 'c' } });
    expect(put).toMatchObject({ key: 'a', size: 300_000, newBytes: 300_000 });
    expect(await store.has('a')).toBe(false);
    expect(await store.inbox.adopt()).toEqual({ ...NOTHING, adopted: 1, entries: 1, bytes: 300_000 });
    expect(isSame(await store.get('a'), content)).toBe(true);
    const { digest, chunks } = put;
    const described = { contentType: 'x/y', attributes: { b: 'c' } };
    expect(await store.stat('a')).toMatchObject({ digest, chunks, ...described, size: 300_000 });
    expect(await inboxKeys(fixture)).toEqual([]);
    expect(await store.inbox.adopt()).toEqual(NOTHING);
    await writer.close();
    await store.close();
    expect(isSame(await (await openAgain(fixture)).get('a'), content)).toBe(true);
  });

  it('puts nothing, and keys and contents of every length', async () => {
    const { store, writer } = await inboxFixture();
    await writer.put('empty', new Uint8Array(0));
    await writer.put('k'.repeat(1024), 'x');
    await writer.put('ü', 'text', { attributes: { '': 'no name' } }).catch(() => undefined);
    await writer.put('stream', [new Uint8Array(10), new Uint8Array(0), new Uint8Array(7)]);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 3, entries: 3, bytes: 18 });
    expect(await store.get('empty')).toHaveLength(0);
    expect(await store.get('stream')).toEqual(new Uint8Array(17));
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('leaves out what the store has, and what the message has already', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    const random = seededRandom(3);
    const old = random.bytes(2_000_000);
    const fresh = random.bytes(2_000_000);
    await store.put('old', old);
    const mixed = Buffer.concat([old, fresh, fresh, old]);
    const { newBytes } = await writer.put('mixed', mixed);
    // Chunks at the seams are new each time: how many follows from the seed of the chunker, which every store draws anew.
    expect(newBytes).toBeGreaterThan(1_900_000);
    expect(newBytes).toBeLessThan(4_000_000);
    const stored = [...(await inboxBlobs(fixture)).values()].reduce((sum, blob) => sum + blob.length, 0);
    expect(stored).toBeLessThan(newBytes + 100_000);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1, bytes: 8_000_000 });
    expect(isSame(await store.get('mixed'), mixed)).toBe(true);
    expect(await writer.put('again', mixed)).toMatchObject({ newBytes: 0 });
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1 });
    expect(isSame(await store.get('again'), mixed)).toBe(true);
  });

  it('puts contents of several parts', async () => {
    const fixture = await inboxFixture();
    const content = seededRandom(4).bytes(2 * INBOX_PART_BYTES + 12_345);
    await fixture.writer.put('large', content);
    const sizes = [...(await inboxBlobs(fixture))].map(([key, blob]) => [key.split('/')[2], blob.length]);
    expect(sizes.slice(0, 2)).toEqual([
      ['0', INBOX_PART_BYTES + 16],
      ['1', INBOX_PART_BYTES + 16],
    ]);
    expect(sizes.map(([name]) => name)).toEqual(['0', '1', '2', 'head']);
    expect(await fixture.store.inbox.adopt()).toMatchObject({ adopted: 1, bytes: content.length });
    expect(isSame(await fixture.store.get('large'), content)).toBe(true);
  });

  it('writes into its own namespace and no other', async () => {
    const { store, writer } = await inboxFixture({ namespace: 'tenant' });
    await writer.put('a', 'of the tenant');
    await store.inbox.adopt();
    expect(await keysOf(store)).toEqual([]);
    expect(Buffer.from(await store.namespace('tenant').get('a')).toString()).toBe('of the tenant');
  });

  it('tells sizes only as Padmé does, and the usual names not at all', async () => {
    const fixture = await inboxFixture();
    await fixture.writer.put('a', new Uint8Array(100_000));
    await fixture.writer.put('a/much/longer/name.of-something', new Uint8Array(100_100), { contentType: 'text/plain' });
    const sizes = [...(await inboxBlobs(fixture))].map(([, { length }]) => length);
    expect(new Set(sizes).size).toBe(2);
  });

  it('refuses arguments like every store, and writes nothing then', async () => {
    const fixture = await inboxFixture();
    const { writer } = fixture;
    await expect(writer.put('', 'x')).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(writer.put('a', 7 as never)).rejects.toBeInstanceOf(TypeError);
    await expect(writer.put('a', { path: '/no/such/file' })).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(writer.put('a', 'x', { contentType: 'x'.repeat(300) })).rejects.toMatchObject({
      code: 'ATTRIBUTES_INVALID',
    });
    const reason = new Error('enough');
    await expect(writer.put('a', 'x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await inboxKeys(fixture)).toEqual([]);
    await writer.close();
    await writer.close();
    await expect(writer.put('a', 'x')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('takes back what it wrote of a put that fails', async () => {
    const fixture = await inboxFixture();
    const failing = async function* () {
      yield seededRandom(5).bytes(INBOX_PART_BYTES + 1);
      yield new Uint8Array(3_000_000);
      expect(await inboxKeys(fixture)).toHaveLength(1);
      throw new Error('the source broke');
    };
    await expect(fixture.writer.put('a', failing())).rejects.toThrow('the source broke');
    expect(await inboxKeys(fixture)).toEqual([]);
  });

  it('can only put', async () => {
    const { writer } = await inboxFixture();
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(writer));
    expect(methods.sort()).toEqual(['close', 'constructor', 'put']);
    expect(Object.keys(writer)).toEqual(['id']);
  });
});
