import { describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/seeded-random.ts';
import { type Candidate, choosePlaces } from './choose-places.ts';

const SEED = 7;

function candidates(weights: readonly number[], domains: readonly string[] = []): Candidate[] {
  return weights.map((weight, at) => ({
    number: at + 1,
    name: `b${at + 1}`,
    domain: domains[at] ?? `b${at + 1}`,
    weight,
  }));
}

function place(all: readonly Candidate[], shards: number, packId: Uint8Array): readonly number[] {
  return choosePlaces(all, { packId, shards, count: shards, taken: [], all });
}

describe('choosing places', () => {
  it(`gives each backend its share by weight (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const all = candidates([1, 1, 2, 4]);
    const counts = new Map<number, number>();
    const draws = 8000;
    for (let draw = 0; draw < draws; draw += 1) {
      const [number = 0] = place(all, 1, random.bytes(16));
      counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    for (const { number, weight } of all) {
      expect((counts.get(number) ?? 0) / draws).toBeCloseTo(weight / 8, 1.5);
    }
  });

  it('always gives one pack the same places, and moves few when a backend is added', () => {
    const random = seededRandom(SEED);
    const [few, more] = [candidates([1, 1, 1, 1, 1, 1]), candidates([1, 1, 1, 1, 1, 1, 1])];
    let moved = 0;
    for (let draw = 0; draw < 500; draw += 1) {
      const packId = random.bytes(16);
      const before = place(few, 3, packId);
      expect(place(few, 3, packId)).toEqual(before);
      moved += place(more, 3, packId).filter((number) => !before.includes(number)).length;
    }
    expect(moved / (500 * 3)).toBeCloseTo(1 / 7, 1);
  });

  it('puts no more into a domain than an even spread would, and leaves the rest for later', () => {
    const all = candidates([1, 1, 1, 1], ['x', 'x', 'y', 'z']);
    const packId = new Uint8Array(16);
    const numbers = place(all, 5, packId);
    const inX = numbers.filter((number) => number <= 2).length;
    expect(inX).toBeLessThanOrEqual(2);
    expect(numbers).not.toContain(0);
    const reached = all.slice(0, 3);
    const waiting = choosePlaces(reached, { packId, shards: 5, count: 5, taken: [], all });
    expect(waiting.filter((number) => number === 0)).toHaveLength(1);
    expect(waiting.at(-1)).toBe(0);
  });

  it('counts what is there already', () => {
    const all = candidates([1, 1, 1]);
    const taken = all.slice(0, 2);
    expect(choosePlaces(all, { packId: new Uint8Array(16), shards: 3, count: 1, taken, all })).toEqual([3]);
    expect(choosePlaces([], { packId: new Uint8Array(16), shards: 3, count: 1, taken, all })).toEqual([0]);
  });
});
