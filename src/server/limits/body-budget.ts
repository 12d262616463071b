import { storeError } from '../../errors/store-error.ts';
import type { Settings } from '../settings.ts';

/** What one request holds of the budget; disposing it gives all of that back. */
export interface HeldBytes extends Disposable {
  /** @throws `unavailable/REQUESTS_EXCEEDED` */
  add(bytes: number): void;
}

/** Bounds the bytes of bodies that are held whole while they are answered, in all and for each caller. */
export class BodyBudget {
  readonly #limits: Settings['limits'];
  readonly #ofCaller = new Map<string, number>();
  #all = 0;

  constructor(limits: Settings['limits']) {
    this.#limits = limits;
  }

  /** Bytes are counted as they come: a length that is only promised holds nothing. */
  open(caller: string): HeldBytes {
    let held = 0;
    return {
      add: (bytes) => {
        this.#take(caller, bytes);
        held += bytes;
      },
      [Symbol.dispose]: () => {
        this.#change(caller, -held);
        held = 0;
      },
    };
  }

  #take(caller: string, bytes: number): void {
    const { jsonHeldBytesMax, jsonHeldBytesOfCallerMax } = this.#limits;
    const own = (this.#ofCaller.get(caller) ?? 0) + bytes;
    if (this.#all + bytes > jsonHeldBytesMax) throw storeError('REQUESTS_EXCEEDED', 'the server is busy');
    if (own > jsonHeldBytesOfCallerMax)
      throw storeError('REQUESTS_EXCEEDED', 'too many bytes of JSON in requests at once');
    this.#change(caller, bytes);
  }

  #change(caller: string, bytes: number): void {
    this.#all += bytes;
    const own = (this.#ofCaller.get(caller) ?? 0) + bytes;
    if (own > 0) this.#ofCaller.set(caller, own);
    else this.#ofCaller.delete(caller);
  }
}
