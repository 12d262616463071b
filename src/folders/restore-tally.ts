import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { RESTORE_FAILURES_LISTED_MAX } from '../limits.ts';
import { storableTimeNs } from '../runtime/folder-system.ts';
import { itemError, pathText } from './item-error.ts';
import type { RestoreEvent, RestoreOptions, RestoreReport } from './restore-options.ts';

/** A path as reports and events give it. */
export function joined(components: readonly Buffer[]): Buffer {
  return Buffer.from(components.map((one) => one.toString('latin1')).join('/'), 'latin1');
}

/** Counts what a restore does. */
export class RestoreTally {
  readonly #options: RestoreOptions;
  readonly #counts: Record<RestoreEvent['action'], number> = {
    write: 0,
    keep: 0,
    folder: 0,
    link: 0,
    'hard-link': 0,
    remove: 0,
    failed: 0,
  };
  readonly #failures: { readonly path: Buffer; readonly error: StoreError }[] = [];
  #bytes = 0;
  #timesRounded = 0;
  #specialModesDropped = 0;

  constructor(options: RestoreOptions) {
    this.#options = options;
  }

  get failed(): number {
    return this.#counts.failed;
  }

  did(action: RestoreEvent['action'], components: readonly Buffer[], bytes?: number): void {
    this.#counts[action] += 1;
    this.#bytes += bytes ?? 0;
    this.#options.onEvent?.({ action, path: joined(components), ...(bytes !== undefined && { bytes }) });
  }

  /** Notes what cannot be restored of mode and time, and gives what can. */
  mode(mode: number): number {
    if (this.#options.specialModes) return mode & 0o7777;
    if (mode & 0o6000) this.#specialModesDropped += 1;
    return mode & 0o1777;
  }

  time(mtimeNs: bigint): bigint {
    if (storableTimeNs(mtimeNs) !== mtimeNs) this.#timesRounded += 1;
    return mtimeNs;
  }

  /**
   * Notes that an item failed, if the error is one of an item.
   * @throws any other error: an abort, a bug, or a stream of content that breaks its contract
   */
  fail(components: readonly Buffer[], error: unknown): StoreError {
    const path = joined(components);
    const told = itemError(error, pathText(path), 'write');
    if (!isStoreError(told)) throw told;
    if (this.#failures.length < RESTORE_FAILURES_LISTED_MAX) this.#failures.push({ path, error: told });
    this.did('failed', components);
    return told;
  }

  report(removalSkipped: boolean): RestoreReport {
    const counts = this.#counts;
    return {
      dryRun: this.#options.dryRun ?? false,
      files: counts.write,
      bytes: this.#bytes,
      folders: counts.folder,
      links: counts.link,
      hardLinks: counts['hard-link'],
      unchanged: counts.keep,
      removed: counts.remove,
      removalSkipped,
      timesRounded: this.#timesRounded,
      specialModesDropped: this.#specialModesDropped,
      failed: counts.failed,
      failures: this.#failures,
    };
  }
}
