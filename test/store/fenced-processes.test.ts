import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/index.ts';
import { collectedStore, expectRebuiltAlike, packBytesOn } from '../support/collected-store.ts';
import { KINDS } from '../support/living-store.ts';
import { SOUND } from '../support/stores.ts';

const source = seededRandom(21);
const random = (length: number): Uint8Array => source.bytes(length);

/** A source that gives its second half when it is told to. */
function halves(content: Uint8Array) {
  const middle = Math.floor(content.length / 2);
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield content.subarray(0, middle);
    begin();
    await promise;
    yield content.subarray(middle);
  }
  return { pieces: pieces(), begun, go: () => resolve() };
}

const NOW = { waitMs: 0 } as const;

describe.each(KINDS)('two processes of a $kind store, one of which collects', ({ keys }) => {
  it('keep what a put under way counts on, and delete it when that is given up', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    const content = random(400_000);
    await one.store.put('old', content);
    const { pieces, begun, go } = halves(content);
    const putting = two.store.put('new', pieces);
    await begun;
    await one.store.delete('old');
    const held = await one.store.maintenance.gc(NOW);
    expect(held).toMatchObject({ outcome: 'partial', itemsRemoved: 0 });
    expect(held.waitingFor).toHaveLength(1);
    expect(held.left.join()).toContain('under way');
    go();
    await putting;
    await one.store.maintenance.gc();
    expect(Buffer.compare(await one.store.get('new'), content)).toBe(0);
    await one.store.delete('new');
    await one.store.maintenance.gc();
    expect(await packBytesOn(one.backend)).toBe(0);
    await expectRebuiltAlike(one, keys);
    await two.store.close();
    await one.store.close();
  });

  it('let a read under way come to its end, whatever is deleted meanwhile', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    const content = random(9_000_000);
    await one.store.put('large', content);
    const pieces = two.store.read('large')[Symbol.asyncIterator]();
    const found = [(await pieces.next()).value as Uint8Array];
    await one.store.delete('large');
    expect(await one.store.maintenance.gc(NOW)).toMatchObject({ outcome: 'partial', itemsRemoved: 0 });
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) found.push(next.value);
    expect(Buffer.compare(Buffer.concat(found), content)).toBe(0);
    expect(await one.store.maintenance.gc()).toMatchObject({ outcome: 'ok' });
    expect(await packBytesOn(one.backend)).toBe(0);
    await two.store.close();
    await one.store.close();
  });

  it('fence a process that is gone, which cannot commit should it wake up', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    const content = random(300_000);
    await one.store.put('old', content);
    const { pieces, begun, go } = halves(content);
    const putting = two.store.put('new', pieces);
    await begun;
    await one.store.delete('old');
    two.life.seemGone();
    const report = await one.store.maintenance.gc(NOW);
    expect(report).toMatchObject({ outcome: 'ok', fenced: 1 });
    expect(await packBytesOn(one.backend)).toBe(0);
    go();
    await expect(putting).rejects.toMatchObject({ kind: 'closed', code: 'SESSION_FENCED' });
    await expect(two.store.put('later', 'x')).rejects.toMatchObject({ code: 'SESSION_FENCED' });
    expect(await one.store.has('new')).toBe(false);
    await one.store.maintenance.gc();
    expect(await packBytesOn(one.backend)).toBe(0);
    await expectRebuiltAlike(one, keys);
    await one.store.close();
  });

  it('delete what a process left that ended before it could commit', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    // The pack is written, and its process ends before it says so.
    two.life.endAfter(1);
    await expect(two.store.put('never', random(500_000))).rejects.toThrow();
    two.end();
    expect(await packBytesOn(one.backend)).toBeGreaterThan(400_000);
    const dry = await one.store.maintenance.gc({ dryRun: true });
    expect(dry.leakedPacks).toBe(0);
    const report = await one.store.maintenance.gc(NOW);
    expect(report).toMatchObject({ outcome: 'ok', fenced: 1, leakedPacks: 1 });
    expect(await packBytesOn(one.backend)).toBe(0);
    expect(await one.metadata.listSessions()).toHaveLength(1);
    await one.store.close();
  });

  it('take over the journal of a process that is gone before it could tell of it', async () => {
    const one = await collectedStore(keys);
    const two = await one.start();
    // Its journal pack is written, and would be told of with the next commit.
    await two.store.put('last', 'content');
    two.life.seemGone();
    await one.store.put('next', 'other content');
    const sound = async () => expect(await one.store.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    expect(await one.store.maintenance.gc(NOW)).toMatchObject({ outcome: 'ok', fenced: 1 });
    await sound();
    await expectRebuiltAlike(one, keys);
    // What it wakes up with is known by now.
    await two.store.close().catch(() => undefined);
    await one.store.maintenance.gc(NOW);
    await sound();
    await expectRebuiltAlike(one, keys);
    await one.store.close();
  });
});
