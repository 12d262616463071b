/** What jobs over shards tell: plain values, the same in the library, on the command line and as JSON. */
import { toHex } from '../bytes/bytes.ts';
import type { StoreError } from '../errors/store-error.ts';
import { FINDINGS_LISTED_MAX } from '../limits.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';

/**
 * How a job over shards ended. `ok`: all of it was done, and all is well. `damaged`: what should be there is not.
 * `partial`: something was left out that was to be done, and nothing else is wrong.
 */
export type JobOutcome = 'ok' | 'damaged' | 'partial';

/** A shard that is not what it should be, where it should be. */
export interface ShardFinding {
  readonly packId: string;
  readonly index: number;
  /** Name of the backend that should have it; absent where no backend does. */
  readonly backend?: string;
  /**
   * `missing`: not there; `corrupt`: there, and not the shard; `unreachable`: its backend could not be asked, so the
   * shard may be as good as ever.
   */
  readonly state: 'missing' | 'corrupt' | 'unreachable';
  /** Code of the error that says more. */
  readonly code: string;
  readonly message: string;
}

/** A shard that was given back. */
export interface RepairedShard {
  readonly index: number;
  /** Name of the backend that had it, or was meant to; absent where it lay nowhere. */
  readonly from?: string;
  /** Name of the backend that has it now. */
  readonly to: string;
}

/** A pack that got shards back. */
export interface PackRepair {
  readonly packId: string;
  readonly shards: readonly RepairedShard[];
  /** Written; 0 where the shards were found elsewhere. */
  readonly bytes: number;
}

/** Lists things up to a bound, and counts the rest. */
export class BoundedList<T extends object> {
  readonly #listed: T[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get listed(): readonly T[] {
    return Object.freeze([...this.#listed]);
  }

  add(item: T): void {
    this.#count += 1;
    if (this.#listed.length < FINDINGS_LISTED_MAX) this.#listed.push(Object.freeze(item));
  }
}

/** A lost shard as reports list it: what is said of it names it, also where the error was about its bytes alone. */
export function findingOf(pack: Uint8Array, loss: ShardLoss, error: StoreError): ShardFinding {
  const { index, backend, reason: state } = loss;
  const packId = toHex(pack);
  const shard = `shard ${index} of pack ${packId}${backend === undefined ? '' : ` on backend ${backend}`}`;
  const message = error.message.includes(packId) ? error.message : `${shard}: ${error.message}`;
  return { packId, index, ...(backend !== undefined && { backend }), state, code: error.code, message };
}
