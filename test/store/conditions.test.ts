import { describe, expect, it } from 'vitest';
import { noise, text } from '../support/contents.ts';
import { sharedStore } from '../support/stores.ts';

const shared = sharedStore();
const OTHER_VERSION = '0'.repeat(64);

describe('ifAbsent', () => {
  it('creates once and refuses the second time, before any content is read', async () => {
    const { store } = shared;
    await store.put('new', 'first', { ifAbsent: true });
    let asked = false;
    function* content(): Iterable<Uint8Array> {
      asked = true;
      yield noise(10);
    }
    await expect(store.put('new', content(), { ifAbsent: true })).rejects.toMatchObject({
      code: 'ENTRY_EXISTS',
      kind: 'conflict',
      details: { key: 'new' },
    });
    expect(asked).toBe(false);
    expect(await store.get('new')).toEqual(text('first'));
  });

  it('lets exactly one of many win', async () => {
    const { store } = shared;
    const puts = Array.from({ length: 20 }, (_, index) => store.put('race', `content ${index}`, { ifAbsent: true }));
    const outcomes = await Promise.allSettled(puts);
    const won = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []));
    expect(won).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ENTRY_EXISTS' });
    expect(await store.get('race')).toEqual(text(`content ${won[0]}`));
  });

  it('creates again what was deleted', async () => {
    const { store } = shared;
    await store.put('again', 'one', { ifAbsent: true });
    await store.delete('again');
    await store.put('again', 'two', { ifAbsent: true });
    expect(await store.get('again')).toEqual(text('two'));
  });

  it('goes for a digest as a name too', async () => {
    const { store } = shared;
    await store.put(null, 'named by digest', { ifAbsent: true });
    await expect(store.put(null, 'named by digest', { ifAbsent: true })).rejects.toMatchObject({
      code: 'ENTRY_EXISTS',
    });
  });

  it('cannot stand beside ifMatch', async () => {
    const failure = shared.store.put('x', 'x', { ifAbsent: true, ifMatch: OTHER_VERSION });
    await expect(failure).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'ifMatch' });
  });
});

describe('ifMatch', () => {
  it('reads the version it names and no other', async () => {
    const { store } = shared;
    const { version } = await store.put('seen', 'one');
    expect(await Array.fromAsync(store.read('seen', { ifMatch: version, offset: 1 }))).toEqual([text('ne')]);
    expect(await store.get('seen', { ifMatch: version })).toEqual(text('one'));
    const next = await store.put('seen', 'two');
    await expect(store.get('seen', { ifMatch: version })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { key: 'seen', expected: version, actual: next.version },
    });
    await expect(store.get('seen', { ifMatch: 'x' })).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(Array.fromAsync(store.read('seen', { ifMatch: version }))).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { key: 'seen', expected: version, actual: next.version },
    });
    await expect(Array.fromAsync(store.read('seen', { ifMatch: 'x' }))).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
  });

  it('replaces the version it names and no other', async () => {
    const { store } = shared;
    const { version } = await store.put('cas', 'one');
    const next = await store.put('cas', 'two', { ifMatch: version });
    await expect(store.put('cas', 'three', { ifMatch: version })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { key: 'cas', expected: version, actual: next.version },
    });
    expect(await store.get('cas')).toEqual(text('two'));
  });

  it('fails for an absent entry, and nothing appears', async () => {
    const { store } = shared;
    await expect(store.put('nobody', 'x', { ifMatch: OTHER_VERSION })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await expect(store.delete('nobody', { ifMatch: OTHER_VERSION })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(await store.has('nobody')).toBe(false);
  });

  it('deletes the version it names and no other', async () => {
    const { store } = shared;
    const { version } = await store.put('doomed', 'one');
    await expect(store.delete('doomed', { ifMatch: OTHER_VERSION })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(await store.delete('doomed', { ifMatch: version })).toBe(true);
  });

  it('makes a counter that loses nothing under contention', async () => {
    const { store } = shared;
    await store.put('counter', '0');
    const increment = async (): Promise<void> => {
      for (;;) {
        const { version } = await store.stat('counter');
        const value = Number(Buffer.from(await store.get('counter')).toString());
        try {
          // Between the two reads somebody may have written: the version is the older one then, and the put fails.
          await store.put('counter', String(value + 1), { ifMatch: version });
          return;
        } catch (error) {
          expect(error).toMatchObject({ code: 'PRECONDITION_FAILED' });
        }
      }
    };
    await Promise.all(Array.from({ length: 10 }, increment));
    expect(await store.get('counter')).toEqual(text('10'));
  });

  it.each(['', 'xyz', 'ab', 'A'.repeat(63), '0'.repeat(66)])('refuses what is no version: %j', async (ifMatch) => {
    const { store } = shared;
    await expect(store.put('x', 'x', { ifMatch })).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(store.delete('x', { ifMatch })).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(store.put('x', 'x', { parent: ifMatch })).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });

  it('is a TypeError when it is no text', async () => {
    const failure = shared.store.put('x', 'x', { ifMatch: 5 as unknown as string });
    await expect(failure).rejects.toMatchObject({ parameter: 'ifMatch' });
  });
});

describe('a version', () => {
  it('is that of content, type, attributes and parent, and of nothing else', async () => {
    const { store } = shared;
    const parent = OTHER_VERSION;
    const versionOf = async (key: string, ...rest: [string, object?]) => (await store.put(key, ...rest)).version;
    const plain = await versionOf('a', 'content');
    expect(await versionOf('b', 'content')).toBe(plain);
    expect(await versionOf('a', 'content')).toBe(plain);
    const others = [
      await versionOf('a', 'other'),
      await versionOf('a', 'content', { contentType: 'text/plain' }),
      await versionOf('a', 'content', { attributes: { a: 'b' } }),
      await versionOf('a', 'content', { attributes: { ab: '' } }),
      await versionOf('a', 'content', { parent }),
    ];
    expect(new Set([plain, ...others]).size).toBe(6);
    expect(await versionOf('a', 'content', { attributes: { x: '1', b: '2' } })).toBe(
      await versionOf('a', 'content', { attributes: { b: '2', x: '1' } }),
    );
  });
});
