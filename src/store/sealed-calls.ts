import type { Engine } from './engine.ts';
import { type Keychain, needKeychain } from './keychain.ts';
import type { StoreCalls } from './scoped-calls.ts';
import type { CallOptions } from './types.ts';

type Work<T> = (keychain: Keychain, engine: Engine) => Promise<T>;

/** Calls that only a sealed store answers. */
export class SealedCalls {
  readonly #parts: StoreCalls;

  constructor(parts: StoreCalls) {
    this.#parts = parts;
  }

  /** @throws `closed/STORE_CLOSED`, `denied/STORE_NOT_SEALED`, and what `work` throws */
  async call<T>(options: CallOptions, work: Work<T>): Promise<T> {
    const { calls, engine } = this.#parts;
    this.#parts.assertOpen();
    options.signal?.throwIfAborted();
    const operation = engine.operations?.begin();
    try {
      return await calls.run(async () => await work(needKeychain(engine.keychain), engine));
    } finally {
      operation?.end();
    }
  }

  /** @throws `denied/READ_ONLY`, `closed/STORE_POISONED`, and as `call` */
  change<T>(options: CallOptions, work: Work<T>): Promise<T> {
    return this.call(options, (keychain, engine) => {
      engine.assertWritable();
      return work(keychain, engine);
    });
  }
}
