import { concatBytes } from '../../bytes/bytes.ts';
import { argumentRangeError } from '../../errors/argument-error.ts';
import { invariant, isStoreError, storeError } from '../../errors/store-error.ts';
import { decodeEntry } from '../../format/index.ts';
import { parseAddress } from '../../history/address.ts';
import type { ObjectRow } from '../../metadata/object-contract.ts';
import {
  type BlobObject,
  type BundleObject,
  createBlobObject,
  createBundle,
  createSnapshot,
  createTree,
  type JsonObject,
  type ObjectReference,
  type ObjectType,
  parseObject,
  referencesOf,
  type SnapshotContent,
  type SnapshotObject,
  type StructuredObject,
  type TreeChild,
  type TreeObject,
} from '../../objects/index.ts';
import type { Source } from '../../pipeline/source.ts';
import { checkStreaming, resolveRange } from '../arguments.ts';
import type { Engine } from '../engine.ts';
import type { Scope } from '../scope.ts';
import type { ScopedCalls } from '../scoped-calls.ts';
import type { CallOptions, ProgressOptions, StreamOptions } from '../types.ts';
import { explainObject } from './explain-object.ts';
import { checkId, findById, objectNotFound, referenceOfRow, resolvePrefix } from './find-object.ts';
import { followAddress } from './follow-address.ts';
import { type FoundObject, ObjectReader } from './object-reader.ts';
import type {
  Explanation,
  FoundAddress,
  ObjectInfo,
  ObjectPutOptions,
  ObjectPutResult,
  Objects,
  ObjectsVerifyOptions,
  ObjectVerification,
} from './object-types.ts';
import { ObjectWriter, type WrittenObject } from './object-writer.ts';
import { verifyAll, verifyAlone, verifyNamed, verifyReachable } from './verify-objects.ts';

const TYPES: readonly ObjectType[] = ['blob', 'bundle', 'tree', 'snapshot'];
const PAGE = 1000;

/** What users see of an object's row. */
export function toObjectInfo(row: ObjectRow): ObjectInfo {
  const { type, id } = referenceOfRow(row);
  const { size } = decodeEntry(row.entry);
  return Object.freeze({ id, type: row.type, raw: type === 'raw', size, stored: new Date(row.stored).toISOString() });
}

/** Objects of one namespace. */
export class ObjectStore implements Objects {
  readonly #calls: ScopedCalls;

  constructor(calls: ScopedCalls) {
    this.#calls = calls;
  }

