import { isStoreError, type StoreError } from '../../errors/store-error.ts';
import { FINDINGS_LISTED_MAX } from '../../limits.ts';
import type { SnapshotContent } from '../../objects/index.ts';
import type { Progress } from '../types.ts';
import { type SnapshotFailure, type SnapshotReport, toFailure } from './snapshot-types.ts';

/** Counts what goes into a snapshot, and tells how far it is. */
export class SnapshotTally {
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #skipped: Record<string, number> = {};
  #failures: SnapshotFailure[] = [];
  #failed = 0;
  files = 0;
  folders = 0;
  links = 0;
  bytes = 0;
  unchanged = 0;
  /** Of entries: see the report. */
  consistent: boolean | undefined;

  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  addFile(size: number, { unchanged }: { readonly unchanged: boolean }): void {
    this.files += 1;
    this.bytes += size;
    if (unchanged) this.unchanged += 1;
    this.#onProgress?.({ phase: 'snapshot', done: this.files, bytes: this.bytes });
  }

  /** Begins again; what was stored meanwhile stays counted. */
  reset(): void {
    [this.files, this.folders, this.links, this.bytes, this.unchanged, this.#failed] = [0, 0, 0, 0, 0, 0];
    this.#skipped = {};
    this.#failures = [];
  }

  skip(reason: string): void {
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1;
  }

  fail(path: string, error: StoreError): void {
    this.#failed += 1;
    if (this.#failures.length < FINDINGS_LISTED_MAX) this.#failures.push(toFailure(path, error));
  }

  /** What was counted elsewhere. */
  addFailures(count: number, listed: readonly SnapshotFailure[]): void {
    this.#failed += count;
    this.#failures.push(...listed.slice(0, FINDINGS_LISTED_MAX - this.#failures.length));
  }

  report(
    id: string,
    content: SnapshotContent,
    stored: { readonly newBytes: number; readonly storedBytes: number },
  ): SnapshotReport {
    return Object.freeze({
      ...{ id, content, files: this.files, folders: this.folders, links: this.links, bytes: this.bytes },
      unchanged: this.unchanged,
      ...(this.consistent !== undefined && { consistent: this.consistent }),
      ...stored,
      skipped: Object.freeze({ ...this.#skipped }),
      failed: this.#failed,
      failures: Object.freeze(this.#failures),
    });
  }
}

/** Whether an error is about one file only, so that the others can go on. */
export function concernsOneFile(error: unknown): error is StoreError {
  return isStoreError(
    error,
    ...(['SOURCE_NOT_FOUND', 'SOURCE_CHANGED', 'SOURCE_INVALID', 'PERMISSION_DENIED', 'OBJECT_INVALID'] as const),
    ...(['PATH_UNSAFE', 'ARCHIVE_ITEM_UNSUPPORTED'] as const),
  );
}
