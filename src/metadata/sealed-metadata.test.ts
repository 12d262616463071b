import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, idsOf, packAdd, put, request } from '../../test/support/metadata-samples.ts';
import { NamedChanges } from '../../test/support/named-changes.ts';
import { putIn, ringOf, sealedPackOf, secretOf, TENANT } from '../../test/support/sealed-metadata.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import type { Metadata } from './contract.ts';

let file: MetadataFile;

beforeEach(async () => {
  file = await MetadataFile.make('sealed');
});

afterEach(async () => {
  await file.remove();
});

const CORRUPT = { kind: 'corrupt', code: 'METADATA_CORRUPT' };
const CHANGED = { kind: 'conflict', code: 'KEYS_CHANGED', retry: false };

const JOURNAL = { incarnation: new Uint8Array(16), firstCommit: 1, lastCommit: 1 };

function configOf(generation: number) {
  return { generation, bytes: utf8Encode(`config of generation ${generation}`) };
}

async function epochsIn(metadata: Metadata, table: string): Promise<readonly number[]> {
  await metadata.head();
  const rows = file.query(`SELECT DISTINCT substr(sealed, 1, 4) AS epoch FROM ${table}`);
  return rows.map(({ epoch }) => (epoch as Uint8Array)[0] ?? 0).toSorted((a, b) => a - b);
}

describe('the metadata of a sealed store', () => {
  it('is not taken for that of a plain store, nor the other way round', async () => {
    await (await file.open({ create: true })).close();
    for (const readOnly of [false, true]) {
      await expect(file.openLocked({ sealed: false, readOnly })).rejects.toMatchObject(CORRUPT);
    }
    const plain = `${file.path}.plain`;
    await (await file.openLocked({ path: plain, sealed: false, create: true })).close();
    await expect(file.openLocked({ path: plain, create: true })).rejects.toMatchObject(CORRUPT);
  });

  it('shows its config before it is unlocked, and nothing else', async () => {
    const locked = await file.openLocked({ create: true });
    expect(await locked.config()).toBeUndefined();
    await locked.setConfig(0, configOf(1));
    expect(await locked.config()).toEqual(configOf(1));
    for (const call of [() => locked.head(), () => locked.commit([request(put('a'))]), () => locked.check()]) {
      await expect(call()).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
    }
    await locked.unlock(ringOf(), 1);
    expect(await locked.head()).toMatchObject({ commit: 0 });
  });

  it('in a thread is unlocked like any other', async () => {
    const metadata = await file.openInThread({ create: true });
    await metadata.setConfig(0, configOf(1));
    await metadata.commit([request(put('a'), putIn(TENANT, 'b'))]);
    expect(await metadata.config()).toEqual(configOf(1));
    expect(await metadata.namespaceCounters(TENANT)).toMatchObject({ entries: 1 });
    await metadata.setConfig(1, configOf(2));
    await expect(metadata.commit([request(put('b'))])).rejects.toMatchObject(CHANGED);
    await metadata.unlock(ringOf(2), 2);
    await metadata.reseal({ lastEpoch: 1 });
    expect(await metadata.pendingShreds()).toEqual([]);
    await metadata.forgetShreds([5]);
    expect((await metadata.check()).problems).toEqual([]);
  });

  it('opens with its own keys only, and stays as it was otherwise', async () => {
    await file.fill();
    await file.closeAll();
    const other = { ...ringOf(), epochs: [{ number: 1, secret: secretOf('another epoch') }] };
    const locked = await file.openLocked();
    await expect(locked.unlock(other, 1)).rejects.toMatchObject(CORRUPT);
    await expect(locked.head()).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
    await locked.unlock(ringOf(), 1);
    await expect(locked.unlock({ ...ringOf(), store: secretOf('another store') }, 1)).rejects.toMatchObject(CORRUPT);
    expect(await locked.counters()).toMatchObject({ entries: 2, chunks: 3 });
  });

  it('writes nothing under keys that prove to be wrong, whatever is under way meanwhile', async () => {
    const metadata = await file.fill();
    const wrong = { ...ringOf(), epochs: [{ number: 1, secret: secretOf('another epoch') }] };
    const calls = Array.from({ length: 20 }, (_, index) => [
      metadata.commit([request(put(`k${index}`), put(`l${index}`))]),
      metadata.unlock(wrong, 1).catch((error: unknown) => error),
    ]);
    await Promise.all(calls.flat());
    expect(await metadata.counters()).toMatchObject({ entries: 42 });
    expect((await metadata.check()).problems).toEqual([]);
  });

  it('that nobody unlocked yet cannot be read', async () => {
    await (await file.openLocked({ create: true })).close();
    const reader = await file.openLocked({ readOnly: true });
    await expect(reader.unlock(ringOf(), 1)).rejects.toMatchObject({ code: 'METADATA_MISSING' });
  });

  it('does not begin a second time where its head is gone', async () => {
    await file.fill();
    await file.closeAll();
    file.tamper('DELETE FROM head');
    await expect(file.open()).rejects.toMatchObject(CORRUPT);
    await (await file.openLocked()).close();
    file.tamper("DELETE FROM settings WHERE name = 'begun'");
    const locked = await file.openLocked();
    await expect(locked.unlock(ringOf(), 1)).rejects.toMatchObject(CORRUPT);
  });

  it('of a plain store has no lock and no namespaces', async () => {
    const plain = await file.openLocked({ path: ':memory:', sealed: false, create: true });
    await expect(plain.unlock(ringOf(), 1)).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
    await plain.commit([request(put('a'))]);
    expect(await plain.namespaceCounters(0)).toMatchObject({ entries: 1, logicalBytes: 10 });
    expect(await plain.namespaceCounters(TENANT)).toMatchObject({ entries: 0 });
    expect(await plain.pendingShreds()).toEqual([]);
    const tooMuch = { ...request(put('b')), quotas: [{ namespace: 0, logicalBytesMax: 19 }] };
    expect(await plain.commit([tooMuch])).toMatchObject([{ ok: false, error: { code: 'QUOTA_EXCEEDED' } }]);
  });
});

