import { toHex, utf8Encode } from '../../bytes/bytes.ts';
import { argumentRangeError, argumentTypeError, checkInteger } from '../../errors/argument-error.ts';
import { invariant } from '../../errors/store-error.ts';
import { parseObjectKey } from '../../format/index.ts';
import { REF_MESSAGE_BYTES_MAX } from '../../limits.ts';
import type { MoveRow, RefRow } from '../../metadata/object-contract.ts';
import type { ObjectReference } from '../../objects/index.ts';
import type { Scope } from '../scope.ts';
import type { ScopedCalls } from '../scoped-calls.ts';
import type { CallOptions } from '../types.ts';
import { checkId, findById, referenceOfRow } from './find-object.ts';
import { objectKeyOf } from './object-reader.ts';
import type { RefInfo, RefMove, RefOptions, Refs } from './object-types.ts';
import { eachMove, eachRef, refKey, refName } from './ref-rows.ts';

/** Refs of one namespace. */
export class RefStore implements Refs {
  readonly #calls: ScopedCalls;

  constructor(calls: ScopedCalls) {
    this.#calls = calls;
  }

  set(name: string, id: string, options: RefOptions = {}): Promise<RefInfo> {
    return this.#calls.call(options, async (scope) => {
      const { engine } = this.#calls;
      const key = refKey(scope, name);
      const { reference } = await findById(engine, scope, checkId(id));
      const target = objectKeyOf(scope.namespace, reference);
      const message = checkMessage(options.message ?? '');
      const expected = await this.#expected(scope, options.expected);
      const change = { type: 'ref-set', key, target, message, ...(expected && { expected }) } as const;
      // Nothing is asked after the commit: a call that fails has not moved the ref, or says that it may have.
      const { moved } = await this.#calls.commitOne(scope, change);
      invariant(moved !== undefined, 'a ref that was set was moved at some time');
      return toRef(name, { ...reference, moved });
    });
  }

  get(name: string, options: CallOptions = {}): Promise<RefInfo | undefined> {
    return this.#calls.call(options, async (scope) => {
      const [row] = await this.#calls.engine.metadata.getRefs([refKey(scope, name)]);
      return row && (await this.#info(row));
    });
  }

  delete(name: string, options: RefOptions = {}): Promise<boolean> {
    return this.#calls.call(options, async (scope) => {
      const key = refKey(scope, name);
      const message = checkMessage(options.message ?? '');
      const expected = await this.#expected(scope, options.expected);
      const change = { type: 'ref-set', key, target: undefined, message, ...(expected && { expected }) } as const;
      return (await this.#calls.commitOne(scope, change)).existed;
    });
  }

  list(options: CallOptions & { readonly prefix?: string } = {}): AsyncIterable<RefInfo> {
    return this.#calls.stream(options, (scope) => this.#list(scope, options));
  }

  history(name: string, options: CallOptions & { readonly before?: number } = {}): AsyncIterable<RefMove> {
    return this.#calls.stream(options, (scope) => this.#history(scope, name, options));
  }

  named(options: CallOptions = {}): AsyncIterable<string> {
    return this.#calls.stream(options, (scope) => this.#named(scope));
  }

  forget(name: string, numbers: readonly number[], options: CallOptions = {}): Promise<number> {
    return this.#calls.call(options, async (scope) => {
      if (!Array.isArray(numbers)) throw argumentTypeError('numbers', 'an array of numbers', numbers);
      for (const number of numbers) checkInteger('numbers', number, { min: 1 });
      const key = refKey(scope, name);
      const change = { type: 'history-forget', history: 'move', key, numbers } as const;
      return (await this.#calls.commitOne(scope, change)).deleted ?? 0;
    });
  }

  async #expected(
    scope: Scope,
    expected: string | null | undefined,
  ): Promise<{ readonly target: Uint8Array | undefined } | undefined> {
    if (expected === undefined) return undefined;
    if (expected === null) return { target: undefined };
    const { reference } = await findById(this.#calls.engine, scope, checkId(expected, 'expected'));
    return { target: objectKeyOf(scope.namespace, reference) };
  }

  async #info(row: RefRow): Promise<RefInfo> {
    const [object] = await this.#calls.engine.metadata.getObjects([row.target]);
    invariant(object, 'a ref names an object that is there');
    const moved = new Date(row.moved).toISOString();
    return Object.freeze({ name: refName(row), id: referenceOfRow(object).id, type: object.type, moved });
  }

  /** The store keeps no order of names where they are sealed: there are few enough refs to sort them. */
  async *#list(scope: Scope, options: CallOptions & { readonly prefix?: string }): AsyncGenerator<RefInfo> {
    const { prefix = '', signal } = options;
    if (typeof prefix !== 'string') throw argumentTypeError('prefix', 'text', prefix);
    const found: (RefRow & { readonly name: string })[] = [];
    for await (const ref of eachRef({ engine: this.#calls.engine, scope, signal }))
      if (ref.name.startsWith(prefix)) found.push(ref);
    found.sort((a, b) => Buffer.compare(utf8Encode(a.name), utf8Encode(b.name)));
    for (const row of found) yield await this.#info(row);
  }

  async *#history(
    scope: Scope,
    name: string,
    options: CallOptions & { readonly before?: number },
  ): AsyncGenerator<RefMove> {
    const { before, signal } = options;
    if (before !== undefined) checkInteger('before', before, { min: 1 });
    for await (const move of eachMove({ engine: this.#calls.engine, scope, signal }, name, before))
      yield await this.#move(move);
  }

  async #move({ number, time, from, to, message }: MoveRow): Promise<RefMove> {
    const [before, after] = await Promise.all([this.#reference(from), this.#reference(to)]);
    return Object.freeze({ number, time: new Date(time).toISOString(), from: before, to: after, message });
  }

  /** What a move left behind may have been collected since it was forgotten elsewhere: its id is known all the same. */
  async #reference(key: Uint8Array | undefined): Promise<ObjectReference | null> {
    if (!key) return null;
    const [row] = await this.#calls.engine.metadata.getObjects([key]);
    if (row) return referenceOfRow(row);
    const name = parseObjectKey(key);
    invariant(name, 'a history holds object keys');
    return { type: name.objectClass === 'raw' ? 'raw' : 'bundle', id: toHex(name.digest) };
  }

  async *#named(scope: Scope): AsyncGenerator<string> {
    let after: Uint8Array | undefined;
    do {
      const query = { namespace: scope.namespace, limit: 1000, ...(after && { after }) };
      const { keys, next } = await this.#calls.engine.metadata.listHistories('move', query);
      for (const key of keys) yield refName({ key });
      after = next;
    } while (after);
  }
}

function toRef(name: string, { type, id, moved }: ObjectReference & { readonly moved: number }): RefInfo {
  return Object.freeze({ name, id, type: type === 'raw' ? 'blob' : type, moved: new Date(moved).toISOString() });
}

/** @throws `TypeError`, `RangeError` */
export function checkMessage(message: unknown): string {
  if (typeof message !== 'string' || !message.isWellFormed()) throw argumentTypeError('message', 'text', message);
  const bytes = Buffer.byteLength(message);
  if (bytes > REF_MESSAGE_BYTES_MAX)
    throw argumentRangeError('message', `at most ${REF_MESSAGE_BYTES_MAX} bytes`, bytes);
  return message;
}