  putBlob(
    source: Source,
    options: ProgressOptions & { readonly metadata?: JsonObject } = {},
  ): Promise<ObjectPutResult> {
    const { metadata, signal, onProgress } = options;
    return this.#put(options, async (writer) => {
      const raw = await writer.putRaw(source, { signal, onProgress, verifyExisting: true });
      if (metadata === undefined) return raw;
      const content = createBlobObject({ id: raw.reference.id, size: raw.size }, metadata);
      const named = await writer.put(content, { verifyExisting: true });
      return { ...named, tally: added(raw, named) };
    });
  }

  putBundle(content: JsonObject, options: ObjectPutOptions = {}): Promise<ObjectPutResult> {
    return this.#putStructured(() => createBundle(content, options.metadata), options);
  }

  putTree(children: readonly TreeChild[], options: ObjectPutOptions = {}): Promise<ObjectPutResult> {
    return this.#putStructured(() => createTree(children, options.metadata), options);
  }

  putSnapshot(content: SnapshotContent, options: ObjectPutOptions = {}): Promise<ObjectPutResult> {
    return this.#putStructured(() => createSnapshot({ ...content, metadata: options.metadata }), options);
  }

  put(object: StructuredObject, options: CallOptions = {}): Promise<ObjectPutResult> {
    return this.#putStructured(() => parseObject(object), options);
  }

  async get(id: string, options: CallOptions = {}): Promise<StructuredObject> {
    return await this.#calls.call(options, async (scope) => {
      const { reference } = await findById(this.#calls.engine, scope, checkId(id));
      if (reference.type === 'raw') throw wrongType(reference, 'an object with a content of its own');
      return await this.#load(scope, reference, options);
    });
  }

  async getBundle(id: string, options: CallOptions = {}): Promise<BundleObject> {
    return ofType(await this.get(id, options), id, 'bundle');
  }

  async getTree(id: string, options: CallOptions = {}): Promise<TreeObject> {
    return ofType(await this.get(id, options), id, 'tree');
  }

  async getSnapshot(id: string, options: CallOptions = {}): Promise<SnapshotObject> {
    return ofType(await this.get(id, options), id, 'snapshot');
  }

  async getBlobObject(id: string, options: CallOptions = {}): Promise<BlobObject> {
    return ofType(await this.get(id, options), id, 'blob');
  }

  async getBlob(id: string, options: CallOptions = {}): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.readBlob(id, options)) pieces.push(piece);
    return concatBytes(pieces);
  }

  readBlob(id: string, options: StreamOptions = {}): AsyncIterable<Uint8Array> {
    return this.#calls.stream(options, (scope) => this.#readBlob(scope, id, options));
  }

  read(id: string, options: CallOptions = {}): AsyncIterable<Uint8Array> {
    return this.#calls.stream(options, (scope) => this.#readBytes(scope, id, options));
  }

  async has(id: string, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.stat(id, options);
      return true;
    } catch (error) {
      if (!isStoreError(error, 'OBJECT_NOT_FOUND')) throw error;
      return false;
    }
  }

  stat(id: string, options: CallOptions = {}): Promise<ObjectInfo> {
    return this.#calls.call(options, async (scope) => {
      return toObjectInfo((await findById(this.#calls.engine, scope, checkId(id))).row);
    });
  }

  list(options: CallOptions & { readonly types?: readonly ObjectType[] } = {}): AsyncIterable<ObjectInfo> {
    return this.#calls.stream(options, (scope) => this.#list(scope, options));
  }

  resolve(prefix: string, options: CallOptions = {}): Promise<ObjectInfo> {
    return this.#calls.call(options, async (scope) =>
      toObjectInfo((await resolvePrefix(this.#calls.engine, scope, prefix)).row),
    );
  }

  find(address: string, options: CallOptions & { readonly timeZone?: string } = {}): Promise<FoundAddress> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      const parsed = parseAddress(address, { now: engine.clock.now(), timeZone: options.timeZone });
      return Object.freeze(await followAddress({ engine, scope, signal: options.signal }, parsed));
    });
  }

  verify(options: ObjectsVerifyOptions = {}): Promise<ObjectVerification> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      const { address, alone = false, all = false, content = true, timeZone, signal, onProgress } = options;
      const verified = { engine, scope, content, ...(signal && { signal }), ...(onProgress && { onProgress }) };
      if (address === undefined) {
        if (alone) throw argumentRangeError('alone', 'left away without an address', alone);
        return await (all ? verifyAll(verified) : verifyNamed(verified));
      }
      if (all) throw argumentRangeError('all', 'left away with an address', all);
      const parsed = parseAddress(address, { now: engine.clock.now(), timeZone });
      const { reference } = await followAddress({ engine, scope, signal }, parsed);
      return await (alone ? verifyAlone(verified, reference) : verifyReachable(verified, reference));
    });
  }

  explain(id: string, options: CallOptions = {}): Promise<Explanation> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      const { row, reference } = await findById(engine, scope, checkId(id));
      const { signal } = options;
      const found = await explainObject({ engine, scope, signal }, reference);
      return Object.freeze({ object: toObjectInfo(row), ...found });
    });
  }

  #putStructured(make: () => StructuredObject, options: CallOptions): Promise<ObjectPutResult> {
    return this.#put(options, async (writer, scope) => {
      const object = make();
      await checkReferences(this.#calls.engine, scope, object);
      return await writer.put(object, { verifyExisting: true });
    });
  }

  #put(
    options: CallOptions,
    work: (writer: ObjectWriter, scope: Scope) => Promise<WrittenObject>,
  ): Promise<ObjectPutResult> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      engine.assertWritable();
      const writer = new ObjectWriter(engine, scope);
      try {
        const written = await work(writer, scope);
        options.signal?.throwIfAborted();
        // Of a blob with metadata there are two, and the one that names it comes last.
        const outcome = (await writer.commit()).at(-1);
        invariant(outcome, 'what was written has an outcome');
        return toPutResult(written, outcome.existed);
      } catch (error) {
        await writer.abandon();
        throw error;
      }
    });
  }

  async #load(scope: Scope, reference: ObjectReference, { signal }: CallOptions): Promise<StructuredObject> {
    const [object] = await new ObjectReader(this.#calls.engine, scope, signal).load([reference]);
    if (object === undefined) throw objectNotFound(reference.id);
    if (isStoreError(object)) throw object;
    return object;
  }

  async *#readBytes(scope: Scope, id: string, { signal }: CallOptions): AsyncGenerator<Uint8Array> {
    const { engine } = this.#calls;
    yield* new ObjectReader(engine, scope, signal).read(await findById(engine, scope, checkId(id)));
  }

  async *#readBlob(scope: Scope, id: string, options: StreamOptions): AsyncGenerator<Uint8Array> {
    const { engine } = this.#calls;
    const reader = new ObjectReader(engine, scope, options.signal);
    const found = await this.#contentOf(scope, reader, checkId(id));
    const range = resolveRange({ key: found.reference.id, size: found.value.size }, options);
    const isWhole = options.offset === undefined && options.length === undefined;
    yield* reader.read(found, { ...checkStreaming(options), ...(!isWhole && { range }) });
  }

  /** The raw blob of an id: itself, or the one that a blob with metadata names. */
  async #contentOf(scope: Scope, reader: ObjectReader, id: string): Promise<FoundObject> {
    const [raw] = await reader.find([{ type: 'raw', id }]);
    if (isStoreError(raw)) throw raw;
    if (raw) return raw;
    const { reference } = await findById(this.#calls.engine, scope, id);
    if (reference.type !== 'blob') throw wrongType(reference, 'a blob');
    const [object] = await reader.load([reference]);
    if (isStoreError(object)) throw object;
    invariant(object?.type === 'blob', 'the loader answers with the type that was asked for');
    const [content] = await reader.find([{ type: 'raw', id: object.content.id }]);
    if (isStoreError(content)) throw content;
    if (!content) throw objectNotFound(object.content.id);
    return content;
  }

  async *#list(scope: Scope, options: { readonly types?: readonly ObjectType[] }): AsyncGenerator<ObjectInfo> {
    const { types } = options;
    if (types !== undefined && !(Array.isArray(types) && types.every((type) => TYPES.includes(type)))) {
      throw argumentRangeError('types', `some of ${TYPES.join(', ')}`, String(types));
    }
    const query = { namespace: scope.namespace, limit: PAGE, ...(types && { types }) };
    let after: Uint8Array | undefined;
    do {
      const { rows, next } = await this.#calls.engine.metadata.listObjects({ ...query, ...(after && { after }) });
      for (const row of rows) yield toObjectInfo(row);
      after = next;
    } while (after);
  }
}

