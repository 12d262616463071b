import { type Fail, formatUnsupported } from './damage.ts';

/**
 * Takes the values of a decoded CBOR array apart in order, each checked for its shape. Ends with `end()`, which refuses
 * values left over: an older reader must not skip what it does not know.
 */
export class Fields {
  readonly #values: readonly unknown[];
  readonly #fail: Fail;
  #next = 0;

  constructor(value: unknown, fail: Fail) {
    if (!Array.isArray(value)) fail('holds something else where an array belongs');
    this.#values = value as readonly unknown[];
    this.#fail = fail;
  }

  #take(what: string): unknown {
    if (this.#next >= this.#values.length) this.#fail(`ends before its ${what}`);
    const value = this.#values[this.#next];
    this.#next += 1;
    return value;
  }

  /** A safe integer in `[min, max]`; default: not negative. */
  integer(what: string, bounds: { readonly min?: number; readonly max?: number } = {}): number {
    return checkedInteger(this.#take(what), { what, fail: this.#fail, ...bounds });
  }

  /** A byte string of exactly `length` bytes. */
  bytes(what: string, length: number): Uint8Array {
    return this.bytesBetween(what, { min: length, max: length });
  }

  bytesBetween(what: string, bounds: { readonly min: number; readonly max: number }): Uint8Array {
    const value = this.#take(what);
    if (!(value instanceof Uint8Array)) return this.#fail(`has a ${what} that is no byte string`);
    if (value.length < bounds.min || value.length > bounds.max) {
      this.#fail(`has a ${what} of ${value.length} bytes, not ${bounds.min} to ${bounds.max}`);
    }
    return value;
  }

  list(what: string): readonly unknown[] {
    const value = this.#take(what);
    if (!Array.isArray(value)) return this.#fail(`has a ${what} that is no array`);
    return value;
  }

  /** Integers in `[min, max]`, as many as `count` when given. */
  integers(
    what: string,
    bounds: { readonly min?: number; readonly max?: number; readonly count?: number } = {},
  ): readonly number[] {
    const values = this.list(what);
    if (bounds.count !== undefined && values.length !== bounds.count) {
      this.#fail(`has ${values.length} values of ${what}, not ${bounds.count}`);
    }
    for (const value of values) checkedInteger(value, { what, fail: this.#fail, ...bounds });
    return values as readonly number[];
  }

  /** What `read` takes, or `undefined` for a null in its place. */
  nullable<T>(what: string, read: () => T): T | undefined {
    if (this.#values[this.#next] !== null) return read();
    this.#take(what);
    return undefined;
  }

  /** Any value; the caller checks its shape. */
  any(what: string): unknown {
    return this.#take(what);
  }

  /** The version, always the first value. @throws `unsupported/FORMAT_UNSUPPORTED` for any but the known ones */
  version(component: string, known: number | readonly number[]): number {
    const version = this.integer('version', { min: 1 });
    const isKnown = typeof known === 'number' ? version === known : known.includes(version);
    if (!isKnown) throw formatUnsupported(component, `version ${version}`);
    return version;
  }

  end(): void {
    if (this.#next !== this.#values.length) this.#fail(`has ${this.#values.length - this.#next} values too many`);
  }
}

interface IntegerRules {
  readonly what: string;
  readonly fail: Fail;
  readonly min?: number;
  readonly max?: number;
}

function checkedInteger(value: unknown, rules: IntegerRules): number {
  const { what, fail, min = 0, max = Number.MAX_SAFE_INTEGER } = rules;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return fail(`has a ${what} that is no integer`);
  if (value < min || value > max) fail(`has the ${what} ${value}, not ${min} to ${max}`);
  return value;
}
