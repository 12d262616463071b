import { concatBytes } from '../bytes/bytes.ts';
import { LOOKUP_BATCH_CHUNKS } from '../limits.ts';

const ID_BYTES = 32;

interface Asked<Found> {
  readonly ids: Uint8Array;
  readonly resolve: (found: readonly Found[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lookups of many callers as few: what is asked for while one is under way goes together into the next. Each sees a state
 * no older than its question.
 */
export class GatheredLookups<Found> {
  readonly #lookUp: (ids: Uint8Array) => Promise<readonly Found[]>;
  readonly #waiting: Asked<Found>[] = [];
  #isRunning = false;

  /** @param lookUp what is found for each id of 32 bytes, in their order */
  constructor(lookUp: (ids: Uint8Array) => Promise<readonly Found[]>) {
    this.#lookUp = lookUp;
  }

  /** @returns and throws what a lookup of these ids alone would */
  async find(ids: Uint8Array): Promise<readonly Found[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Found[]>();
    this.#waiting.push({ ids, resolve, reject });
    if (!this.#isRunning) void this.#run();
    return await promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#answer(this.#takeGroup());
    this.#isRunning = false;
  }

  #takeGroup(): readonly Asked<Found>[] {
    let bytes = 0;
    let count = 0;
    for (const { ids } of this.#waiting) {
      bytes += ids.length;
      if (count > 0 && bytes > LOOKUP_BATCH_CHUNKS * ID_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #answer(group: readonly Asked<Found>[]): Promise<void> {
    try {
      const found = await this.#lookUp(concatBytes(group.map(({ ids }) => ids)));
      let start = 0;
      for (const { ids, resolve } of group) {
        const end = start + ids.length / ID_BYTES;
        resolve(found.slice(start, end));
        start = end;
      }
    } catch (error) {
      // A damaged row is the concern of those alone who asked for it.
      if (group.length > 1) for (const asked of group) await this.#answer([asked]);
      else group[0]?.reject(error);
    }
  }
}
