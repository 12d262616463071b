import { Semaphore } from '../runtime/semaphore.ts';
import { fitsQuota, quotaError } from './quota.ts';

/** What is being asked for; `growthBytes` is the new size less the old one. */
export interface QuotaRequest {
  readonly key?: string;
  readonly growthBytes: number;
  /** Bytes by which this call may pass the quota. */
  readonly overdraftBytes: number;
}

/** Room that a put has been promised, until it has made its change or given up. */
export interface QuotaClaim {
  /**
   * Makes the change the room was for, as `QuotaLedger.record`; when it is made, its bytes are stored, not promised.
   */
  record(change: () => Promise<number>): Promise<void>;
  /** Gives back what was not used; nothing after `record` succeeded. */
  release(): void;
}

/**
 * Counts the bytes of all blobs of a folder against a quota, without listing the folder for every put.
 *
 * The count starts with one listing and follows every change made here. Another process may change the folder too, so
 * it is taken anew before a put is refused, and near the quota (less than a tenth left) after every hundredth of the
 * quota written. Changes and counting exclude each other, else a listing would see a change that is added again.
 */
export class QuotaLedger {
  readonly quotaBytes: number;
  readonly #count: () => Promise<number>;
  readonly #changing = new Semaphore(1);
  #storedBytes = 0;
  #claimedBytes = 0;
  #writtenSinceCount = 0;
  #recounting: Promise<number> | undefined;

  /** @param count lists the folder and sums up the sizes of its blobs */
  constructor(quotaBytes: number, count: () => Promise<number>) {
    this.quotaBytes = quotaBytes;
    this.#count = count;
  }

  /**
   * Promises room for a value that is about to be written.
   * @throws `exhausted/QUOTA_EXCEEDED`
   */
  async claim(request: QuotaRequest): Promise<QuotaClaim> {
    const { growthBytes } = request;
    const quotaBytes = this.quotaBytes + request.overdraftBytes;
    const demand = () => ({ ...request, quotaBytes, usedBytes: this.#storedBytes + this.#claimedBytes });
    if (this.#isStale() || !fitsQuota(demand())) await this.recount();
    if (!fitsQuota(demand())) throw quotaError(demand());
    let claimed = Math.max(0, growthBytes);
    this.#claimedBytes += claimed;
    const release = () => {
      this.#claimedBytes -= claimed;
      claimed = 0;
    };
    // Released in the same step that stores: counted twice even for a moment, the bytes would refuse somebody else's
    // put.
    return { record: (change) => this.#record(change, release), release };
  }

  /** Runs a change of the folder; `change` tells by how many bytes it grew. */
  async record(change: () => Promise<number>): Promise<void> {
    await this.#record(change, () => undefined);
  }

  /** Counts anew; callers at once share one count. @returns the bytes of all blobs */
  async recount(): Promise<number> {
    this.#recounting ??= this.#recount().finally(() => {
      this.#recounting = undefined;
    });
    return this.#recounting;
  }

  async #record(change: () => Promise<number>, made: () => void): Promise<void> {
    await this.#changing.acquire();
    try {
      const growth = await change();
      this.#storedBytes += growth;
      this.#writtenSinceCount += Math.max(0, growth);
      made();
    } finally {
      this.#changing.release();
    }
  }

  async #recount(): Promise<number> {
    await this.#changing.acquire();
    try {
      this.#storedBytes = await this.#count();
      this.#writtenSinceCount = 0;
      return this.#storedBytes;
    } finally {
      this.#changing.release();
    }
  }

  #isStale(): boolean {
    return this.#storedBytes > this.quotaBytes * 0.9 && this.#writtenSinceCount > this.quotaBytes * 0.01;
  }
}
