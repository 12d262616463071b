import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { type CollectedStore, collectedStore, expectRebuiltAlike, packBytesOn } from '../support/collected-store.ts';
import { KINDS } from '../support/living-store.ts';
import { SOUND } from '../support/stores.ts';

const source = seededRandom(20);
const random = (length: number): Uint8Array => source.bytes(length);

describe.each(KINDS)('collecting garbage in a $kind store', ({ keys }) => {
  let living: CollectedStore;
  const open = async (): Promise<CollectedStore> => {
    living = await collectedStore(keys);
    return living;
  };
  afterEach(async () => {
    vi.restoreAllMocks();
    await living.store.close();
  });

  it('gives back what deleted entries alone needed, and nothing else', async () => {
    const { store, backend } = await open();
    const [kept, shared, gone] = [random(300_000), random(300_000), random(300_000)];
    await store.put('kept', kept);
    await store.put('both', Buffer.concat([shared, kept]));
    await store.put('gone', Buffer.concat([shared, gone]));
    await store.put('small', 'a small one');
    await store.delete('gone');
    const before = await packBytesOn(backend);
    const planned = await store.maintenance.gc({ dryRun: true });
    expect(planned).toMatchObject({ outcome: 'ok', dryRun: true });
    expect(planned.bytesFreed).toBeGreaterThan(250_000);
    expect(await packBytesOn(backend)).toBe(before);
    const report = await store.maintenance.gc();
    expect(report).toMatchObject({ outcome: 'ok', left: [], problems: [], fenced: 0 });
    expect(report.bytesFreed).toBeGreaterThan(250_000);
    expect(before - (await packBytesOn(backend))).toBe(report.bytesFreed);
    expect(Buffer.compare(await store.get('both'), Buffer.concat([shared, kept]))).toBe(0);
    expect(Buffer.compare(await store.get('kept'), kept)).toBe(0);
    expect(await store.maintenance.gc()).toMatchObject({ packsRemoved: 0, itemsRemoved: 0, bytesFreed: 0 });
    await expectRebuiltAlike(living, keys);
  });

  it('keeps what versions, copies and new names need, and lets it go with the last of them', async () => {
    const { store, backend } = await open();
    const content = random(100_000);
    await store.put('a', content, { keepVersions: {} });
    await store.put('a', 'another', { keepVersions: {} });
    await store.put('b', content);
    await store.copy('b', 'c');
    await store.rename('c', 'd');
    await store.delete('b');
    await store.maintenance.gc();
    expect(Buffer.compare(await store.get('d'), content)).toBe(0);
    await store.delete('d');
    await store.maintenance.gc();
    expect(await packBytesOn(backend)).toBeGreaterThan(100_000);
    await store.versions.forget('a', { last: 0 });
    await store.maintenance.gc();
    expect(await packBytesOn(backend)).toBeLessThan(10_000);
    await expectRebuiltAlike(living, keys);
  });

  it('ends beside somebody who never stops to write', async () => {
    const { store } = await open();
    let [isOver, puts] = [false, 0];
    const writing = (async () => {
      for (; !isOver; puts += 1) {
        await store.put(`key ${puts % 7}`, random(100));
        // Everything is in memory: without a pause nobody else would ever have a turn.
        await setImmediate();
      }
    })();
    const during = await store.maintenance.gc();
    isOver = true;
    await writing;
    expect(puts).toBeGreaterThan(0);
    expect(['ok', 'partial']).toContain(during.outcome);
    expect(await store.maintenance.gc()).toMatchObject({ outcome: 'ok', problems: [] });
  });

  it('counts nodes of large manifests once, however many entries share them', async () => {
    const { store, backend } = await open();
    // Small chunks: this has a manifest of several nodes.
    const large = random(1_500_000);
    await store.put('one', large);
    await store.put('two', large, { attributes: { other: 'attributes' } });
    await store.put('three', Buffer.concat([large, random(1000)]));
    await store.delete('one');
    await store.maintenance.gc();
    expect(Buffer.compare(await store.get('two'), large)).toBe(0);
    await store.delete('three');
    await store.maintenance.gc({ deadShare: 0 });
    expect(Buffer.compare(await store.get('two'), large)).toBe(0);
    await expectRebuiltAlike(living, keys);
    await store.delete('two');
    expect(await store.maintenance.gc()).toMatchObject({ outcome: 'ok' });
    expect(await packBytesOn(backend)).toBe(0);
    expect(await store.stats()).toMatchObject({ chunks: 0, uniqueBytes: 0 });
    await expectRebuiltAlike(living, keys);
  });

  it('counts everything anew when it is told to, and comes to the same', async () => {
    const { store } = await open();
    await store.put('kept', random(200_000));
    await store.put('gone', random(200_000));
    await store.maintenance.gc();
    const { referencesCounted } = await store.maintenance.gc({ recount: true });
    expect(referencesCounted).toBeGreaterThanOrEqual(2);
    await store.delete('gone');
    expect((await store.maintenance.gc({ recount: true })).bytesFreed).toBeGreaterThan(150_000);
    await expectRebuiltAlike(living, keys);
  });

  it('counts a rebuilt store from what is there', async () => {
    const { store } = await open();
    await store.put('kept', random(50_000));
    await store.put('gone', random(200_000));
    await store.delete('gone');
    await expectRebuiltAlike(living, keys);
    expect((await store.maintenance.gc()).bytesFreed).toBeGreaterThan(150_000);
    await expectRebuiltAlike(living, keys);
  });

  it('leaves what a damaged journal pack holds condemned, until it can be read', async () => {
    const { store, metadata, backend } = await open();
    await store.put('kept', 'kept');
    await store.put('small', 'rides in the journal');
    await store.delete('small');
    const whole = new Map<string, Uint8Array>();
    const condemn = metadata.condemnItems.bind(metadata);
    vi.spyOn(metadata, 'condemnItems').mockImplementation(async (...args) => {
      const condemned = await condemn(...args);
      if (condemned.items === 0) return condemned;
      for (const { key } of await backend.list({ prefix: 'journal/' })) {
        const bytes = await backend.get(key);
        if (bytes === undefined || whole.has(key)) continue;
        whole.set(key, bytes);
        await backend.put(
          key,
          bytes.map((byte) => byte ^ 1),
        );
      }
      return condemned;
    });
    const { problems, itemsRemoved } = await store.maintenance.gc();
    expect([problems.map(({ code }) => code), itemsRemoved]).toEqual([['PACK_CORRUPT'], 0]);
    for (const [key, bytes] of whole) await backend.put(key, bytes);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    vi.restoreAllMocks();
    expect(await store.maintenance.gc()).toMatchObject({ problems: [], itemsRemoved: 1 });
    await expectRebuiltAlike(living, keys);
  });

  it('works within a budget, and goes on with the next call', async () => {
    const { store, backend } = await open();
    for (let entry = 0; entry < 6; entry += 1) {
      await store.put(`gone ${entry}`, random(200_000));
      await store.put(`kept ${entry}`, random(50_000));
      await store.delete(`gone ${entry}`);
    }
    const before = await packBytesOn(backend);
    const first = await store.maintenance.gc({ timeMs: 0 });
    expect(first).toMatchObject({ outcome: 'partial', packsRemoved: 0 });
    expect(first.left.join()).toContain('time');
    expect(await store.maintenance.gc()).toMatchObject({ outcome: 'ok' });
    expect(before - (await packBytesOn(backend))).toBeGreaterThan(1_000_000);
    await expectRebuiltAlike(living, keys);
  });

  it('keeps to its time on a slow backend, where the next ones go on', async () => {
    const { store, backend } = await open();
    // Fewer packs than are merged, each of five reads.
    for (let entry = 0; entry < 6; entry += 1) {
      await store.put(`gone ${entry}`, random(300_000));
      await store.delete(`gone ${entry}`);
    }
    const get = backend.get.bind(backend);
    const monotonicMs = systemClock.monotonicMs;
    let reads = 0;
    vi.spyOn(backend, 'get').mockImplementation((...call) => {
      reads += 1;
      return get(...call);
    });
    // A second for each read.
    vi.spyOn(systemClock, 'monotonicMs').mockImplementation(() => monotonicMs() + reads * 1000);
    const first = await store.maintenance.gc({ timeMs: 3000 });
    expect(first).toMatchObject({ outcome: 'partial', left: [expect.stringContaining('time')] });
    // A pack that was begun just before is read to its end.
    expect(reads).toBeLessThanOrEqual(8);
    let calls = 1;
    while ((await store.maintenance.gc({ timeMs: 3000 })).outcome === 'partial') calls += 1;
    expect(calls).toBeLessThan(20);
    expect(await packBytesOn(backend)).toBe(0);
  });
});