function added(a: WrittenObject, b: WrittenObject): WrittenObject['tally'] {
  return {
    newBytes: a.tally.newBytes + b.tally.newBytes,
    storedBytes: a.tally.storedBytes + b.tally.storedBytes,
    chunksNew: a.tally.chunksNew + b.tally.chunksNew,
    chunksKnown: a.tally.chunksKnown + b.tally.chunksKnown,
  };
}

function toPutResult({ reference, size, tally }: WrittenObject, existed: boolean): ObjectPutResult {
  const { type, id } = reference;
  return Object.freeze({
    ...{ id, type: type === 'raw' ? 'blob' : type, raw: type === 'raw', size, existed },
    newBytes: tally.newBytes,
    storedBytes: Math.max(0, Math.round(tally.storedBytes)),
  });
}

/**
 * Whether what an object refers to is there, and what it says: told before anything is stored. The commit looks again whether
 * it is there.
 * @throws `not-found/OBJECT_NOT_FOUND`, `invalid/OBJECT_WRONG_TYPE`, `corrupt/*`
 */
export async function checkReferences(engine: Engine, scope: Scope, object: StructuredObject): Promise<void> {
  const references = referencesOf(object);
  const found = await new ObjectReader(engine, scope).find(references);
  for (const [index, one] of found.entries()) {
    if (isStoreError(one)) throw one;
    const reference = references[index];
    if (!reference) continue;
    if (one === undefined) throw objectNotFound(reference.id);
    const { type } = referenceOfRow(one.row);
    if (type !== reference.type) throw wrongType({ ...reference, type }, `a ${reference.type}`);
  }
}

/** An object of another type than was asked for. */
export function wrongType({ type, id }: ObjectReference, wanted: string): Error {
  const is = type === 'raw' ? 'bytes' : `a ${type}`;
  return storeError('OBJECT_WRONG_TYPE', `object ${id} is ${is}, not ${wanted}`, {
    details: { object: id, actual: type },
  });
}

function ofType<T extends StructuredObject['type']>(
  object: StructuredObject,
  id: string,
  type: T,
): Extract<StructuredObject, { type: T }> {
  if (object.type !== type) throw wrongType({ type: object.type, id }, `a ${type}`);
  return object as Extract<StructuredObject, { type: T }>;
}
