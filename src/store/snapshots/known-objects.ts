import { concatBytes } from '../../bytes/bytes.ts';
import type { ObjectReference } from '../../objects/index.ts';
import { yieldToEventLoop } from '../../runtime/timers.ts';
import type { Engine } from '../engine.ts';
import { objectKeyOf } from '../objects/object-reader.ts';
import type { Scope } from '../scope.ts';

interface Question {
  readonly key: Uint8Array;
  readonly resolve: (known: boolean) => void;
  readonly reject: (error: unknown) => void;
}

const BATCH = 1024;

/**
 * Answers whether objects are there, many questions with one look at the metadata: what is asked while one is under way
 * goes with the next.
 */
export class KnownObjects {
  readonly #engine: Engine;
  readonly #scope: Scope;
  #waiting: Question[] = [];
  #asking: Promise<void> | undefined;

  constructor(engine: Engine, scope: Scope) {
    this.#engine = engine;
    this.#scope = scope;
  }

  has(reference: ObjectReference): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#waiting.push({ key: objectKeyOf(this.#scope.namespace, reference), resolve, reject });
    this.#asking = this.#asking ?? this.#askAll();
    return promise;
  }

  async #askAll(): Promise<void> {
    // After everything that is asked in this turn.
    await yieldToEventLoop();
    while (this.#waiting.length > 0) await this.#ask(this.#waiting.splice(0, BATCH));
    // In the same turn as the last look: who asks later finds nobody asking.
    this.#asking = undefined;
  }

  async #ask(questions: readonly Question[]): Promise<void> {
    try {
      const keys = questions.map(({ key }) => key);
      const known = await this.#engine.metadata.hasObjects(concatBytes(keys), keys[0]?.length ?? 1);
      for (const [index, { resolve }] of questions.entries()) resolve(known[index] === true);
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }
}
