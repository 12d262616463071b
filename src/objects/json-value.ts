import { OBJECT_BYTES_MAX, OBJECT_DEPTH_MAX } from '../limits.ts';
import { objectInvalid, type Place } from './object-error.ts';

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/**
 * Copies a value that must be plain JSON; the copy is frozen all through, so that it stays what was checked, and has its
 * names in canonical order. Every property is read once: a value that answers differently the second time cannot get past
 * the checks. Iterative.
 *
 * Refused are `undefined`, functions, symbols, bigints, numbers that are not finite, lone surrogates, the name
 * `__proto__`, sparse arrays, arrays with further properties, instances of classes, cycles, and values that are nested
 * deeper than `OBJECT_DEPTH_MAX` or surely larger than `OBJECT_BYTES_MAX`. -0 becomes 0, which is how it is written.
 * @param what what the value is, for messages
 * @throws `invalid/OBJECT_INVALID` naming the place
 */
export function copyJson(value: unknown, what: string): JsonValue {
  return new JsonCopier(what).copy(value);
}

/** Copies that hold names which JavaScript moves to the front of an object, whatever their order was. */
const reordered = new WeakSet<object>();
const INDEX_NAME = /^(?:0|[1-9]\d{0,9})$/;

/** Whether a value that {@link copyJson} made, or a part of one, has all its names in canonical order. */
export function isInOrder(copy: JsonValue): boolean {
  return typeof copy !== 'object' || copy === null || !reordered.has(copy);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Frame {
  readonly source: Readonly<Record<string | number, unknown>>;
  readonly target: Record<string | number, JsonValue>;
  /** Names of an object; an array has none. */
  readonly names: readonly string[] | undefined;
  readonly count: number;
  index: number;
}

class JsonCopier {
  readonly #what: string;
  readonly #frames: Frame[] = [];
  readonly #open = new Set<object>();
  /** What the copy has at least as text: bounds the work for values that hold one part again and again. */
  #bytesLeast = 0;

  constructor(what: string) {
    this.#what = what;
  }

  copy(value: unknown): JsonValue {
    const result = this.#enter(value);
    for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
      if (frame.index === frame.count) {
        Object.freeze(frame.target);
        this.#open.delete(frame.source);
        this.#frames.pop();
        continue;
      }
      const step = frame.names?.[frame.index] ?? frame.index;
      frame.index += 1;
      frame.target[step] = this.#enter(frame.source[step]);
    }
    return result;
  }

  /** @returns what stands for the value in the copy; what a container holds follows */
  #enter(value: unknown): JsonValue {
    this.#count(1);
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return this.#text(value, 'holds a lone surrogate');
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw this.#error('is a number that JSON does not have');
      return value === 0 ? 0 : value;
    }
    if (typeof value !== 'object') throw this.#error(`is ${typeof value === 'undefined' ? '' : 'a '}${typeof value}`);
    return Array.isArray(value) ? this.#enterArray(value) : this.#enterObject(value);
  }

  #enterArray(source: readonly unknown[]): JsonValue {
    if (Object.keys(source).length !== source.length) throw this.#error('is a sparse array, or has further properties');
    const target: JsonValue[] = [];
    this.#push({ source: source as never, target: target as never, names: undefined, count: source.length, index: 0 });
    return target;
  }

  #enterObject(source: object): JsonValue {
    const prototype: unknown = Object.getPrototypeOf(source);
    // An object of another realm has another Object.prototype, which is the end of its chain too.
    if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
      throw this.#error('is an instance of a class');
    }
    if (Object.getOwnPropertySymbols(source).length > 0) throw this.#error('has a symbol for a name');
    // RFC 8785, section 3.2.3: by UTF-16 code units, which is how `sort` compares.
    const names = Object.keys(source).sort();
    const target: Record<string, JsonValue> = {};
    this.#push({ source: source as never, target, names, count: names.length, index: 0 });
    for (const name of names) this.#name(name);
    return target;
  }

  #name(name: string): void {
    this.#text(name, 'has a name with a lone surrogate');
    // As a name it would change what other code, and other languages, read.
    if (name === '__proto__') throw this.#error('has the name __proto__');
    if (INDEX_NAME.test(name)) for (const { target } of this.#frames) reordered.add(target);
  }

  #push(frame: Frame): void {
    if (this.#open.has(frame.source)) throw this.#error('holds itself');
    if (this.#frames.length === OBJECT_DEPTH_MAX) throw this.#error(`is nested deeper than ${OBJECT_DEPTH_MAX} levels`);
    this.#open.add(frame.source);
    this.#frames.push(frame);
  }

  #text(text: string, problem: string): string {
    this.#count(text.length + 2);
    if (!text.isWellFormed()) throw this.#error(problem);
    return text;
  }

  #count(bytes: number): void {
    this.#bytesLeast += bytes;
    if (this.#bytesLeast > OBJECT_BYTES_MAX) {
      throw objectInvalid(this.#what, `has more than ${OBJECT_BYTES_MAX} bytes`);
    }
  }

  #error(problem: string): Error {
    let place: Place = { step: this.#what };
    // Of every open container the step that was taken last; of the innermost one there may be none yet.
    for (const { names, index } of this.#frames) {
      if (index > 0) place = { within: place, step: names?.[index - 1] ?? index - 1 };
    }
    return objectInvalid(place, problem);
  }
}