describe('the config in sealed metadata', () => {
  it('is changed only by who knows the one before', async () => {
    const metadata = await file.open({ create: true });
    await metadata.setConfig(0, configOf(1));
    await expect(metadata.setConfig(0, configOf(1))).rejects.toMatchObject(CHANGED);
    await metadata.setConfig(1, configOf(4));
    await expect(metadata.setConfig(4, configOf(4))).rejects.toBeInstanceOf(RangeError);
    expect(await metadata.config()).toEqual(configOf(4));
  });

  it('that another process changed stops commits until its keys are known', async () => {
    const first = await file.open({ create: true });
    await first.setConfig(0, configOf(1));
    const second = await file.open();
    await first.commit([request(put('a'))]);
    await first.setConfig(1, configOf(2));
    await first.unlock(ringOf(2), 2);
    const before = await first.head();
    await expect(second.commit([request(put('b'))])).rejects.toMatchObject({
      ...CHANGED,
      details: { expected: 1, actual: 2 },
    });
    await expect(second.openSession()).rejects.toMatchObject(CHANGED);
    expect(await first.head()).toEqual(before);
    await expect(second.unlock(ringOf(), 1)).rejects.toMatchObject(CHANGED);
    await second.unlock(ringOf(2), 2);
    expect(await second.commit([request(put('b'))])).toMatchObject([{ ok: true, commit: 2 }]);
  });
});

