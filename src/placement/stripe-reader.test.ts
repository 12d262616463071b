import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flip, packOf, type Spread, spreadOver } from '../../test/support/spread.ts';
import { type PackDescriptor, SHARD_HEADER_BYTES, shardKey } from '../format/index.ts';

const BROKEN = { how: 'before', times: Number.POSITIVE_INFINITY } as const;

async function written(spread: Spread, bytes?: number): Promise<{ pack: PackDescriptor; bytes: Uint8Array }> {
  const made = packOf(bytes);
  return { pack: await spread.packs.write(made), bytes: made.bytes };
}

/** What can happen to a shard. */
const HARM = {
  gone: (spread: Spread, pack: PackDescriptor, index: number) =>
    spread.holder(pack, index).delete(shardKey(pack, index)),
  flipped: (spread: Spread, pack: PackDescriptor, index: number) =>
    flip(spread.holder(pack, index), shardKey(pack, index), SHARD_HEADER_BYTES + 5),
  short: async (spread: Spread, pack: PackDescriptor, index: number) => {
    const key = shardKey(pack, index);
    const bytes = (await spread.holder(pack, index).get(key)) ?? new Uint8Array(0);
    await spread.holder(pack, index).put(key, bytes.subarray(0, 200));
  },
  unreachable: async (spread: Spread, pack: PackDescriptor, index: number) => {
    for (const call of ['get', 'head'] as const) spread.holder(pack, index).fail({ ...BROKEN, call });
  },
};
type Harm = keyof typeof HARM;

