import { toHex } from '../../src/bytes/bytes.ts';
import type { DirectoryItem, PackDescriptor } from '../../src/format/index.ts';
import { JournalAdopter } from '../../src/maintenance/adopt-journal.ts';
import type { JournalEntry } from '../../src/maintenance/journal-reader.ts';
import type { FlushedJournal, Metadata, OutboxRow } from '../../src/metadata/contract.ts';
import type { PackStore } from '../../src/placement/pack-store.ts';
import { idOf, packOf, type SamplePack, striped } from './metadata-samples.ts';

export interface SampleJournalPack {
  readonly pack: PackDescriptor;
  readonly entries: readonly JournalEntry[];
}

/** What lies on the backend of a store that exists only in its metadata: directories of packs, and journal packs. */
export class SampleJournal {
  readonly #directories = new Map<string, readonly DirectoryItem[]>();
  readonly #journalPacks = new Map<string, SampleJournalPack>();
  #packs = 0;

  /** Ordinals that jump up and down: nothing may depend on which of two packs has the lesser id. */
  #nextOrdinal(): number {
    this.#packs += 1;
    return (this.#packs * 7919) % 10_007;
  }

  /** A new pack of chunks (or of manifests), not known to any metadata yet; with `places` a stripe 2+m. */
  write(ids: readonly Uint8Array[], packClass: 'data' | 'meta' = 'data', places?: readonly number[]): SamplePack {
    const plain = packOf(this.#nextOrdinal(), ids, packClass);
    const sample = places ? striped(plain, 2, places) : plain;
    this.#directories.set(toHex(sample.pack.id), sample.items);
    return sample;
  }

  directory(packId: Uint8Array): readonly DirectoryItem[] | undefined {
    return this.#directories.get(toHex(packId));
  }

  journalPack(packId: Uint8Array): SampleJournalPack | undefined {
    return this.#journalPacks.get(toHex(packId));
  }

  /** Deletes the blob of a pack. */
  delete(packId: Uint8Array): void {
    this.#directories.delete(toHex(packId));
    this.#journalPacks.delete(toHex(packId));
  }

  /** A journal pack with these records and the chunks that rode in them. The metadata is not told. */
  writeJournal(incarnation: Uint8Array, rows: readonly OutboxRow[]): FlushedJournal {
    const [first, last] = [rows[0], rows.at(-1)];
    if (!first || !last) throw new Error('a journal pack holds records');
    const journal = { incarnation, firstCommit: first.commit, lastCommit: last.commit };
    const ids = rows.flatMap((row) => row.inline.flatMap(({ items }) => items.map(({ id }) => id)));
    const { pack, items } = packOf(this.#nextOrdinal(), ids, 'journal', journal);
    let next = 0;
    const entries = rows.map(({ commit, record, inline }) => {
      const count = inline.reduce((sum, { items: { length } }) => sum + length, 0);
      const own = items.slice(next, next + count);
      next += count;
      return { commit, record, inline: own };
    });
    this.#journalPacks.set(toHex(pack.id), { pack, entries });
    const carrying = entries.filter(({ inline }) => inline.length > 0);
    return { pack, inline: carrying.map(({ commit, inline }) => ({ commit, items: inline })) };
  }

  /** Writes what is in the outbox after `commit` (up to `last`) as one journal pack; `undefined` when there is nothing. */
  async flush(metadata: Metadata, range: { after?: number; last?: number } = {}): Promise<FlushedJournal | undefined> {
    const { after = 0, last = Number.POSITIVE_INFINITY } = range;
    const rows = (await metadata.outbox(after, 2 ** 30)).filter(({ commit }) => commit <= last);
    if (rows.length === 0) return undefined;
    return this.writeJournal((await metadata.head()).incarnation, rows);
  }

  /** One journal pack with the records of others, their chunks left out. */
  mergeJournal(packs: readonly SampleJournalPack[]): FlushedJournal {
    const entries = new Map(packs.flatMap((pack) => pack.entries).map((entry) => [entry.commit, entry]));
    const rows = [...entries.values()].toSorted((a, b) => a.commit - b.commit);
    const incarnation = packs[0]?.pack.journal?.incarnation ?? idOf('none').slice(0, 16);
    return this.writeJournal(
      incarnation,
      rows.map(({ commit, record }) => ({ commit, record, inline: [] })),
    );
  }

  /** Journal packs by first commit, then last, then id: in no other order does each follow on those before it. */
  get listing(): readonly SampleJournalPack[] {
    const place = ({ pack }: SampleJournalPack) => pack.journal ?? { firstCommit: 0, lastCommit: 0 };
    return [...this.#journalPacks.values()].toSorted(
      (a, b) =>
        place(a).firstCommit - place(b).firstCommit ||
        place(a).lastCommit - place(b).lastCommit ||
        Buffer.compare(a.pack.id, b.pack.id),
    );
  }

  /** Adopts one journal pack the way recovery does. */
  async adopt(metadata: Metadata, pack: SampleJournalPack): Promise<void> {
    await this.#adoptAll(metadata, [pack]);
  }

  /** Adopts everything that lies here, the way recovery does. */
  async recover(metadata: Metadata): Promise<void> {
    await this.#adoptAll(metadata, this.listing);
  }

  async #adoptAll(metadata: Metadata, journal: readonly SampleJournalPack[]): Promise<void> {
    const open = async ({ id }: PackDescriptor) => {
      const items = this.directory(id);
      return items && { items };
    };
    const packs = { open } as unknown as PackStore;
    const adopter = new JournalAdopter({ metadata, packs, onUnreadable: () => undefined });
    for (const { pack, entries } of journal) {
      await adopter.replayBefore(pack.journal?.firstCommit ?? 0);
      await adopter.add({ descriptor: pack, entries });
    }
    await adopter.replayBefore(Number.POSITIVE_INFINITY);
  }
}