describe('what nobody could read', () => {
  const forgotten = { ...ringOf(2), epochs: ringOf(2).epochs.slice(1) };

  it.each([
    { what: 'a pack under an epoch that was forgotten', namespace: TENANT, epoch: 1, code: 'EPOCH_UNKNOWN' },
    { what: 'a pack of a namespace that was dropped', namespace: TENANT + 1, epoch: 2, code: 'NAMESPACE_KEY_GONE' },
  ])('is not made known: $what', async ({ namespace, epoch, code }) => {
    const metadata = await file.openLocked({ create: true });
    await metadata.unlock(forgotten, 1);
    const sample = sealedPackOf(1, [idOf('x')], namespace);
    const pack = { ...sample.pack, seal: { namespace, epoch, salt: secretOf('salt') } };
    const adding = [request(packAdd({ ...sample, pack })), request(put('beside it'))];
    expect(await metadata.commit(adding)).toMatchObject([{ ok: false, error: { code, kind: 'denied' } }, { ok: true }]);
    await expect(metadata.replay([{ ...pack, class: 'journal', journal: JOURNAL }], [])).rejects.toMatchObject({
      code,
    });
    expect(await metadata.listPacks({ limit: 10 })).toEqual([]);
  });

  it('does not come to be: an epoch stays while a live pack is sealed under it', async () => {
    const metadata = await file.open({ create: true });
    await metadata.setConfig(0, configOf(1));
    const sample = sealedPackOf(1, [idOf('x')]);
    await metadata.commit([request(packAdd(sample))]);
    await expect(metadata.setConfig(1, configOf(2), { packsAfterEpoch: 1 })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await metadata.setConfig(1, configOf(2), { packsAfterEpoch: 0 });
    await metadata.unlock(ringOf(), 2);
    await metadata.commit([request({ type: 'namespace-drop', namespace: TENANT })]);
    await metadata.setConfig(2, configOf(3), { packsAfterEpoch: 1 });
  });

  it('does not come to be: the key of a namespace stays while anything is in it', async () => {
    const metadata = await file.open({ create: true });
    await metadata.setConfig(0, configOf(1));
    await metadata.unlock(ringOf(), 1);
    await metadata.commit([request(packAdd(sealedPackOf(1, [idOf('x')])))]);
    await expect(metadata.setConfig(1, configOf(2), { emptyNamespace: TENANT })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await metadata.setConfig(1, configOf(2), { emptyNamespace: TENANT + 1 });
    await metadata.unlock(ringOf(), 2);
    await metadata.commit([request({ type: 'namespace-drop', namespace: TENANT })]);
    await metadata.setConfig(2, configOf(3), { emptyNamespace: TENANT });
  });

  it('stays for an object without bytes, too', async () => {
    const metadata = await file.open({ create: true });
    await metadata.setConfig(0, configOf(1));
    await metadata.unlock(ringOf(), 1);
    await metadata.commit([request(new NamedChanges(TENANT).object('empty'))]);
    await expect(metadata.setConfig(1, configOf(2), { emptyNamespace: TENANT })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await metadata.commit([request({ type: 'namespace-drop', namespace: TENANT })]);
    await metadata.setConfig(1, configOf(2), { emptyNamespace: TENANT });
  });

  it('is let go of: a journal pack that is told of when its epoch was forgotten', async () => {
    const metadata = await file.openLocked({ create: true });
    await metadata.unlock(forgotten, 1);
    await metadata.commit([request(put('a'))]);
    const { pack } = sealedPackOf(1, [], 0);
    await metadata.markFlushed([{ pack: { ...pack, class: 'journal', journal: JOURNAL }, inline: [] }]);
    expect(await metadata.head()).toMatchObject({ commit: 1, flushed: 0 });
    expect(await metadata.droppedPacks(10)).toHaveLength(1);
  });
});

describe('a new key epoch', () => {
  async function rotated(): Promise<Metadata> {
    const metadata = await file.open({ create: true });
    await metadata.setConfig(0, configOf(1));
    await metadata.commit([request(put('a'), putIn(TENANT, 'a'), packAdd(sealedPackOf(1, [idOf('x'), idOf('y')])))]);
    await metadata.setConfig(1, configOf(2));
    await metadata.unlock(ringOf(2), 2);
    return metadata;
  }

  it('seals what is written from then on; what was written before is read as before', async () => {
    const metadata = await rotated();
    await metadata.commit([request(put('b'))]);
    expect(await epochsIn(metadata, 'entries')).toEqual([1, 2]);
    const rows = await metadata.getEntries([put('a').key, put('b').key]);
    expect(rows.map((row) => row !== undefined)).toEqual([true, true]);
    expect((await metadata.check()).problems).toEqual([]);
  });

  it('is noticed by a reader with older keys when it meets what they do not open', async () => {
    const [metadata, reader] = [await rotated(), await file.openLocked()];
    await file.openLocked();
    await metadata.commit([request(put('b'))]);
    await expect(reader.unlock(ringOf(2), 1)).rejects.toMatchObject(CHANGED);
    await reader.unlock(ringOf(2), 2);
    expect(await reader.counters()).toMatchObject({ entries: 3 });
    await metadata.setConfig(2, configOf(3));
    await metadata.unlock(ringOf(3), 3);
    expect(await reader.counters()).toMatchObject({ entries: 3 });
    await metadata.commit([request(put('c'))]);
    await expect(reader.getEntries([put('c').key])).rejects.toMatchObject(CHANGED);
    await expect(reader.check()).rejects.toMatchObject(CHANGED);
    expect(await reader.getEntries([put('b').key])).toMatchObject([{ size: 10 }]);
  });

  it('takes over everything when the old ones are sealed anew', async () => {
    const metadata = await rotated();
    const digests = await metadata.stateDigests();
    await metadata.reseal({ lastEpoch: 1 });
    const tables = ['entries', 'items', 'packs', 'outbox', 'head', 'table_sums', 'namespaces', 'names_log'];
    for (const table of tables) expect([table, await epochsIn(metadata, table)]).toEqual([table, [2]]);
    const [, newest] = ringOf(2).epochs;
    await file.closeAll();
    const again = await file.openLocked();
    await again.unlock({ ...ringOf(2), epochs: newest ? [newest] : [] }, 2);
    expect(await again.stateDigests()).toEqual(digests);
    expect(await again.locate('chunk', idsOf('x', 'y'))).toMatchObject([{ ordinal: 0 }, { ordinal: 1 }]);
    expect((await again.check()).problems).toEqual([]);
  });

  it('is taken over in steps: one that was stopped leaves everything sound, and goes on', async () => {
    const metadata = await rotated();
    await expect(metadata.reseal({ lastEpoch: 1, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
    expect((await metadata.check()).problems).toEqual([]);
    await metadata.reseal({ lastEpoch: 1 });
    expect(await epochsIn(metadata, 'entries')).toEqual([2]);
  });
});