describe('reading a stripe', () => {
  it('fetches the columns that are needed, from the shard that has them', async () => {
    const spread = spreadOver(5);
    const { pack, bytes } = await written(spread);
    const before = spread.backends.map(({ trace }) => trace.length);
    expect(await spread.packs.read(pack, { offset: 10, length: 100 })).toEqual(bytes.subarray(10, 110));
    const calls = spread.backends.map(({ trace }, at) => trace.length - (before[at] ?? 0));
    expect(calls.reduce((a, b) => a + b)).toBe(1);
  });

  it('gives every range whatever happened to two of five shards (seed in the report)', async () => {
    const harms = fc.constantFrom<Harm>('gone', 'flipped', 'short', 'unreachable');
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 0, maxLength: 2 }),
        fc.array(harms, { minLength: 2, maxLength: 2 }),
        fc.tuple(fc.nat(), fc.nat()),
        async (hit, how, [from, count]) => {
          const spread = spreadOver(5);
          const { pack, bytes } = await written(spread, 90_000);
          for (const [at, index] of hit.entries()) await HARM[how[at] as Harm](spread, pack, index);
          const offset = from % bytes.length;
          const length = count % (bytes.length - offset + 1);
          const expected = bytes.subarray(offset, offset + length);
          expect(await spread.packs.read(pack, { offset, length }, { verified: true })).toEqual(expected);
          expect((await spread.packs.openWhole(pack))?.bytes).toEqual(bytes);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says what is wrong with each shard when three of five are bad', async () => {
    const spread = spreadOver(5);
    const { pack } = await written(spread);
    await HARM.gone(spread, pack, 0);
    await HARM.flipped(spread, pack, 1);
    await HARM.short(spread, pack, 4);
    const reading = spread.packs.read(pack, { offset: 0, length: pack.packBytes }, { verified: true });
    await expect(reading).rejects.toMatchObject({ code: 'SHARDS_INSUFFICIENT', details: { expected: 3, actual: 2 } });
    await expect(reading).rejects.toThrow(
      /shard 0 on b\d is missing, shard 1 on b\d is corrupt, shard 4 on b\d is corrupt/,
    );
  });

  it('calls what backends that are away may have unreachable, and not lost', async () => {
    const spread = spreadOver(5);
    const { pack } = await written(spread);
    for (const index of [0, 1, 2]) await HARM.unreachable(spread, pack, index);
    const reading = spread.packs.read(pack, { offset: 0, length: 10 });
    await expect(reading).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', kind: 'unavailable' });
  });

  it('calls a pack of which no shard is anywhere gone', async () => {
    const spread = spreadOver(5);
    const { pack } = await written(spread);
    await spread.packs.delete(pack);
    expect(await spread.packs.read(pack, { offset: 0, length: 10 })).toBeUndefined();
    expect(await spread.packs.open(pack)).toBeUndefined();
    for (const backend of spread.backends) expect(await backend.list()).toEqual([]);
  });

  it('tells of shards it did without', async () => {
    const spread = spreadOver(5);
    const { pack } = await written(spread);
    await HARM.gone(spread, pack, 0);
    await spread.packs.read(pack, { offset: 0, length: 10 });
    expect(spread.losses).toMatchObject([{ index: 0, place: pack.places?.[0], reason: 'missing' }]);
  });

  it('asks others when a backend is slow, and when it never answers', async () => {
    const spread = spreadOver(5, { policy: { hedgeMs: 10 } });
    const { pack, bytes } = await written(spread);
    const never = new Promise<never>(() => undefined);
    spread.holder(pack, 0).fail({ call: 'get', how: 'wait', until: never, times: Number.POSITIVE_INFINITY });
    const whole = await spread.packs.read(pack, { offset: 0, length: bytes.length });
    expect(whole).toEqual(bytes);
    expect(spread.losses).toEqual([]);
  });

  it('asks a backend that failed lately only when it takes its shard', async () => {
    const spread = spreadOver(5);
    const { pack, bytes } = await written(spread);
    const failing = spread.holder(pack, 0);
    failing.fail({ ...BROKEN, call: 'get', times: 1 });
    const range = { offset: 0, length: 100 };
    await spread.packs.read(pack, range);
    const before = failing.trace.length;
    expect(await spread.packs.read(pack, range)).toEqual(bytes.subarray(0, 100));
    expect(failing.trace.length).toBe(before);
    for (const index of [1, 2]) await HARM.gone(spread, pack, index);
    expect(await spread.packs.read(pack, range)).toEqual(bytes.subarray(0, 100));
    expect(failing.trace.length).toBeGreaterThan(before);
  });

  it('does without a shard of another stripe under the right name, and one that holds stale bytes', async () => {
    const spread = spreadOver(5);
    const [first, second] = [await written(spread), await written(spread)];
    const key = shardKey(first.pack, 0);
    const other = await spread.holder(second.pack, 0).get(shardKey(second.pack, 0));
    await spread.holder(first.pack, 0).put(key, other ?? new Uint8Array(0));
    const range = { offset: 0, length: first.bytes.length };
    expect(await spread.packs.read(first.pack, range, { verified: true })).toEqual(first.bytes);
    expect((await spread.packs.openWhole(first.pack))?.bytes).toEqual(first.bytes);
    expect(spread.losses[0]).toMatchObject({ index: 0, reason: 'corrupt' });
  });

  it('believes most shards where nothing else is known of a pack, and none that was forged', async () => {
    const spread = spreadOver(5);
    const { pack, bytes } = await written(spread, 1000);
    // A whole other encoding of a pack of the same name: sound in itself.
    const forger = spreadOver(5);
    const made = packOf(1000, 2);
    const forged = await forger.packs.write({ ...made, header: { ...made.header, pack: pack.id } });
    const blob = await forger.holder(forged, 0).get(shardKey(forged, 0));
    await spread.holder(pack, 0).put(shardKey(pack, 0), blob ?? new Uint8Array(0));
    const { id, class: packClass } = pack;
    expect((await spread.packs.openWhole({ id, class: packClass }))?.bytes).toEqual(bytes);
  });

  it('finds shards that lie elsewhere than anybody knows', async () => {
    const spread = spreadOver(5);
    const { pack, bytes } = await written(spread);
    const { places: _, ...unplaced } = pack;
    expect(await spread.packs.read(unplaced, { offset: 5, length: 50 })).toEqual(bytes.subarray(5, 55));
    const { id, class: packClass } = pack;
    expect((await spread.packs.open({ id, class: packClass }))?.descriptor).toEqual(pack);
  });
});
