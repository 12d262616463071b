import type { DirectoryItem } from '../format/types.ts';

/** Where the state that a checkpoint holds stands in the journal. */
export interface CheckpointPlace {
  readonly commit: number;
  /** Of the journal record of that commit. */
  readonly digest: Uint8Array;
  /** That the record names. */
  readonly incarnation: Uint8Array;
}

export interface CheckpointStart extends CheckpointPlace {
  /** Which reading it is, for the calls that go on with it. */
  readonly reading: number;
  /** The first record that was not known to be in a journal pack: chunks that rode in it and later ones are found there. */
  readonly first: number;
  /** Of the metadata. */
  readonly writer: Uint8Array;
}

/**
 * Checkpoints: a part of the metadata contract. The whole state goes out as pages (`format/checkpoint.ts`), all of one
 * commit however long it takes, and comes back from them.
 */
export interface Checkpoints {
  /**
   * Begins to read the state as it is now. Commits go on meanwhile.
   * @returns `undefined` when nothing was ever committed
   */
  beginCheckpoint(): Promise<CheckpointStart | undefined>;
  /**
   * The next page, encoded; `undefined` when the last one was given. What was read is compared with what was kept of each table
   * while running: state from which a row is missing is no state to go back to.
   * @throws `corrupt/METADATA_CORRUPT`, `denied/NAMESPACE_KEY_GONE` (that and every later call)
   */
  checkpointPage(reading: number): Promise<Uint8Array | undefined>;
  /** To be called however a reading ends: until then the files of the metadata grow with every commit. */
  endCheckpoint(reading: number): Promise<void>;

  /**
   * Takes over a page, in their order, while nothing was ever committed here. Items are where the directories of their
   * packs say, which follow. Rows of a namespace that has no key any more are left out: it was dropped.
   * @throws `corrupt/JOURNAL_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
   */
  restorePage(page: Uint8Array): Promise<void>;
  /** Directory of a pack in which items are found. */
  restoreDirectory(packId: Uint8Array, items: readonly DirectoryItem[]): Promise<void>;
  /**
   * After the last page: the state is that of the place from now on. Items in packs without a directory leave it, as
   * they do when a record is replayed whose pack is gone.
   */
  endRestore(place: CheckpointPlace): Promise<void>;
}
