/**
 * Writes checkpoints: the state of one commit, read from a snapshot beside whoever commits on, page by page into packs of
 * bounded size. The head goes last, into the last pack, when every record up to the commit is durable: before that pack is
 * durable there is no checkpoint, only packs that nobody knows.
 */
import { discardBytes } from '../bytes/discard.ts';
import { encodeCheckpointHead, PackBuilder, type PackDescriptor } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { CHECKPOINT_JOURNAL, PACK_BYTES_TARGET } from '../limits.ts';
import type { CheckpointStart, Metadata } from '../metadata/index.ts';
import { frameJournalRecord } from '../pipeline/journal-frame.ts';
import { allPacks } from './all-packs.ts';
import type { MergeContext } from './merge.ts';

export interface CheckpointContext extends Pick<MergeContext, 'metadata' | 'packs' | 'newPack' | 'signal'> {
  /** Makes the journal records of all commits so far durable, and tells the metadata so. */
  settleJournal(): Promise<void>;
  /** Array that packs are built in, one after the other, whatever it holds. Default one of its own. */
  readonly buffer?: Uint8Array | undefined;
}

/** What is written is in memory as a pack and as its shards, while the state is read, at the end of a collection perhaps. */
const PACK_BYTES = PACK_BYTES_TARGET / 4;

/** What writing a checkpoint did. */
export interface CheckpointReport {
  /** The commit whose state it is. */
  readonly commit: number;
  /** Packs that were written for it; 0 where there was one of this commit already, or nothing was ever committed. */
  readonly packs: number;
  /** Bytes of their shards on the backends. */
  readonly bytes: number;
}

/**
 * Writes a checkpoint of the state as it is now, unless there is one of the last commit.
 * @param options `anew`: even then. `packBytes`: a pack is closed when it holds so much; default 4 MiB
 * @throws `corrupt/METADATA_CORRUPT` when the state is damaged; what reading and writing throw. There is no checkpoint then
 */
export async function writeCheckpoint(
  context: CheckpointContext,
  { anew = false, packBytes = PACK_BYTES }: { readonly anew?: boolean; readonly packBytes?: number } = {},
): Promise<CheckpointReport> {
  const { metadata, packs } = context;
  const { commit } = await metadata.head();
  for await (const { journal } of allPacks(metadata, 'checkpoint'))
    if (journal?.lastCommit === commit && !anew) return { commit, ...NOTHING_WRITTEN };
  // What is flushed by now the checkpoint need not count on.
  await context.settleJournal();
  const start = await metadata.beginCheckpoint();
  if (!start) return { commit, ...NOTHING_WRITTEN };
  const written: PackDescriptor[] = [];
  try {
    await new CheckpointWriting(context, start, written).run(packBytes);
  } catch (error) {
    for (const pack of written) await packs.delete(pack);
    throw error;
  } finally {
    await metadata.endCheckpoint(start.reading);
  }
  await metadata.replay(written, []);
  const bytes = written.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  return { commit: start.commit, packs: written.length, bytes };
}

/**
 * Whether the journal has grown long since the last checkpoint: in records or bytes, and beside what another checkpoint
 * will take, so that what is written for checkpoints stays a part of what is written anyway.
 */
export async function isCheckpointDue(metadata: Metadata): Promise<boolean> {
  let [last, lastBytes, bytes] = [0, 0, 0];
  for await (const { journal, packBytes } of allPacks(metadata, 'checkpoint')) {
    const { lastCommit = 0 } = journal ?? {};
    lastBytes = lastCommit > last ? packBytes : lastBytes + (lastCommit === last ? packBytes : 0);
    last = Math.max(last, lastCommit);
  }
  for await (const { journal, packBytes } of allPacks(metadata, 'journal')) {
    if (!journal || journal.lastCommit <= last) continue;
    const { firstCommit, lastCommit } = journal;
    bytes += (packBytes * (lastCommit - Math.max(firstCommit - 1, last))) / (lastCommit - firstCommit + 1);
  }
  const { commit } = await metadata.head();
  const isLong = commit - last >= CHECKPOINT_JOURNAL.records || bytes >= CHECKPOINT_JOURNAL.bytes;
  return isLong && bytes >= lastBytes * CHECKPOINT_JOURNAL.share;
}

const NOTHING_WRITTEN = { packs: 0, bytes: 0 } as const;

class CheckpointWriting {
  readonly #context: CheckpointContext;
  readonly #start: CheckpointStart;
  readonly #written: PackDescriptor[];
  readonly #pages: Uint8Array[] = [];
  readonly #ids: Uint8Array[] = [];
  #buffer: Uint8Array | undefined;

  /** @param written is given what was written */
  constructor(context: CheckpointContext, start: CheckpointStart, written: PackDescriptor[]) {
    this.#context = context;
    this.#start = start;
    this.#written = written;
    this.#buffer = context.buffer;
  }

  async run(packBytes: number): Promise<void> {
    const { metadata, signal } = this.#context;
    let builder = await this.#begin();
    for (;;) {
      signal.throwIfAborted();
      const page = await metadata.checkpointPage(this.#start.reading);
      if (!page) break;
      this.#pages.push(blake3(page));
      const framed = await frameJournalRecord(page, 'checkpoint');
      builder.add(framed);
      if (framed.stored !== page) discardBytes(framed.stored);
      discardBytes(page);
      if (builder.bytes < packBytes) continue;
      await this.#write(builder);
      builder = await this.#begin();
    }
    const { commit, digest, incarnation, first } = this.#start;
    const sealed = builder.header.keyMode === 'sealed';
    const head = { sealed, commit, digest, incarnation, first, pages: this.#pages, packs: this.#ids };
    builder.add(await frameJournalRecord(encodeCheckpointHead(head), 'checkpoint'));
    // A checkpoint of what the journal does not say yet would be another history if this process ended now.
    await this.#context.settleJournal();
    await this.#write(builder);
  }

  async #begin(): Promise<PackBuilder> {
    const { header, key } = await this.#context.newPack('checkpoint');
    this.#ids.push(header.pack);
    return new PackBuilder(header, { ...(key && { key }), ...(this.#buffer && { buffer: this.#buffer }) });
  }

  async #write(builder: PackBuilder): Promise<void> {
    const { commit: lastCommit, first: firstCommit, writer: incarnation } = this.#start;
    const journal = { incarnation, firstCommit, lastCommit };
    const finished = builder.finish();
    this.#written.push(await this.#context.packs.write({ header: builder.header, ...finished, journal }));
    this.#buffer = new Uint8Array(finished.frame.buffer);
  }
}
