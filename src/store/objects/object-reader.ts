import { concatBytes, fromHex, toHex } from '../../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import { decodeEntry, type EntryValue, encodeObjectKey, type ObjectClass } from '../../format/index.ts';
import type { ObjectRow } from '../../metadata/object-contract.ts';
import {
  decodeStoredObject,
  type LoadObjects,
  type ObjectReference,
  objectCorrupt,
  referenceKey,
  type StructuredObject,
} from '../../objects/index.ts';
import { contentBatches, readBatch } from '../../pipeline/small-contents.ts';
import { contentPieces, type PieceOptions } from '../content-pieces.ts';
import type { Engine } from '../engine.ts';
import type { Scope } from '../scope.ts';

/** An object that is there, whose bytes were not read yet. */
export interface FoundObject {
  readonly reference: ObjectReference;
  readonly row: ObjectRow;
  readonly value: EntryValue;
}

export function classOf({ type }: ObjectReference): ObjectClass {
  return type === 'raw' ? 'raw' : 'structured';
}

/** @param namespace that the object is in */
export function objectKeyOf(namespace: number, reference: ObjectReference): Uint8Array {
  const digest = fromHex(reference.id);
  if (!digest) throw new TypeError('ids were checked');
  return encodeObjectKey({ namespace, objectClass: classOf(reference), digest });
}

/** Objects kept decoded, by reference: trees are met again and again while paths are followed. */
const CACHED_MAX = 256;

/** Reads the objects of one scope: several at once, each proven by its id before it is believed. */
export class ObjectReader {
  readonly #engine: Engine;
  readonly #scope: Scope;
  readonly #signal: AbortSignal | undefined;
  readonly #cache = new Map<string, StructuredObject>();

  constructor(engine: Engine, scope: Scope, signal?: AbortSignal) {
    this.#engine = engine;
    this.#scope = scope;
    this.#signal = signal;
  }

  /** Gives structured objects in the order asked; what one lacks is told in its place. */
  readonly load: LoadObjects = async (references) => {
    // Taken now: what is loaded below may push it out of the cache.
    const kept = references.map((reference) => this.#cache.get(referenceKey(reference)));
    const missing = references.filter((_, index) => kept[index] === undefined);
    const fresh = new Map<string, StructuredObject | StoreError | undefined>();
    const found = await this.find(missing);
    const there = found.flatMap((one) => (one === undefined || isStoreError(one) ? [] : [one]));
    for (const [index, one] of found.entries()) {
      const reference = missing[index];
      if (reference && isStoreError(one)) fresh.set(referenceKey(reference), one);
    }
    for (const { object, reference } of await this.#decodeAll(there)) fresh.set(referenceKey(reference), object);
    for (const [key, object] of fresh) if (object && !isStoreError(object)) this.#keep(key, object);
    return references.map((reference, index) => kept[index] ?? fresh.get(referenceKey(reference)));
  };

  /** What there is for references, without reading its bytes; damage of a row in its place. */
  async find(references: readonly ObjectReference[]): Promise<readonly (FoundObject | StoreError | undefined)[]> {
    if (references.length === 0) return [];
    const keys = references.map((reference) => objectKeyOf(this.#scope.namespace, reference));
    const rows = await this.#engine.metadata.getObjects(keys);
    return references.map((reference, index) => {
      const row = rows[index];
      return row && openRow(reference, row);
    });
  }

  /** The bytes of one object, proven as they stream; a range of them where asked. */
  async *read(
    { reference, value }: FoundObject,
    options: Omit<PieceOptions, 'signal'> = {},
  ): AsyncGenerator<Uint8Array> {
    try {
      const content = { reader: this.#scope.reader, value };
      yield* contentPieces(this.#engine, content, { ...options, signal: this.#signal });
    } catch (error) {
      throw namingObject(error, reference);
    }
  }

  /**
   * Whole contents of small objects, in the order asked: what lies together is opened once for all of them.
   * @param memory as `ItemReader.read` takes it
   * @returns bytes of the caller's, or what is wrong with one
   */
  async readAll(found: readonly FoundObject[], memory?: Uint8Array[]): Promise<readonly (Uint8Array | StoreError)[]> {
    const { reader } = this.#scope;
    const contents: (Uint8Array | StoreError)[] = [];
    for (const batch of contentBatches(found.map((one) => ({ ...one, reader }))))
      contents.push(...(await this.#readTogether(batch, memory)));
    return contents;
  }

  #keep(key: string, object: StructuredObject): void {
    if (this.#cache.size >= CACHED_MAX) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(key, object);
  }

  async #decodeAll(
    found: readonly FoundObject[],
  ): Promise<readonly { readonly reference: ObjectReference; readonly object: StructuredObject | StoreError }[]> {
    const contents = await this.readAll(found);
    return found.map(({ reference }, index) => {
      const bytes = contents[index];
      return { reference, object: bytes instanceof Uint8Array ? decoded(reference, bytes) : asError(bytes) };
    });
  }

  /** When something is wrong in a batch its objects are read one by one: only what is damaged fails. */
  async #readTogether(
    batch: readonly FoundObject[],
    memory?: Uint8Array[],
  ): Promise<readonly (Uint8Array | StoreError)[]> {
    if (batch.length > 1) {
      try {
        const values = batch.map(({ value }) => value);
        return await readBatch(this.#scope.reader, values, { signal: this.#signal, memory });
      } catch (error) {
        if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      }
    }
    const contents: (Uint8Array | StoreError)[] = [];
    for (const one of batch) contents.push(await this.#readOne(one));
    return contents;
  }

  async #readOne(found: FoundObject): Promise<Uint8Array | StoreError> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of this.read(found)) pieces.push(piece);
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      return error;
    }
    return concatBytes(pieces);
  }
}

function asError(value: StoreError | undefined): StoreError {
  return value ?? storeError('INVARIANT_BROKEN', 'every object that was asked for has an answer');
}

function openRow(reference: ObjectReference, row: ObjectRow): FoundObject | StoreError {
  try {
    const value = decodeEntry(row.entry);
    if (toHex(value.digest) === reference.id) return { reference, row, value };
    return objectCorrupt(reference.id, 'has the row of another one');
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return namingObject(error, reference) as StoreError;
  }
}

function decoded(reference: ObjectReference, bytes: Uint8Array): StructuredObject | StoreError {
  try {
    return decodeStoredObject(reference, bytes);
  } catch (error) {
    if (!isStoreError(error, 'OBJECT_CORRUPT')) throw error;
    return error;
  }
}

/** Damage found under an object names it; every other error stays as it is. */
export function namingObject(error: unknown, { id }: ObjectReference): unknown {
  if (!isStoreError(error) || error.kind !== 'corrupt' || error.code.startsWith('OBJECT_')) return error;
  return storeError(error.code, `object ${id}: ${error.message}`, {
    details: { ...error.details, object: id },
    cause: error,
  });
}
