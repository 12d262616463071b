import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MERGE_FAN_IN, PACK_BYTES_TARGET } from '../limits.ts';
import type { PackRow } from '../metadata/contract.ts';
import { dueJournalPacks, duePacks } from './merge-choice.ts';

const BASE = {
  liveBytes: 0,
  condemned: 0,
  packBytes: 0,
  items: 0,
  stripe: { id: new Uint8Array(16), k: 1, m: 0, roots: new Uint8Array(32) },
};

let number = 0;

function row(packClass: PackRow['class'], storedBytes: number): PackRow {
  number += 1;
  return { ...BASE, id: new Uint8Array(16), class: packClass, storedBytes, number };
}

function journal(
  firstCommit: number,
  lastCommit = firstCommit,
  options: { readonly bytes?: number; readonly life?: number } = {},
): PackRow {
  const incarnation = new Uint8Array(16).fill(options.life ?? 1);
  return { ...row('journal', options.bytes ?? 1000), journal: { incarnation, firstCommit, lastCommit } };
}

function places(packs: readonly PackRow[] | undefined): readonly (readonly [number, number])[] | undefined {
  return packs?.map((pack) => [pack.journal?.firstCommit ?? 0, pack.journal?.lastCommit ?? 0]);
}

/** Journal packs of one commit each from `first` on. */
function singles(first: number, count: number, bytes = 1000): PackRow[] {
  return Array.from({ length: count }, (_, index) => journal(first + index, first + index, { bytes }));
}

describe('data packs', () => {
  it('are due when enough of one size have gathered', () => {
    const small = Array.from({ length: MERGE_FAN_IN }, () => row('data', 20_000));
    expect(duePacks(small.slice(1))).toBeUndefined();
    expect(duePacks([row('data', 4_000_000), ...small])).toEqual(small);
  });

  it('of different sizes wait for their like', () => {
    const sizes = [1000, 20_000, 200_000, 2_000_000].flatMap((bytes) => Array<number>(MERGE_FAN_IN - 1).fill(bytes));
    expect(duePacks(sizes.map((bytes) => row('data', bytes)))).toBeUndefined();
  });

  it('are due as many as fit a full pack', () => {
    const packs = Array.from({ length: 40 }, () => row('data', PACK_BYTES_TARGET / 16));
    expect(duePacks(packs)).toHaveLength(16);
  });
});

describe('journal packs', () => {
  it('are due when enough neighbours have gathered, whatever order they come in', () => {
    expect(dueJournalPacks(singles(1, MERGE_FAN_IN - 1))).toBeUndefined();
    expect(places(dueJournalPacks(singles(1, MERGE_FAN_IN).toReversed()))).toEqual(
      singles(1, MERGE_FAN_IN).map((pack) => [pack.journal?.firstCommit, pack.journal?.lastCommit]),
    );
  });

  it('are due whatever bytes their chunks make them', () => {
    const packs = singles(1, 8).map((pack, index) => ({ ...pack, storedBytes: index % 2 === 0 ? 900 : 66_000 }));
    expect(dueJournalPacks(packs)).toHaveLength(8);
  });

  it('are left alone where one has more commits than the others together', () => {
    expect(dueJournalPacks([journal(1, 100), ...singles(101, MERGE_FAN_IN - 1)])).toBeUndefined();
  });

  it('are due as many as cost the same', () => {
    expect(dueJournalPacks(singles(1, 200))).toHaveLength(200);
  });

  it('of the fewest commits go first', () => {
    const old = Array.from({ length: MERGE_FAN_IN }, (_, index) => journal(index * 8 + 1, index * 8 + 8));
    expect(places(dueJournalPacks([...old, ...singles(65, MERGE_FAN_IN)]))?.[0]).toEqual([65, 65]);
  });

  it('merge neither over a gap nor over two lives of the metadata', () => {
    expect(dueJournalPacks([...singles(1, 7), ...singles(9, 7)])).toBeUndefined();
    const lives = [
      ...singles(1, 7),
      ...singles(8, 7).map((pack) => journal(pack.journal?.firstCommit ?? 0, undefined, { life: 2 })),
    ];
    expect(dueJournalPacks(lives)).toBeUndefined();
  });

  it('that overlap merge into one that holds them all', () => {
    const packs = [journal(1, 8), ...singles(3, 9)];
    const due = places(dueJournalPacks(packs)) ?? [];
    const first = Math.min(...due.map(([begin]) => begin));
    expect(due[0]?.[0]).toBe(first);
  });

  it('stay few and are copied seldom, however commits are grouped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 600, size: 'max' }),
        (groups) => {
          let packs: PackRow[] = [];
          let commit = 0;
          let copied = 0;
          for (const count of groups) {
            packs.push(journal(commit + 1, commit + count));
            commit += count;
            for (let due = dueJournalPacks(packs); due; due = dueJournalPacks(packs)) {
              const gone = new Set(due.map((pack) => pack.number));
              const merged = journal(due[0]?.journal.firstCommit ?? 0, due.at(-1)?.journal.lastCommit);
              copied += (merged.journal?.lastCommit ?? 0) - (merged.journal?.firstCommit ?? 0) + 1;
              packs = [...packs.filter((pack) => !gone.has(pack.number)), merged];
            }
          }
          const doublings = Math.log2(commit) + 1;
          expect(packs.length).toBeLessThanOrEqual(MERGE_FAN_IN * doublings);
          expect(copied).toBeLessThanOrEqual(commit * doublings);
        },
      ),
      { numRuns: 30 },
    );
  });
});
