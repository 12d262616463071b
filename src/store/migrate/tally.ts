import type { Backend, BlobInfo } from '../../backend/contract.ts';
import type { ProgressOptions } from '../types.ts';
import { copiedBlobs } from './copy-blobs.ts';

/** What a move comes to. */
export interface MigrationCounts {
  /** Blobs of the source and their bytes; 0 where the bytes stay where they are. */
  readonly blobs: number;
  readonly bytes: number;
  /** Of these, what was not at the target yet. */
  readonly copiedBlobs: number;
  readonly copiedBytes: number;
}

/** Counts blobs as they come to be the same at both ends, and tells how far that is. */
export class Tally {
  readonly #options: ProgressOptions;
  #counts: MigrationCounts = { blobs: 0, bytes: 0, copiedBlobs: 0, copiedBytes: 0 };
  #total: number | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  get counts(): MigrationCounts {
    return this.#counts;
  }

  /** Counts what there is to do, so that progress has an end. */
  async expect(from: Backend): Promise<void> {
    let total = 0;
    for await (const _ of copiedBlobs(from, this.#options.signal)) total += 1;
    this.#total = total;
  }

  /** @param copied bytes, 0 where the target had the blob */
  add({ bytes }: BlobInfo, copied: number): void {
    const { blobs, bytes: before, copiedBlobs: copies, copiedBytes } = this.#counts;
    const isCopy = copied > 0 || bytes === 0;
    this.#counts = {
      ...{ blobs: blobs + 1, bytes: before + bytes },
      ...{ copiedBlobs: copies + (isCopy ? 1 : 0), copiedBytes: copiedBytes + copied },
    };
    const total = this.#total !== undefined && { total: this.#total };
    this.#options.onProgress?.({ phase: 'copy', done: blobs + 1, ...total, bytes: before + bytes });
  }
}
