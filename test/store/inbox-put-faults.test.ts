import { describe, expect, it } from 'vitest';
import { storeError } from '../../src/errors/store-error.ts';
import { CONTENT, faultyFixture, isWell } from '../support/faulty-inbox.ts';
import { inboxKeys, isSame, messagesOf } from '../support/inbox.ts';

describe('a put that fails', () => {
  it.each([
    { prefix: 'inbox/', nth: 1, how: 'before' },
    { prefix: 'inbox/', nth: 1, how: 'after' },
    { prefix: 'inbox/', nth: 2, how: 'before' },
    { prefix: 'inbox/', nth: 2, how: 'after' },
  ] as const)('at put $nth ($how) leaves nothing', async (fault) => {
    const fixture = await faultyFixture();
    const { faults, writer, store } = fixture;
    faults.fail({ call: 'put', ...fault });
    await expect(writer.put('a', CONTENT)).rejects.toMatchObject({ code: 'BACKEND_IO' });
    expect(await inboxKeys(fixture)).toEqual([]);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 0, refused: [], incomplete: [] });
    expect(await isWell(fixture)).toBe(true);
  });

  it('and cannot be taken back leaves garbage without a head, or a whole message', async () => {
    for (const nth of [1, 2]) {
      for (const how of ['before', 'after'] as const) {
        const fixture = await faultyFixture();
        const { faults, writer, store } = fixture;
        faults.fail({ call: 'put', prefix: 'inbox/', nth, how });
        faults.fail({ call: 'delete', how: 'before', times: Number.POSITIVE_INFINITY });
        await expect(writer.put('a', CONTENT)).rejects.toMatchObject({ code: 'BACKEND_IO' });
        faults.heal();
        const { adopted, refused } = await store.inbox.adopt();
        expect(refused).toEqual([]);
        expect(adopted).toBe(nth === 2 && how === 'after' ? 1 : 0);
        expect(await store.has('a')).toBe(adopted === 1);
        expect(await isWell(fixture)).toBe(true);
      }
    }
  });

  it('on a full disk, and cannot be taken back, is in doubt only where its head may have stayed', async () => {
    for (const [nth, code] of [
      [1, 'DISK_FULL'],
      [2, 'BACKEND_IO'],
    ] as const) {
      const fixture = await faultyFixture();
      const { faults, writer, store } = fixture;
      const full = storeError('DISK_FULL', 'the disk is full');
      faults.fail({ call: 'put', prefix: 'inbox/', nth, how: 'after', error: full });
      faults.fail({ call: 'delete', how: 'before', times: Number.POSITIVE_INFINITY });
      await expect(writer.put('a', CONTENT)).rejects.toMatchObject({ code });
      faults.heal();
      expect(await store.inbox.adopt()).toMatchObject({ adopted: nth - 1, refused: [] });
    }
  });
});

describe('adopting', () => {
  it('does not bring an entry back that was deleted once it was adopted', async () => {
    const fixture = await faultyFixture();
    const { faults, writer, store } = fixture;
    await writer.put('a', CONTENT);
    // The head goes first; the process ends before the part does.
    faults.fail({ call: 'delete', how: 'before', prefix: 'inbox/', nth: 2 });
    await expect(store.inbox.adopt()).rejects.toMatchObject({ code: 'BACKEND_IO' });
    await store.delete('a');
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 0, refused: [] });
    expect(await store.has('a')).toBe(false);
  });

  it('says when a chunk is gone that the writer took for stored, and takes it once more', async () => {
    const fixture = await faultyFixture();
    const { writer, store, faults } = fixture;
    await store.put('old', CONTENT);
    expect(await writer.put('new', CONTENT)).toMatchObject({ newBytes: 0 });
    faults.fail({ call: 'get', how: 'torn', prefix: 'packs/', times: Number.POSITIVE_INFINITY });
    const { refused } = await store.inbox.adopt();
    expect(refused).toMatchObject([{ code: expect.stringMatching(/^CHUNK_/), writer: 'web-1' }]);
    faults.heal();
    // The chunks are suspect now, so nobody takes them for stored.
    expect((await writer.put('new', CONTENT)).newBytes).toBeGreaterThan(0);
    // The first message is refused once more, or finds the entry that the second one made: as their ids are ordered.
    await store.inbox.adopt();
    expect((await store.inbox.adopt()).refused).toEqual([]);
    expect(await messagesOf(fixture)).toEqual([]);
    expect(isSame(await store.get('new'), CONTENT)).toBe(true);
  });
});
