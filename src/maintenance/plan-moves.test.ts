import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../backend/index.ts';
import type { PackRow } from '../metadata/contract.ts';
import { BackendLink } from '../placement/backend-link.ts';
import { BackendSet } from '../placement/backend-set.ts';
import { systemClock } from '../runtime/clock.ts';
import { planMoves } from './plan-moves.ts';

function backends(count: number, map: readonly number[] = []): BackendSet {
  const links = Array.from({ length: count }, (_, at) => {
    const facts = {
      number: at + 1,
      name: `disk${at + 1}`,
      domain: `disk${at + 1}`,
      weight: 1,
      mode: 'active',
    } as const;
    return new BackendLink({ facts, backend: new MemoryBackend(), clock: systemClock });
  });
  return new BackendSet(links, { map });
}

function pack(places: readonly number[], [k, m]: readonly [number, number]): PackRow {
  const stripe = { id: new Uint8Array(16), k, m, roots: new Uint8Array((k + m) * 32) };
  const row = {
    number: 1,
    id: new Uint8Array(16).fill(7),
    class: 'data',
    packBytes: 1,
    storedBytes: 1,
    places,
    stripe,
  };
  return row as unknown as PackRow;
}

function movesOf(...parts: Parameters<typeof planMoves>): readonly string[] {
  return planMoves(...parts).map(({ index, from, to }) => `${index}: ${from.facts.number} to ${to.facts.number}`);
}

describe('the moves of a pack', () => {
  it('are none where its shards lie as they would be placed now', () => {
    expect(movesOf(pack([1, 2, 3], [2, 1]), backends(3))).toEqual([]);
    expect(movesOf(pack([3, 1, 2], [2, 1]), backends(3, [1, 2, 3]))).toEqual([]);
  });

  it('take what lies together apart', () => {
    expect(movesOf(pack([1, 1, 2], [2, 1]), backends(3))).toEqual(['1: 1 to 3']);
  });

  it('go where the map says', () => {
    expect(movesOf(pack([1, 2, 3], [2, 1]), backends(4, [2, 3, 4]))).toEqual(['0: 1 to 4']);
  });

  it('empty a backend, mapped or not, as far as there is room elsewhere', () => {
    expect(movesOf(pack([1, 2, 3], [2, 1]), backends(4), 2)).toEqual(['1: 2 to 4']);
    expect(movesOf(pack([1, 2, 3], [2, 1]), backends(4, [1, 2, 3]), 2)).toEqual(['1: 2 to 4']);
    expect(movesOf(pack([1], [1, 0]), backends(1), 1)).toEqual([]);
  });
});
