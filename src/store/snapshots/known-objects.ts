import type { Engine } from '../engine.ts';
import { objectKeyOf } from '../objects/object-reader.ts';
import type { Scope } from '../scope.ts';
import type { ObjectReference } from '../../objects/index.ts';

interface Question {
  readonly key: Uint8Array;
  readonly resolve: (known: boolean) => void;
  readonly reject: (error: unknown) => void;
}

const BATCH = 512;

/** Answers whether objects are there, many questions with one look at the metadata. */
export class KnownObjects {
  readonly #engine: Engine;
  readonly #scope: Scope;
  #waiting: Question[] = [];
  #scheduled = false;

  constructor(engine: Engine, scope: Scope) {
    this.#engine = engine;
    this.#scope = scope;
  }

  has(reference: ObjectReference): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#waiting.push({ key: objectKeyOf(this.#scope.namespace, reference), resolve, reject });
    if (this.#waiting.length >= BATCH) void this.#ask();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      // After everything that is asked in this turn.
      setImmediate(() => void this.#ask());
    }
    return promise;
  }

  async #ask(): Promise<void> {
    const questions = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    if (questions.length === 0) return;
    try {
      const rows = await this.#engine.metadata.getObjects(questions.map(({ key }) => key));
      for (const [index, { resolve }] of questions.entries()) resolve(rows[index] !== undefined);
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }
}
