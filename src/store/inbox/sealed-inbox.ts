import { argumentRangeError, argumentTypeError } from '../../errors/argument-error.ts';
import { isMessageId } from '../../format/index.ts';
import { INBOX_POLL_MS } from '../../limits.ts';
import { every } from '../../runtime/timers.ts';
import type { AdoptReport, Inbox } from '../key-types.ts';
import type { SealedCalls } from '../sealed-calls.ts';
import type { CallOptions, Logger, ProgressOptions } from '../types.ts';
import { type AdoptOptions, adoptAll, removeMessage } from './adopt-all.ts';

type Adopted = Pick<AdoptReport, 'adopted' | 'entries' | 'bytes'>;

const NOTHING: Adopted = { adopted: 0, entries: 0, bytes: 0 };

function sumOf(one: Adopted, other: Adopted): Adopted {
  return {
    adopted: one.adopted + other.adopted,
    entries: one.entries + other.entries,
    bytes: one.bytes + other.bytes,
  };
}

/** See `Inbox`. While a store is open for writing it also adopts by itself. */
export class SealedInbox implements Inbox {
  readonly #calls: SealedCalls;
  readonly #logger: Logger | undefined;
  readonly #stop = new AbortController();
  /** Messages that were refused here, which are not read again unless somebody asks. */
  readonly #refused = new Set<string>();
  /** Adopted in the background, and not told to anybody who asked. */
  #untold: Adopted = NOTHING;
  #adopting: Promise<unknown> = Promise.resolve();
  #polling: { stop(): void } | undefined;
  #isPolling = false;

  constructor(calls: SealedCalls, logger: Logger | undefined) {
    this.#calls = calls;
    this.#logger = logger;
  }

  async adopt(options: ProgressOptions = {}): Promise<AdoptReport> {
    const report = await this.#adopt(options);
    const { adopted, entries, bytes } = this.#untold;
    this.#untold = NOTHING;
    return Object.freeze({ ...report, adopted, entries, bytes });
  }

  /**
   * Before anything is deleted: what was left here counts on chunks that were there then. What was refused is not tried
   * again, and told to nobody: it is no put that anybody was promised.
   */
  async adoptForGc(): Promise<void> {
    const report = await this.#adopt({ skip: new Set(this.#refused) });
    this.#untold = sumOf(this.#untold, report);
  }

  discard(messageId: string, options: CallOptions = {}): Promise<boolean> {
    return this.#calls.change(options, async (_keychain, { backend }) => {
      if (typeof messageId !== 'string') throw argumentTypeError('messageId', 'a string', messageId);
      if (!isMessageId(messageId)) throw argumentRangeError('messageId', '32 hex digits', messageId);
      // Not while it is being adopted: its parts would be gone before its head.
      return await this.#alone(() => removeMessage(backend, messageId));
    });
  }

  /** Begins to adopt in the background: now, and again and again. */
  start(): void {
    this.#polling ??= every(INBOX_POLL_MS, () => this.#poll());
    this.#poll();
  }

  /** Ends background work; what is under way stops at its next step, and is a call that closing waits for. */
  stop(): void {
    this.#polling?.stop();
    this.#stop.abort();
  }

  #poll(): void {
    if (this.#isPolling || this.#stop.signal.aborted) return;
    this.#isPolling = true;
    void this.#adoptQuietly().finally(() => {
      this.#isPolling = false;
    });
  }

  async #adoptQuietly(): Promise<void> {
    try {
      const known = new Set(this.#refused);
      const { refused } = await this.#adopt({ signal: this.#stop.signal, skip: known });
      for (const { message, code } of refused) this.#logger?.warn('an inbox message was refused', { message, code });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // The messages stay: the next round, or whoever asks, tries again.
      this.#logger?.warn('the inbox could not be adopted', { error });
    }
  }

  #adopt(options: AdoptOptions): Promise<AdoptReport> {
    return this.#calls.change(options, (keychain, engine) =>
      this.#alone(async () => {
        options.signal?.throwIfAborted();
        const report = await adoptAll({ engine, keychain }, options);
        for (const { message } of report.refused) this.#refused.add(message);
        this.#untold = sumOf(this.#untold, report);
        return report;
      }),
    );
  }

  /** Runs after what is running, so that no message is adopted twice at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#adopting.then(work);
    this.#adopting = running.catch(() => undefined);
    return running;
  }
}
