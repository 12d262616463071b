import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DAMAGES,
  damageShard,
  everyBlob,
  forgedShard,
  memoryOf,
  PaperBooks,
  type TestBackends,
  testBackends,
  writeStripe,
} from '../../test/support/striped-packs.ts';
import { storeError } from '../errors/store-error.ts';
import { shardKey } from '../format/index.ts';
import type { BackendLink } from './backend-link.ts';
import { type HealOptions, healStripe, type StripeHealing } from './heal-stripe.ts';
import { inspectStripe } from './inspect-stripe.ts';
import { Patience } from './patience.ts';
import type { PlacedStripe } from './stripe-reader.ts';

const PACK_BYTES = 200_000;
const KM = { k: 3, m: 2 } as const;

async function striped(count = 5): Promise<{ backends: TestBackends; stripe: PlacedStripe; books: PaperBooks }> {
  const backends = testBackends(count);
  const stripe = await writeStripe(backends, KM, { packBytes: PACK_BYTES, seed: 1 });
  return { backends, stripe, books: new PaperBooks(stripe) };
}

async function heal(
  { set }: TestBackends,
  stripe: PlacedStripe,
  options: Partial<HealOptions> & { readonly books: PaperBooks },
): Promise<StripeHealing> {
  const patience = options.patience ?? new Patience(2000);
  const now = { ...stripe, places: [...options.books.places] };
  const inspection = await inspectStripe(set, now, { depth: 'whole', patience });
  return await healStripe(set, inspection, { readBack: 'frame', patience, ...options });
}

const codesOf = ({ unhealed }: StripeHealing): readonly string[] => unhealed.map(({ error }) => error.code);

