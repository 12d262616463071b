/** Changes of a store as plain data: made at random from a seed, made again in a map that says what must be there. */
import type { SeededRandom } from '../../src/testing/index.ts';
import { noise } from './contents.ts';

/** What an entry holds, small enough to be reported and kept: the bytes follow from it. */
export interface Content {
  readonly bytes: number;
  readonly seed: number;
  /** Incompressible, or one short text again and again. */
  readonly noise: boolean;
  /** Under a key of its own, in a sealed store. */
  readonly isolated?: boolean;
}

export type Change =
  | { readonly type: 'put'; readonly key: string; readonly content: Content }
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'rename' | 'copy'; readonly from: string; readonly to: string };

/** One call of a store: a change by itself, or several in a batch. */
export interface Operation {
  readonly changes: readonly Change[];
  readonly batch: boolean;
}

/** What every key names. */
export type Model = Map<string, Content>;

/** The bytes of a content, the same every time. */
export function bytesOf(content: Content): Uint8Array {
  if (content.noise) return noise(content.bytes, content.seed);
  const line = Buffer.from(`line of the content with the seed ${content.seed}\n`);
  return new Uint8Array(Buffer.alloc(content.bytes, line));
}

/** Makes the changes of an operation in a model. */
export function applyTo(model: Model, { changes }: Operation): void {
  for (const change of changes) {
    if (change.type === 'put') model.set(change.key, change.content);
    else if (change.type === 'delete') model.delete(change.key);
    else {
      const content = model.get(change.from);
      if (content === undefined) throw new Error(`the model has no ${change.from}`);
      if (change.type === 'rename') model.delete(change.from);
      model.set(change.to, content);
    }
  }
}

/** Sizes of one kind of content, from `min` bytes on, and how often it is drawn among the others. */
interface SizeClass {
  readonly weight: number;
  readonly min: number;
  readonly max: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const TINY: SizeClass = { weight: 60, min: 0, max: 3 * KIB };
/** Around the most that rides in a commit. */
const EDGE: SizeClass = { weight: 12, min: 60 * KIB, max: 72 * KIB };
const MEDIUM: SizeClass = { weight: 20, min: 100 * KIB, max: 2 * MIB };
/** More than one full pack. */
const LARGE: SizeClass = { weight: 8, min: 17 * MIB, max: 34 * MIB };

/** One put of so many is isolated where that is asked for. */
const ISOLATED_ODDS = 6;

/** Few seeds, so that content repeats and is found again while another operation is still writing it. */
const CONTENT_SEEDS = 400;

/** What a seed stands for in a class: the size follows from it too, or hardly any content would come again. */
function contentIn({ min, max }: SizeClass, seed: number): Content {
  return { bytes: min + ((seed * 104_729) % (max - min)), seed, noise: seed % 3 !== 0 };
}

/** Whether some bytes are a content that is ever drawn. */
export function isContent(bytes: Uint8Array): boolean {
  const classes = [TINY, EDGE, MEDIUM, LARGE].filter(({ min, max }) => min <= bytes.length && bytes.length < max);
  return classes.some((some) =>
    Array.from({ length: CONTENT_SEEDS }, (_, seed) => contentIn(some, seed)).some(
      (content) => content.bytes === bytes.length && Buffer.compare(bytesOf(content), bytes) === 0,
    ),
  );
}

/** Draws operations on keys of its own, all of them possible in the state that the ones before have led to. */
export class OperationSource {
  readonly #random: SeededRandom;
  readonly #keys: readonly string[];
  readonly #classes: readonly SizeClass[];
  readonly #model: Model;
  readonly #isolates: boolean;

  /** @param model is changed with every operation that is drawn */
  constructor(
    random: SeededRandom,
    options: {
      readonly keys: readonly string[];
      readonly model: Model;
      readonly large: boolean;
      /** Whether some puts are isolated. Default false. */
      readonly isolates?: boolean;
    },
  ) {
    this.#random = random;
    this.#keys = options.keys;
    this.#model = options.model;
    this.#isolates = options.isolates === true;
    this.#classes = [TINY, EDGE, MEDIUM, ...(options.large ? [LARGE] : [])];
  }

  next(): Operation {
    const batch = this.#random.integer(6) === 0;
    const count = batch ? 2 + this.#random.integer(5) : 1;
    const changes: Change[] = [];
    for (let index = 0; index < count; index += 1) {
      const change = this.#change(batch ? [TINY, EDGE, MEDIUM] : this.#classes);
      applyTo(this.#model, { changes: [change], batch: false });
      changes.push(change);
    }
    return { changes, batch };
  }

  #change(classes: readonly SizeClass[]): Change {
    const there = [...this.#model.keys()];
    const draw = this.#random.integer(10);
    const from = there[this.#random.integer(Math.max(1, there.length))];
    if (from === undefined || draw < 6) return { type: 'put', key: this.#key(), content: this.#content(classes) };
    if (draw < 8) return { type: 'delete', key: from };
    const to = this.#key();
    if (to === from) return { type: 'delete', key: from };
    // A copy would share the key of an isolated entry.
    const moves = draw === 8 || this.#model.get(from)?.isolated === true;
    return { type: moves ? 'rename' : 'copy', from, to };
  }

  #key(): string {
    return this.#keys[this.#random.integer(this.#keys.length)] as string;
  }

  #content(classes: readonly SizeClass[]): Content {
    const total = classes.reduce((sum, { weight }) => sum + weight, 0);
    let draw = this.#random.integer(total);
    const chosen = classes.find(({ weight }) => {
      draw -= weight;
      return draw < 0;
    }) as SizeClass;
    const content = contentIn(chosen, this.#random.integer(CONTENT_SEEDS));
    const isolated = this.#isolates && this.#random.integer(ISOLATED_ODDS) === 0;
    return { ...content, ...(isolated && { isolated }) };
  }
}
