import type { ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { escapeControls, formatCount, formatDuration } from '../text/format-text.ts';
import type { PutPlan } from './plan.ts';
import type { PutOutcome } from './put-target.ts';

const WAITING = 'waits in the inbox until somebody opens the store with its keys';

/** Tells what became of each input of a `put`, and of all of them. */
export class PutReport {
  readonly #session: Session;
  readonly #plan: PutPlan;
  readonly #meter: ProgressMeter;
  #put = 0;
  #skipped = 0;
  #failed = 0;
  #bytes = 0;
  #newBytes = 0;
  #storedBytes = 0;
  #waits = false;

  constructor(session: Session, plan: PutPlan, meter: ProgressMeter) {
    this.#session = session;
    this.#plan = plan;
    this.#meter = meter;
  }

  /** Whether what is put waits in the inbox, for whoever has the keys. */
  expectWaiting(waits: boolean): void {
    this.#waits = waits;
  }

  async done(path: string, result: PutOutcome): Promise<void> {
    this.#put += 1;
    this.#bytes += result.size;
    this.#newBytes += result.newBytes;
    this.#storedBytes += result.storedBytes ?? 0;
    const text = (): string => `${this.#session.shown(result.key)}  ${result.digest}  ${formatBytes(result.size)}`;
    await this.#session.confirm({ ...result, path, ...(this.#waits && { waiting: true }) }, text);
  }

  skipped(path: string, reason: string): void {
    this.#skipped += 1;
    const { json, quiet } = this.#session.options;
    if (quiet) return;
    const line = json
      ? JSON.stringify({ skipped: { path, reason } })
      : `holdfast: skipped ${escapeControls(path)}: ${reason}`;
    this.#session.terminal.note(line);
  }

  failed(error: unknown): void {
    this.#failed += 1;
    // Among many results a hint after each failure would be noise.
    if (this.#plan.hasFolder || this.#plan.roots.length > 1) this.#session.report(error);
    else this.#session.fail(error);
  }

  /**
   * The last word.
   * @param complete false when an error ended the run before its end: then it is a note beside the error
   */
  async summary(complete: boolean): Promise<void> {
    const { json, quiet } = this.#session.options;
    const several = this.#plan.hasFolder || this.#put + this.#skipped + this.#failed > 1;
    if (quiet) return;
    if (this.#waits && this.#put > 0 && !json) await this.#session.conclude(WAITING);
    if (!several) return;
    const counts = { put: this.#put, skipped: this.#skipped, failed: this.#failed };
    const sizes = { bytes: this.#bytes, newBytes: this.#newBytes, storedBytes: this.#storedBytes };
    if (json) this.#session.terminal.note(JSON.stringify({ summary: { ...counts, ...sizes } }));
    else if (complete) await this.#session.conclude(this.#sentence());
    else this.#session.terminal.note(`holdfast: stopped after ${this.#sentence()}`);
  }

  #sentence(): string {
    const counts = `${formatCount(this.#put)} put, ${formatCount(this.#skipped)} skipped, ${formatCount(this.#failed)} failed`;
    const stored = this.#waits ? '' : `, ${formatBytes(this.#storedBytes)} stored`;
    const sizes = `${formatBytes(this.#bytes)}, ${formatBytes(this.#newBytes)} new${stored}`;
    const seconds = this.#meter.elapsedSeconds;
    const speed = seconds >= 1 ? ` in ${formatDuration(seconds)}, ${formatBytes(this.#bytes / seconds)}/s` : '';
    return `${counts}: ${sizes}${speed}`;
  }
}
