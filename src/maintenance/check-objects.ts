/**
 * Is the content of every object there, and is there all that it refers to? Of trees, snapshots and blobs with metadata
 * the content is read, since that is where their references are; raw blobs and bundles refer to nothing and are not.
 */
import { equalBytes, fromHex, toHex } from '../bytes/bytes.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { decodeEntry, type EntryValue, encodeObjectKey, parseObjectKey } from '../format/index.ts';
import { OBJECT_LOAD_BATCH } from '../limits.ts';
import type { ObjectRow } from '../metadata/object-contract.ts';
import { type ObjectReference, objectMissing, referencesOf, type StructuredObject } from '../objects/index.ts';
import { ContentCheck } from './check-content.ts';
import type { ContentFindings } from './check-entries.ts';
import type { CheckedStore, CheckOptions, NamespaceContent } from './checked-store.ts';
import { isProblem, placeIn } from './problems.ts';

const PAGE_OBJECTS = 1000;
const LOOKUP_OBJECTS = 1000;

/** @returns how many objects there are */
export async function checkObjects(
  store: CheckedStore,
  findings: ContentFindings,
  options: CheckOptions,
): Promise<number> {
  const { signal, onProgress } = options;
  const { objects: total } = await store.metadata.counters();
  let done = 0;
  let bytes = 0;
  for (const namespace of store.namespaces.keys()) {
    const check = new ObjectCheck(store, namespace, findings);
    let after: Uint8Array | undefined;
    do {
      const page = await store.metadata.listObjects({ namespace, limit: PAGE_OBJECTS, ...(after && { after }) });
      for (let start = 0; start < page.rows.length; start += OBJECT_LOAD_BATCH) {
        signal?.throwIfAborted();
        const rows = page.rows.slice(start, start + OBJECT_LOAD_BATCH);
        bytes += await check.add(rows, signal);
        done += rows.length;
        onProgress?.({ phase: 'check objects', done, total, bytes });
      }
      after = page.next;
    } while (after);
    await check.finish();
  }
  return done;
}

/** An object on its way through the check; told of once. */
class CheckedObject {
  readonly row: ObjectRow;
  readonly id: string;
  readonly isRaw: boolean;
  readonly #store: CheckedStore;
  readonly #namespace: number;
  readonly #findings: ContentFindings;
  #told = false;

  constructor(row: ObjectRow, store: CheckedStore, findings: ContentFindings) {
    const name = parseObjectKey(row.key);
    if (!name) throw storeError('METADATA_CORRUPT', 'a key of an object is none', { details: { table: 'objects' } });
    this.row = row;
    this.id = toHex(name.digest);
    this.isRaw = name.objectClass === 'raw';
    this.#namespace = name.namespace;
    this.#store = store;
    this.#findings = findings;
  }

  get reference(): ObjectReference {
    return { type: this.isRaw ? 'raw' : this.row.type, id: this.id };
  }

  get refersToObjects(): boolean {
    return !this.isRaw && this.row.type !== 'bundle';
  }

  value(): EntryValue {
    const name = parseObjectKey(this.row.key);
    const value = decodeEntry(this.row.entry);
    if (name && equalBytes(value.digest, name.digest)) return value;
    throw storeError('OBJECT_CORRUPT', `object ${this.id} has the row of another one`, {
      details: { object: this.id },
    });
  }

  readonly tell = async (error: unknown): Promise<void> => {
    if (!isProblem(error)) throw error;
    if (this.#told) return;
    this.#told = true;
    await this.tellAlways(error, this.id);
  };

  /** @param object that is wrong: itself, or one that it refers to. Nobody is told of an object that is gone by now. */
  async tellAlways(error: unknown, object: string): Promise<void> {
    const [now] = await this.#store.metadata.getObjects([this.row.key]);
    if (now) this.#findings.problems.addError(error, { object, ...placeIn(this.#store, this.#namespace) });
  }
}

/** The objects of one namespace. */
class ObjectCheck {
  readonly #store: CheckedStore;
  readonly #namespace: number;
  readonly #findings: ContentFindings;
  readonly #content: ContentCheck;
  #kept: NamespaceContent | undefined;

  constructor(store: CheckedStore, namespace: number, findings: ContentFindings) {
    this.#store = store;
    this.#namespace = namespace;
    this.#findings = findings;
    this.#content = new ContentCheck(store, findings.lostPacks);
  }

  /** @returns bytes of the objects */
  async add(rows: readonly ObjectRow[], signal: AbortSignal | undefined): Promise<number> {
    const objects = rows.map((row) => new CheckedObject(row, this.#store, this.#findings));
    let bytes = 0;
    for (const object of objects) bytes += await this.#addContent(object);
    const referring = objects.filter(({ refersToObjects }) => refersToObjects);
    if (referring.length === 0) return bytes;
    const load = this.#store.objectLoader(this.#namespace, signal);
    const loaded = await load(referring.map(({ reference }) => reference));
    for (const [index, object] of referring.entries()) {
      const one = loaded[index];
      if (isStoreError(one)) await object.tell(one);
      else if (one) await this.#addReferences(object, one);
    }
    return bytes;
  }

  finish(): Promise<void> {
    return this.#content.finish();
  }

  async #addContent(object: CheckedObject): Promise<number> {
    try {
      const value = object.value();
      this.#kept ??= this.#store.contentOf(this.#namespace);
      const { ids, reader } = this.#kept;
      await this.#content.add({ ids, reader, value, tell: object.tell });
      return value.size;
    } catch (error) {
      await object.tell(error);
      return 0;
    }
  }

  async #addReferences(object: CheckedObject, content: StructuredObject): Promise<void> {
    const references = referencesOf(content);
    for (let start = 0; start < references.length; start += LOOKUP_OBJECTS) {
      const page = references.slice(start, start + LOOKUP_OBJECTS);
      const rows = await this.#store.metadata.getObjects(page.map((one) => this.#keyOf(one)));
      for (const [index, reference] of page.entries()) {
        const wrong = whatIsWrong(object, reference, rows[index]);
        if (wrong) await object.tellAlways(wrong, reference.id);
      }
    }
  }

  #keyOf({ type, id }: ObjectReference): Uint8Array {
    const digest = fromHex(id);
    if (!digest) throw new TypeError('ids were checked when the object was decoded');
    const objectClass = type === 'raw' ? 'raw' : 'structured';
    return encodeObjectKey({ namespace: this.#namespace, objectClass, digest });
  }
}

function whatIsWrong(
  { row: { type: from }, id: by }: CheckedObject,
  { type, id }: ObjectReference,
  row: ObjectRow | undefined,
): Error | undefined {
  const referrer = `the ${from} ${by} refers to it`;
  if (row === undefined) {
    const missing = objectMissing(id, type);
    return storeError(missing.code, `${missing.message}: ${referrer}`, { details: missing.details });
  }
  if (type === 'raw' || row.type === type) return undefined;
  return storeError('OBJECT_CORRUPT', `object ${id} is a ${row.type}: ${referrer} as a ${type}`, {
    details: { object: id },
  });
}
