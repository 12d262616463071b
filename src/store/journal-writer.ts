import { invariant } from '../errors/store-error.ts';
import { type DirectoryItem, PackBuilder } from '../format/index.ts';
import type { FlushedJournal, Head, Metadata, OutboxRow } from '../metadata/contract.ts';
import { frameJournalRecord } from '../pipeline/journal-frame.ts';
import type { PackStore } from '../placement/pack-store.ts';
import type { Session } from './session.ts';

/** Outbox bytes of one journal pack. */
const FLUSH_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Writes the outbox into journal packs: whatever is there, also what another process left. A journal pack holds the
 * record of each commit, each followed by the chunk records that rode in it.
 */
export class JournalWriter {
  readonly #metadata: Metadata;
  readonly #packs: PackStore;
  readonly #session: Session;
  readonly #incarnation: Uint8Array;
  readonly #settleKeys: (() => Promise<void>) | undefined;
  #written: number;
  #packsWritten = 0;
  /** The flush under way: a second one at its side would write the same records again. */
  #flushing: Promise<void> = Promise.resolve();
  /** Durable, but the metadata has not been told; told with the next commit, or when the store closes. */
  #untold: FlushedJournal[] = [];

  constructor(parts: {
    readonly metadata: Metadata;
    readonly packs: PackStore;
    readonly session: Session;
    readonly head: Head;
    /** Resolves when what was sealed so far would open without the metadata. Absent in a plain store. */
    readonly settleKeys?: (() => Promise<void>) | undefined;
  }) {
    this.#metadata = parts.metadata;
    this.#packs = parts.packs;
    this.#session = parts.session;
    this.#written = parts.head.flushed;
    this.#incarnation = parts.head.incarnation;
    this.#settleKeys = parts.settleKeys;
  }

  get packsWritten(): number {
    return this.#packsWritten;
  }

  /** Journal packs to hand to the next transaction; give them back with `untold` when it did not happen. */
  takeUntold(): readonly FlushedJournal[] {
    const taken = this.#untold;
    this.#untold = [];
    return taken;
  }

  giveBack(taken: readonly FlushedJournal[]): void {
    this.#untold.unshift(...taken);
  }

  /**
   * Makes every record of the outbox durable on the backend. May spend the reserve: a full disk must not block a
   * delete.
   */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.catch(() => undefined).then(() => this.#flush());
    return this.#flushing;
  }

  /**
   * Makes every record durable that the metadata still awaits in a journal pack, also those that were written already
   * by somebody who has not told: under the keys of now.
   */
  flushAnew(): Promise<void> {
    this.#flushing = this.#flushing
      .catch(() => undefined)
      .then(async () => {
        this.#written = (await this.#metadata.head()).flushed;
        await this.#flush();
      });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    for (;;) {
      const rows = await this.#metadata.outbox(this.#written, FLUSH_BYTES_MAX);
      const last = rows.at(-1);
      if (last === undefined) return;
      await this.#settleKeys?.();
      const flushed = await this.#writePack(rows);
      // Not in one expression: what is untold may be taken, and the array replaced, while the pack is being written.
      this.#untold.push(flushed);
      this.#packsWritten += 1;
      this.#written = last.commit;
    }
  }

  async #writePack(rows: readonly OutboxRow[]): Promise<FlushedJournal> {
    const { header, key } = this.#session.newPack('journal');
    const builder = new PackBuilder(header, key && { key });
    const inline: { commit: number; items: readonly DirectoryItem[] }[] = [];
    for (const row of rows) {
      builder.add(await frameJournalRecord(row.record));
      const chunks = row.inline.flatMap((record) => builder.add({ kind: 'chunk', ...record }));
      if (chunks.length > 0) inline.push({ commit: row.commit, items: chunks });
    }
    const first = rows[0];
    const last = rows.at(-1);
    invariant(first && last, 'a journal pack holds records');
    const journal = { incarnation: this.#incarnation, firstCommit: first.commit, lastCommit: last.commit };
    const finished = { header: builder.header, ...builder.finish(), journal };
    const pack = await this.#packs.write(finished, { spendReserve: true });
    return { pack, inline };
  }
}
