import { storeError } from '../../errors/store-error.ts';
import { READ_AHEAD_BYTES, SERVER_READ_AHEAD_BYTES } from '../../limits.ts';
import type { Settings } from '../settings.ts';

/** Counts the requests that are being answered, in all and for each caller. */
export class Admission {
  readonly #limits: Settings['limits'];
  readonly #ofCaller = new Map<string, number>();
  #all = 0;

  constructor(limits: Settings['limits']) {
    this.#limits = limits;
  }

  /**
   * @returns what is to be called, once or more, when the request is answered to its last byte
   * @throws `unavailable/REQUESTS_EXCEEDED`
   */
  enter(caller: string): () => void {
    const own = this.#ofCaller.get(caller) ?? 0;
    if (this.#all >= this.#limits.requestsMax) throw storeError('REQUESTS_EXCEEDED', 'the server is busy');
    if (own >= this.#limits.requestsOfCallerMax) throw storeError('REQUESTS_EXCEEDED', 'too many requests at once');
    this.#all += 1;
    this.#ofCaller.set(caller, own + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#leave(caller);
    };
  }

  /** Bytes that a download which begins now may fetch ahead: whoever never reads keeps them for as long as they may. */
  get readAheadBytes(): number {
    return Math.min(READ_AHEAD_BYTES, Math.floor(SERVER_READ_AHEAD_BYTES / Math.max(1, this.#all)));
  }

  #leave(caller: string): void {
    this.#all -= 1;
    const left = (this.#ofCaller.get(caller) ?? 0) - 1;
    if (left > 0) this.#ofCaller.set(caller, left);
    else this.#ofCaller.delete(caller);
  }
}
