/** Earlier values of entries: which are kept, how they are found, read, restored and forgotten. */
import { describe, expect, it } from 'vitest';
import type { Entries, KeepVersions, VersionInfo } from '../../src/index.ts';
import { rebuildStore } from '../../src/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { KINDS_OF_ENTRIES, nextMillisecond, openKind } from '../support/kinds-of-entries.ts';
import { folderStore, memoryStore, reopen, SOUND } from '../support/stores.ts';

async function versionsOf(entries: Entries, key = 'k'): Promise<readonly VersionInfo[]> {
  return await Array.fromAsync(entries.versions.list(key));
}

async function contentsOf(entries: Entries, key = 'k'): Promise<readonly string[]> {
  const contents: string[] = [];
  for (const { number, version } of await versionsOf(entries, key)) {
    const which = number === undefined ? { version } : { number };
    contents.push(new TextDecoder().decode(await entries.versions.get(key, which)));
  }
  return contents;
}

async function putAll(entries: Entries, values: readonly string[], keepVersions?: KeepVersions): Promise<void> {
  for (const value of values) {
    await entries.put('k', value, { ...(keepVersions !== undefined && { keepVersions }) });
    nextMillisecond();
  }
}

describe.each(KINDS_OF_ENTRIES)('versions of %s entries', (kind) => {
  it('are kept by the policy, newest first, and told with what they were', async () => {
    const { store, entries } = await openKind(kind);
    await entries.versions.setPolicy({ last: 2 });
    const first = await entries.put('k', 'one', { contentType: 'text/plain', attributes: { a: '1' } });
    nextMillisecond();
    await entries.put('k', 'two', { parent: first.version });
    nextMillisecond();
    await entries.put('k', 'three');
    const [current, second, oldest, ...more] = await versionsOf(entries);
    expect(more).toEqual([]);
    expect(current).toMatchObject({ current: true, size: 5 });
    expect(current).not.toHaveProperty('number');
    expect(current).not.toHaveProperty('until');
    expect(second).toMatchObject({ current: false, number: 2, size: 3, parent: first.version });
    expect(oldest).toMatchObject({
      ...{ current: false, number: 1, version: first.version, digest: first.digest, size: 3 },
      ...{ contentType: 'text/plain', attributes: { a: '1' } },
    });
    expect(Object.isFrozen(oldest)).toBe(true);
    expect((oldest?.from ?? '') < (oldest?.until ?? '') && (oldest?.until ?? '') < (second?.until ?? '')).toBe(true);
    await entries.put('k', 'four');
    expect(await contentsOf(entries)).toEqual(['four', 'three', 'two']);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('are found by id, by the beginning of it, by number and as of a time', async () => {
    const { entries } = await openKind(kind);
    await putAll(entries, ['one', 'two', 'three'], {});
    const [current, two, one] = await versionsOf(entries);
    const { versions } = entries;
    for (const [info, content] of [
      [current, 'three'],
      [two, 'two'],
      [one, 'one'],
    ] as const) {
      const version = info?.version ?? '';
      expect(await versions.get('k', { version })).toEqual(text(content));
      expect(await versions.stat('k', { version: version.slice(0, 12).toUpperCase() })).toEqual(info);
      expect(await versions.stat('k', { at: info?.from ?? '' })).toEqual(info);
      expect(await versions.stat('k', { at: new Date(info?.from ?? '') })).toEqual(info);
    }
    expect(await versions.stat('k', { number: 2 })).toEqual(two);
    expect(await versions.stat('k', { at: two?.until ?? '' })).toEqual(current);
    for (const which of [
      { number: 3 },
      { version: 'f'.repeat(64) },
      { version: '0000' },
      { at: '2020-01-01T00:00:00Z' },
    ]) {
      const failure = { kind: 'not-found', code: 'VERSION_NOT_FOUND', details: { key: 'k' } };
      await expect(versions.stat('k', which)).rejects.toMatchObject(failure);
    }
  });

  it('of a deleted entry are there too, and bring it back', async () => {
    const { entries } = await openKind(kind);
    await putAll(entries, ['one', 'two'], {});
    await entries.delete('k', { keepVersions: {} });
    nextMillisecond();
    expect(await contentsOf(entries)).toEqual(['two', 'one']);
    await expect(entries.versions.stat('k', { at: new Date() })).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
    const restored = await entries.versions.restore('k', { number: 1 });
    expect(await entries.get('k')).toEqual(text('one'));
    expect(restored).toEqual(await entries.stat('k'));
    expect(await contentsOf(entries)).toEqual(['one', 'two', 'one']);
  });

  it('are restored without moving bytes, and what they replace is kept', async () => {
    const { store, entries } = await openKind(kind);
    await entries.versions.setPolicy({});
    const content = noise(300_000);
    const before = await entries.put('k', content, { contentType: 'text/x', attributes: { a: 'b' } });
    await entries.put('k', 'other');
    const { uniqueBytes } = await entries.stats();
    const restored = await entries.versions.restore('k', { version: before.version.slice(0, 10) });
    expect(restored).toMatchObject({ version: before.version, contentType: 'text/x', attributes: { a: 'b' } });
    expect((await entries.stats()).uniqueBytes).toBe(uniqueBytes);
    expect(sameBytes(await entries.get('k'), content)).toBe(true);
    expect((await versionsOf(entries)).map(({ number }) => number)).toEqual([undefined, 2, 1]);
    // Of several with one id the newest is meant, which is current.
    expect(await entries.versions.restore('k', { version: before.version })).toEqual(restored);
    expect(await versionsOf(entries)).toHaveLength(3);
    const wrong = entries.versions.restore('k', { number: 2 }, { ifMatch: '0'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    const same = { version: before.version } as const;
    await expect(entries.versions.restore('k', same, { ifMatch: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(await entries.versions.restore('k', same, { ifMatch: before.version })).toEqual(restored);
    await entries.versions.restore('k', { number: 2 }, { keepVersions: 'none' });
    expect((await versionsOf(entries)).map(({ number }) => number)).toEqual([undefined, 2, 1]);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('are forgotten by number, by count and by age, together only where every rule says so', async () => {
    const { entries } = await openKind(kind);
    await putAll(entries, ['1', '2', '3', '4', '5', 'now'], {});
    const { versions } = entries;
    const dry = await versions.forget('k', { last: 3 }, { dryRun: true });
    expect(dry).toEqual({ key: 'k', numbers: [2, 1], bytes: 2, kept: 3, dryRun: true });
    expect(await versionsOf(entries)).toHaveLength(6);
    expect(await versions.forget('k', { numbers: [4, 4, 99] })).toMatchObject({ numbers: [4], kept: 4, dryRun: false });
    expect(await contentsOf(entries)).toEqual(['now', '5', '3', '2', '1']);
    expect(await versions.forget('k', { last: 1, olderThanMs: 3_600_000 })).toMatchObject({ numbers: [], kept: 4 });
    expect(await versions.forget('k', { last: 3, olderThanMs: 0 })).toMatchObject({ numbers: [1], kept: 3 });
    expect(await versions.forget('k', { olderThanMs: 0 })).toMatchObject({ numbers: [5, 3, 2], kept: 0 });
    expect(await contentsOf(entries)).toEqual(['now']);
    await entries.put('k', 'later', { keepVersions: {} });
    expect((await versionsOf(entries)).map(({ number }) => number)).toEqual([undefined, 1]);
  });

  it('are forgotten of everything below a prefix, deleted entries included', async () => {
    const { entries } = await openKind(kind);
    await entries.versions.setPolicy({});
    for (const key of ['a/1', 'a/2', 'b']) for (const value of ['x', 'yy', 'zzz']) await entries.put(key, value);
    await entries.delete('a/2');
    const told: string[] = [];
    const options = { prefix: 'a/', last: 1, onForget: ({ key }: { key: string }) => void told.push(key) };
    const expected = { entries: 2, versions: 3, bytes: 4, kept: 2 };
    expect(await entries.versions.forgetAll({ ...options, dryRun: true })).toEqual({ ...expected, dryRun: true });
    expect(await entries.versions.forgetAll(options)).toEqual({ ...expected, dryRun: false });
    expect(told.toSorted()).toEqual(['a/1', 'a/1', 'a/2', 'a/2']);
    expect(await contentsOf(entries, 'a/1')).toEqual(['zzz', 'yy']);
    expect(await contentsOf(entries, 'a/2')).toEqual(['zzz']);
    expect(await contentsOf(entries, 'b')).toEqual(['zzz', 'yy', 'x']);
    expect(await entries.versions.forgetAll({ last: 0 })).toMatchObject({ entries: 3, versions: 4, kept: 0 });
    expect(await versionsOf(entries, 'a/2')).toEqual([]);
  });
});

describe('which versions are kept', () => {
  it('is said by the put, else by the namespace, else by the store', async () => {
    const { store, entries } = await openKind('namespace');
    const versions = entries.versions;
    expect(await versions.policy()).toEqual({ keep: 'none', inherited: true });
    await store.versions.setPolicy({ last: 5, forMs: 60_000 });
    expect(await store.versions.policy()).toEqual({ keep: { last: 5, forMs: 60_000 }, inherited: false });
    expect(await versions.policy()).toEqual({ keep: { last: 5, forMs: 60_000 }, inherited: true });
    await putAll(entries, ['1', '2']);
    expect(await contentsOf(entries)).toEqual(['2', '1']);
    await versions.setPolicy('none');
    expect(await versions.policy()).toEqual({ keep: 'none', inherited: false });
    await putAll(entries, ['3']);
    expect(await contentsOf(entries)).toEqual(['3']);
    await putAll(entries, ['4'], { last: 9 });
    expect(await contentsOf(entries)).toEqual(['4', '3']);
    await versions.setPolicy('inherit');
    await putAll(entries, ['5']);
    expect(await contentsOf(entries)).toEqual(['5', '4', '3']);
    await putAll(entries, ['6'], 'none');
    expect(await contentsOf(entries)).toEqual(['6', '4', '3']);
    await store.versions.setPolicy('none');
    expect(await versions.policy()).toEqual({ keep: 'none', inherited: true });
  });

  it('looks at age when the entry changes', async () => {
    const store = await memoryStore();
    await putAll(store, ['1', '2', '3'], {});
    await putAll(store, ['4'], { forMs: 0 });
    expect(await contentsOf(store)).toEqual(['4']);
  });

  it('takes part in renames, copies, batches and deletes; they stay with the key', async () => {
    const store = await memoryStore();
    await store.versions.setPolicy({});
    await store.put('from', 'moved');
    await store.put('to', 'replaced');
    await store.rename('from', 'to', { replace: true });
    expect(await contentsOf(store, 'from')).toEqual(['moved']);
    expect(await contentsOf(store, 'to')).toEqual(['moved', 'replaced']);
    await store.put('other', 'copied');
    await store.copy('other', 'to', { replace: true });
    expect(await contentsOf(store, 'to')).toEqual(['copied', 'moved', 'replaced']);
    await store.batch(async (batch) => {
      await batch.put('to', 'a');
      await batch.put('to', 'b', { keepVersions: 'none' });
      batch.delete('to', { keepVersions: 'none' });
      batch.delete('other');
    });
    expect(await contentsOf(store, 'to')).toEqual(['copied', 'moved', 'replaced']);
    expect(await contentsOf(store, 'other')).toEqual(['copied']);
  });

  it('passes isolated entries by: their key is destroyed with them', async () => {
    const { entries } = await openKind('sealed');
    await entries.versions.setPolicy({});
    await entries.put('k', 'secret', { isolation: 'entry' });
    const current = await entries.versions.stat('k', { at: new Date(Date.now() + 1000) });
    expect(current).toMatchObject({ current: true, isolated: true });
    expect(await entries.versions.restore('k', { version: current.version })).toMatchObject({ isolated: true });
    await entries.put('k', 'plain');
    expect(await contentsOf(entries)).toEqual(['plain']);
  });
});

describe('versions', () => {
  it('are listed and read page by page, by ranges, and through a rebuild', async () => {
    const { path, store } = await folderStore();
    await store.versions.setPolicy({});
    const count = 600;
    for (let at = 0; at < count; at += 100)
      await store.batch(async (batch) => {
        for (let value = at; value < at + 100; value += 1) await batch.put('k', `value ${value}`);
      });
    const found = await versionsOf(store);
    expect(found.map(({ number }) => number)).toEqual([undefined, ...Array.from({ length: 599 }, (_, i) => 599 - i)]);
    expect(await Array.fromAsync(store.versions.list('k', { limit: 300 }))).toEqual(found.slice(0, 300));
    expect(await Array.fromAsync(store.versions.list('k', { limit: 0 }))).toEqual([]);
    const range = store.versions.read('k', { number: 1 }, { offset: 6, length: 1 });
    expect(await Array.fromAsync(range)).toEqual([text('0')]);
    await expect(Array.fromAsync(store.versions.read('k', { number: 1 }, { offset: 9 }))).rejects.toMatchObject({
      code: 'RANGE_INVALID',
    });
    await store.versions.forget('k', { numbers: [1, 300] });
    const kept = await versionsOf(store);
    await store.close();
    await rebuildStore(path);
    const again = await reopen(path);
    expect(await versionsOf(again)).toEqual(kept);
    expect(await again.versions.policy()).toEqual({ keep: {}, inherited: false });
  });

  it('tell whose ids begin alike', async () => {
    const store = await memoryStore();
    await store.versions.setPolicy({});
    // Among so many some ids share four digits.
    await store.batch(async (batch) => {
      for (let value = 0; value < 1500; value += 1) await batch.put('k', `${value}`);
    });
    const ids = (await versionsOf(store)).map(({ version }) => version);
    const starts = ids.map((id) => id.slice(0, 4));
    const shared = starts.find((start, index) => starts.indexOf(start) !== index) ?? '';
    await expect(store.versions.stat('k', { version: shared })).rejects.toMatchObject({
      ...{ kind: 'invalid', code: 'ID_AMBIGUOUS', details: { key: 'k', digest: shared } },
      message: expect.stringContaining(ids.find((id) => id.startsWith(shared)) ?? ''),
    });
  });

  it('say what is wrong with a call', async () => {
    const store = await memoryStore();
    const { versions } = store;
    await store.put('k', 'x');
    const wrong = (value: unknown) => value as never;
    expect(await versionsOf(store, 'nobody')).toEqual([]);
    await expect(versions.stat('nobody', { number: 1 })).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
    await expect(versions.stat('', { number: 1 })).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(versions.stat('k', wrong(undefined))).rejects.toThrow(TypeError);
    await expect(versions.stat('k', wrong({}))).rejects.toThrow(RangeError);
    await expect(versions.stat('k', wrong({ number: 1, at: new Date() }))).rejects.toThrow(RangeError);
    await expect(versions.stat('k', { number: 0 })).rejects.toThrow(RangeError);
    await expect(versions.stat('k', { at: 'soon' })).rejects.toThrow(RangeError);
    await expect(versions.stat('k', wrong({ version: 7 }))).rejects.toThrow(TypeError);
    for (const version of ['abc', 'wxyz', 'a'.repeat(65)])
      await expect(versions.stat('k', { version })).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(versions.forget('k', {})).rejects.toThrow(RangeError);
    await expect(versions.forget('k', { last: -1 })).rejects.toThrow(RangeError);
    await expect(versions.forget('k', wrong({ last: 1, numbers: [1] }))).rejects.toThrow(RangeError);
    await expect(versions.forget('k', wrong({ numbers: 1 }))).rejects.toThrow(TypeError);
    await expect(versions.forget('k', { numbers: [0] })).rejects.toThrow(RangeError);
    await expect(versions.forgetAll({})).rejects.toThrow(RangeError);
    await expect(versions.forgetAll(wrong(undefined))).rejects.toThrow(TypeError);
    await expect(versions.setPolicy(wrong('all'))).rejects.toThrow(TypeError);
    await expect(versions.setPolicy({ last: 1.5 })).rejects.toThrow(RangeError);
    await expect(store.put('k', 'y', { keepVersions: wrong(3) })).rejects.toThrow(TypeError);
    await expect(store.delete('k', { keepVersions: { forMs: -1 } })).rejects.toThrow(RangeError);
  });

  it('can be read of a store that is open for reading, and nothing else', async () => {
    const { path, store } = await folderStore();
    await putAll(store, ['1', '2'], {});
    await store.close();
    const reader = await reopen(path, { readOnly: true });
    expect(await contentsOf(reader)).toEqual(['2', '1']);
    expect(await reader.versions.forget('k', { last: 0 }, { dryRun: true })).toMatchObject({ numbers: [1] });
    expect(await reader.versions.forgetAll({ last: 0, dryRun: true })).toMatchObject({ versions: 1 });
    for (const change of [
      () => reader.versions.setPolicy({}),
      () => reader.versions.restore('k', { number: 1 }),
      () => reader.versions.forget('k', { last: 0 }),
      () => reader.versions.forgetAll({ last: 0 }),
    ])
      await expect(change()).rejects.toMatchObject({ code: 'READ_ONLY' });
  });
});
