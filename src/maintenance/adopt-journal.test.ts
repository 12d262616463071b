import { describe, expect, it } from 'vitest';
import { createPackId, encodeJournalRecord, type Operation, type PackDescriptor } from '../format/index.ts';
import type { Metadata, ReplayStep } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { JournalAdopter } from './adopt-journal.ts';
import type { JournalPack } from './journal-reader.ts';

const ZEROS = new Uint8Array(32);
const SIXTEEN = ZEROS.subarray(0, 16);
const ITEMS_IN_A_PACK = 30_000;

function descriptor(ordinal: number, journal?: PackDescriptor['journal']): PackDescriptor {
  const stripe = { id: SIXTEEN, k: 1, m: 0, roots: ZEROS };
  const packClass = journal ? 'journal' : 'data';
  const id = createPackId(ZEROS.subarray(0, 8), ordinal);
  return { id, class: packClass, packBytes: 1000, storedBytes: 1300, stripe, ...(journal && { journal }) };
}

/** A journal pack in which every commit adds a pack. */
function journalOf(commits: number, { time = 0 } = {}): JournalPack {
  const entries = Array.from({ length: commits }, (_, index) => {
    const operations: Operation[] = [{ type: 'pack-add', pack: descriptor(index + 1) }];
    const record = { commit: index + 1, previous: ZEROS, incarnation: SIXTEEN, time, operations };
    return { commit: index + 1, record: encodeJournalRecord(record), inline: [] };
  });
  return { descriptor: descriptor(0, { incarnation: SIXTEEN, firstCommit: 1, lastCommit: commits }), entries };
}

describe('a replay', () => {
  it('holds a bounded number of items at a time, however many small chunks the packs have', async () => {
    const items = Array.from({ length: ITEMS_IN_A_PACK });
    const replays: number[] = [];
    const metadata = {
      head: async () => ({ commit: 0, digest: ZEROS, incarnation: SIXTEEN, flushed: 0 }),
      outbox: async () => [],
      markFlushed: async () => undefined,
      replay: async (_: unknown, steps: readonly ReplayStep[]) => {
        replays.push(steps.flatMap((step) => step.directories).length);
      },
    } as unknown as Metadata;
    const packs = { open: async () => ({ items }) } as unknown as PackStore;
    const adopter = new JournalAdopter({ metadata, packs, onUnreadable: () => undefined });
    await adopter.add(journalOf(10));
    await adopter.replayBefore(11);
    expect(replays).toEqual([3, 3, 3, 1]);
  });

  it('refuses two journal packs that tell of one commit differently', async () => {
    const metadata = {
      head: async () => ({ commit: 0, digest: ZEROS, incarnation: SIXTEEN, flushed: 0 }),
      outbox: async () => [],
      replay: async () => undefined,
    } as unknown as Metadata;
    const packs = { open: async () => ({ items: [] }) } as unknown as PackStore;
    const adopter = new JournalAdopter({ metadata, packs, onUnreadable: () => undefined });
    const [one, other] = [journalOf(3), journalOf(3, { time: 1 })];
    await adopter.add(one);
    await adopter.add({ ...other, entries: other.entries.slice(1) });
    const refusal = { kind: 'corrupt', code: 'JOURNAL_FORK', details: { commit: 2 } };
    await expect(adopter.replayBefore(4)).rejects.toMatchObject(refusal);
  });
});