describe('healStripe', () => {
  it.each(DAMAGES)('makes a shard anew that is %s, where it was', async (damage) => {
    const { backends, stripe, books } = await striped();
    const before = await everyBlob(backends);
    await damageShard(backends, stripe, { index: 2, damage });
    expect(await everyBlob(backends)).not.toEqual(before);
    const { healed, unhealed } = await heal(backends, stripe, { books });
    const place = stripe.places[2];
    expect(healed).toEqual([{ index: 2, from: place, to: place, made: true }]);
    expect(unhealed).toEqual([]);
    expect(await everyBlob(backends)).toEqual(before);
  });

  it('writes nothing where nothing is wrong', async () => {
    const { backends, stripe, books } = await striped();
    for (const faulty of backends.faulty) faulty.trace.length = 0;
    expect(await heal(backends, stripe, { books })).toEqual({ healed: [], unhealed: [], bytesWritten: 0 });
    expect(backends.faulty.flatMap(({ trace }) => trace.filter((call) => call.startsWith('put')))).toEqual([]);
  });

  it('heals whatever up to m shards suffered, to the last byte; of more it tells and writes over nothing', async () => {
    const damages = fc.uniqueArray(
      fc.record({
        index: fc.nat({ max: 4 }),
        damage: fc.constantFrom(...DAMAGES.filter((damage) => damage !== 'of another index')),
        at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      }),
      { minLength: 1, maxLength: 5, selector: ({ index }) => index },
    );
    const property = fc.asyncProperty(damages, fc.constantFrom(5, 6, 3), async (list, count) => {
      const { backends, stripe, books } = await striped(count);
      const before = await everyBlob(backends);
      for (const one of list) await damageShard(backends, stripe, one);
      const damaged = await everyBlob(backends);
      const healing = await heal(backends, stripe, { books });
      if (list.length > KM.m) {
        expect(codesOf(healing)).toEqual(list.map(() => 'SHARDS_INSUFFICIENT'));
        expect(await everyBlob(backends)).toEqual(damaged);
      } else {
        expect(healing).toMatchObject({ unhealed: [], healed: { length: list.length } });
        expect(await everyBlob(backends)).toEqual(before);
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('never lets a forged shard decide: the roots of the stripe do', async () => {
    const { backends, stripe, books } = await striped();
    for (const index of [0, 4]) await damageShard(backends, stripe, { index, damage: 'forged' });
    const before = await everyBlob(backends);
    await heal(backends, stripe, { books });
    const after = await everyBlob(backends);
    const forged = [0, 4].map((index) => Buffer.from(forgedShard(stripe, index)).toString('hex'));
    expect(Object.values(before).filter((blob) => forged.includes(blob))).toHaveLength(2);
    expect(Object.values(after).filter((blob) => forged.includes(blob))).toEqual([]);
  });

  it('puts swapped shards right', async () => {
    const { backends, stripe, books } = await striped();
    const before = await everyBlob(backends);
    const [a, b] = [0, 3].map((index) => ({ memory: memoryOf(backends, stripe, index), key: shardKey(stripe, index) }));
    const [first, second] = [await a?.memory.get(a.key), await b?.memory.get(b.key)];
    await a?.memory.put(a.key, second as Uint8Array);
    await b?.memory.put(b.key, first as Uint8Array);
    expect((await heal(backends, stripe, { books })).healed).toHaveLength(2);
    expect(await everyBlob(backends)).toEqual(before);
  });

  it('finds a shard that was moved to another backend, and writes nothing', async () => {
    const { backends, stripe, books } = await striped(6);
    const spare = [1, 2, 3, 4, 5, 6].find((number) => !stripe.places.includes(number)) as number;
    const key = shardKey(stripe, 1);
    const memory = memoryOf(backends, stripe, 1);
    await backends.memories[spare - 1]?.put(key, (await memory.get(key)) as Uint8Array);
    await memory.delete(key);
    const { healed, bytesWritten } = await heal(backends, stripe, { books });
    expect(healed).toEqual([{ index: 1, from: stripe.places[1], to: spare, made: false }]);
    expect(bytesWritten).toBe(0);
    expect(books.places[1]).toBe(spare);
  });

  it('takes the place of an impostor that lies where nobody looked for the shard', async () => {
    const { backends, stripe, books } = await striped(6);
    await damageShard(backends, stripe, { index: 1, damage: 'forged' });
    const place = books.places[1] as number;
    books.places[1] = 0;
    const { healed } = await heal(backends, stripe, { books });
    expect(healed).toEqual([{ index: 1, from: 0, to: place, made: true }]);
    expect((await heal(backends, stripe, { books })).healed).toEqual([]);
  });

  it('leaves a shard alone whose backend cannot be asked', async () => {
    const { backends, stripe, books } = await striped(6);
    const away = stripe.places[0] as number;
    backends.faulty[away - 1]?.fail({ call: 'head', how: 'before', times: Number.POSITIVE_INFINITY });
    await damageShard(backends, stripe, { index: 3, damage: 'deleted' });
    const healing = await heal(backends, stripe, { books });
    expect(healing.healed).toMatchObject([{ index: 3 }]);
    expect(codesOf(healing)).toEqual(['BACKEND_IO']);
    expect(books.places[0]).toBe(away);
  });

  it('goes to another backend when one refuses, fails, lies or does not answer', async () => {
    const full = storeError('DISK_FULL', 'full');
    const faults = [
      { call: 'put', how: 'before', error: full },
      { call: 'put', how: 'after' },
      { call: 'put', how: 'torn' },
      { call: 'put', how: 'wait', until: new Promise(() => undefined) },
    ] as const;
    for (const fault of faults) {
      const { backends, stripe, books } = await striped(6);
      const place = stripe.places[2] as number;
      await damageShard(backends, stripe, { index: 2, damage: 'deleted' });
      backends.faulty[place - 1]?.fail({ ...fault, times: Number.POSITIVE_INFINITY });
      const patience = new ShortPatience(1000);
      const { healed, unhealed } = await heal(backends, stripe, { books, patience });
      expect(unhealed).toEqual([]);
      expect(healed).toMatchObject([{ index: 2, from: place, made: true }]);
      expect(books.places[2]).not.toBe(place);
    }
  });

  it('believes no backend that says it took a shard and has not', async () => {
    const { backends, stripe, books } = await striped(6);
    const place = stripe.places[2] as number;
    await damageShard(backends, stripe, { index: 2, damage: 'deleted' });
    const memory = backends.memories[place - 1];
    if (memory) memory.put = async () => undefined;
    const { healed } = await heal(backends, stripe, { books });
    expect(healed[0]?.to).not.toBe(place);
    expect(await backends.memories[(healed[0]?.to ?? 0) - 1]?.get(shardKey(stripe, 2))).toBeDefined();
  });

  it('puts nothing on backends that are read-only or draining', async () => {
    for (const mode of ['read-only', 'draining'] as const) {
      const { backends, stripe, books } = await striped(6);
      const place = stripe.places[2] as number;
      await damageShard(backends, stripe, { index: 2, damage: 'flipped' });
      const link = backends.set.find(place) as BackendLink;
      Object.assign(link.facts, { mode });
      const { healed } = await heal(backends, stripe, { books });
      expect(healed).toMatchObject([{ index: 2, from: place }]);
      expect(healed[0]?.to).not.toBe(place);
    }
  });

  it('waits for a backend rather than put more on one than an even spread would', async () => {
    const { backends, stripe, books } = await striped(5);
    const place = stripe.places[2] as number;
    await damageShard(backends, stripe, { index: 2, damage: 'deleted' });
    backends.faulty[place - 1]?.fail({ call: 'put', how: 'before', times: Number.POSITIVE_INFINITY });
    const healing = await heal(backends, stripe, { books });
    expect(healing.healed).toEqual([]);
    expect(codesOf(healing)).toEqual(['BACKEND_IO']);
  });

  it('does nothing about a stripe that others changed meanwhile', async () => {
    const { backends, stripe, books } = await striped(5);
    await damageShard(backends, stripe, { index: 2, damage: 'deleted' });
    books.isCurrent = async () => false;
    expect(await heal(backends, stripe, { books })).toEqual({ healed: [], unhealed: [], bytesWritten: 0 });
  });

  it('takes back what it put for a stripe that is gone by then', async () => {
    const { backends, stripe, books } = await striped(5);
    await damageShard(backends, stripe, { index: 2, damage: 'deleted' });
    const before = await everyBlob(backends);
    books.place = async () => 'gone';
    expect((await heal(backends, stripe, { books })).healed).toEqual([]);
    expect(await everyBlob(backends)).toEqual(before);
  });

  it('two at once end with every shard at one place, and good', async () => {
    const { backends, stripe, books } = await striped(6);
    const before = Object.values(await everyBlob(backends)).toSorted();
    for (const index of [0, 1]) await damageShard(backends, stripe, { index, damage: 'deleted' });
    await Promise.all([heal(backends, stripe, { books }), heal(backends, stripe, { books })]);
    expect(Object.values(await everyBlob(backends)).toSorted()).toEqual(before);
    const now = { ...stripe, places: books.places };
    const { losses } = await inspectStripe(backends.set, now, { depth: 'whole', patience: new Patience(2000) });
    expect(losses).toEqual([]);
  });

  it('makes large shards in bounded pieces, and copies', async () => {
    for (const [redundancy, packBytes] of [
      [{ k: 2, m: 1 }, 9_000_001],
      [{ k: 1, m: 2 }, 1000],
    ] as const) {
      const backends = testBackends(4);
      const stripe = await writeStripe(backends, redundancy, { packBytes, seed: 5 });
      const before = await everyBlob(backends);
      await damageShard(backends, stripe, { index: 0, damage: 'flipped' });
      await heal(backends, stripe, { books: new PaperBooks(stripe), readBack: 'whole' });
      expect(await everyBlob(backends)).toEqual(before);
    }
  });
});

/** Does not wait long for puts either. */
class ShortPatience extends Patience {
  override ask<T>(...[link, work, options]: Parameters<typeof Patience.prototype.ask<T>>): Promise<T> {
    return super.ask(link, work, { ...options, timeoutMs: 50 });
  }
}
