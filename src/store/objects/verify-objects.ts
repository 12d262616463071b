/**
 * Verifies objects: reads each from where it lies, hashes it anew, decodes it, and looks whether all that it refers to
 * is there. Goes on past what is wrong, so that all of it is told, and nothing that is wrong hides anything else.
 */
import { concatBytes } from '../../bytes/bytes.ts';
import { invariant, isStoreError, type StoreError } from '../../errors/store-error.ts';
import { OBJECT_LOAD_BATCH } from '../../limits.ts';
import { isProblem } from '../../maintenance/problems.ts';
import {
  decodeStoredObject,
  type LoadObjects,
  type ObjectReference,
  objectCorrupt,
  objectMissing,
  type Reached,
  referencesOf,
  type StructuredObject,
  type Unreachable,
  walkReachable,
} from '../../objects/index.ts';
import { contentBatches, readBatch } from '../../pipeline/small-contents.ts';
import type { Engine } from '../engine.ts';
import type { Scope } from '../scope.ts';
import type { ProgressOptions } from '../types.ts';
import { referenceOfRow } from './find-object.ts';
import { namedObjects } from './named-objects.ts';
import { type FoundObject, ObjectReader } from './object-reader.ts';
import type { ObjectReferrer, ObjectVerification } from './object-types.ts';
import { VerifyFindings } from './verify-report.ts';

const PAGE = 1000;

/** What is verified, and how. */
export interface VerifiedObjects extends ProgressOptions {
  readonly engine: Engine;
  readonly scope: Scope;
  /** Whether raw blobs are read; else they are only looked up. */
  readonly content: boolean;
}

/** All that refs keep alive. */
export async function verifyNamed(verified: VerifiedObjects): Promise<ObjectVerification> {
  const verification = new Verification(verified);
  /** By type and id. */
  const roots = new Map<string, { readonly reference: ObjectReference; readonly by: ObjectReferrer[] }>();
  for await (const { reference, id, by } of namedObjects(verified)) {
    if (reference === undefined) {
      verification.missing({ type: undefined, id }, by);
      continue;
    }
    const key = `${reference.type}:${id}`;
    const root = roots.get(key);
    if (root) root.by.push(by);
    else roots.set(key, { reference, by: [by] });
  }
  await verification.walk([...roots.values()].map(({ reference }) => reference));
  for (const { reference, by } of roots.values())
    for (const one of by) verification.findings.addReferrer(reference, one);
  return verification.findings.report();
}

/** All that is reachable from an object. */
export async function verifyReachable(verified: VerifiedObjects, root: ObjectReference): Promise<ObjectVerification> {
  const verification = new Verification(verified);
  await verification.walk([root]);
  return verification.findings.report();
}

/** One object; what it refers to is only looked up. */
export async function verifyAlone(verified: VerifiedObjects, object: ObjectReference): Promise<ObjectVerification> {
  const verification = new Verification(verified);
  await verification.each([object]);
  return verification.findings.report();
}

/**
 * Every object, whether or not something needs it.
 * @throws `corrupt/METADATA_CORRUPT` where the list of objects cannot be read
 */
export async function verifyAll(verified: VerifiedObjects): Promise<ObjectVerification> {
  const verification = new Verification(verified);
  for await (const references of allObjects(verified)) await verification.each(references);
  for await (const { reference, id, by } of namedObjects(verified)) {
    if (reference) verification.findings.addReferrer(reference, by);
    else verification.missing({ type: undefined, id }, by);
  }
  // Who refers to what is damaged is looked for only then: it means to read the others once more.
  if (!verification.findings.isEmpty)
    for await (const references of allObjects(verified)) await verification.addReferrers(references);
  return verification.findings.report();
}

async function* allObjects({ engine, scope, signal }: VerifiedObjects): AsyncGenerator<readonly ObjectReference[]> {
  let after: Uint8Array | undefined;
  do {
    signal?.throwIfAborted();
    const query = { namespace: scope.namespace, limit: PAGE, ...(after && { after }) };
    const { rows, next } = await engine.metadata.listObjects(query);
    yield rows.map(referenceOfRow);
    after = next;
  } while (after);
}

class Verification {
  readonly findings = new VerifyFindings();
  readonly #verified: VerifiedObjects;

  constructor(verified: VerifiedObjects) {
    this.#verified = verified;
  }

  async walk(roots: readonly ObjectReference[]): Promise<void> {
    await walkReachable(roots, (references) => this.#load(references, true), {
      reached: (found) => this.#reached(found),
      failed: (failure) => this.#failed(failure),
    });
  }

  /** Verifies objects, and that what they refer to is there. */
  async each(references: readonly ObjectReference[]): Promise<void> {
    const raw = references.filter(({ type }) => type === 'raw');
    await this.#verifyRaw(raw, { listed: true });
    await this.#eachStructured(references, { counted: true }, async (reference, object) => {
      if (isStoreError(object)) await this.#addOwn(reference, object);
      else await this.#lookUpReferences(reference, object);
    });
  }

  /** Looks in objects for references to what was found to be wrong. */
  async addReferrers(references: readonly ObjectReference[]): Promise<void> {
    await this.#eachStructured(references, { counted: false }, async (reference, object) => {
      if (isStoreError(object)) return;
      for (const one of referencesOf(object)) this.findings.addReferrer(one, reference);
    });
  }

  missing(what: { readonly type: undefined; readonly id: string }, by: ObjectReferrer): void {
    this.findings.add(what, objectMissing(what.id, 'object'));
    this.findings.addReferrer(what, by);
  }

  async #reached(found: readonly Reached[]): Promise<void> {
    const raw: ObjectReference[] = [];
    for (const { reference, object } of found) {
      if (object === undefined) raw.push(reference);
      // A raw blob is reached once: who else refers to one that is damaged is known here.
      else for (const one of referencesOf(object)) if (one.type === 'raw') this.findings.addReferrer(one, reference);
    }
    await this.#verifyRaw(raw, { listed: false });
    for (const { reference, referrer } of found) if (referrer) this.findings.addReferrer(reference, referrer);
  }

  async #failed({ reference, referrer, error }: Unreachable): Promise<void> {
    if (!this.findings.has(reference)) this.findings.add(reference, error);
    if (referrer) this.findings.addReferrer(reference, referrer);
  }

  async #eachStructured(
    references: readonly ObjectReference[],
    { counted }: { readonly counted: boolean },
    visit: (reference: ObjectReference, object: StructuredObject | StoreError) => Promise<void>,
  ): Promise<void> {
    // Bundles refer to nothing: once verified, they are of no interest.
    const structured = references.filter(({ type }) => type !== 'raw' && (counted || type !== 'bundle'));
    for (let start = 0; start < structured.length; start += OBJECT_LOAD_BATCH) {
      const batch = structured.slice(start, start + OBJECT_LOAD_BATCH);
      const loaded = await this.#load(batch, counted);
      for (const [index, reference] of batch.entries()) {
        const object = loaded[index];
        if (object) await visit(reference, object);
      }
    }
  }

  async #lookUpReferences(by: ObjectReference, object: StructuredObject): Promise<void> {
    const references = referencesOf(object);
    for (let start = 0; start < references.length; start += PAGE) {
      const page = references.slice(start, start + PAGE);
      const found = await this.#find(page);
      for (const [index, reference] of page.entries()) {
        const wrong = whatIsWrong(reference, found[index]);
        if (wrong === undefined) continue;
        this.findings.add(reference, wrong);
        this.findings.addReferrer(reference, by);
      }
    }
  }

  /** Nobody is told of an object that was removed while it was read. */
  async #addOwn(reference: ObjectReference, error: StoreError): Promise<void> {
    const [now] = await this.#find([reference]);
    if (now !== undefined) this.findings.add(reference, error);
  }

  /** @param options.listed they were there a moment ago: one that is not was removed since */
  async #verifyRaw(references: readonly ObjectReference[], { listed }: { readonly listed: boolean }): Promise<void> {
    const found = await this.#find(references);
    const there: FoundObject[] = [];
    for (const [index, reference] of references.entries()) {
      const one = found[index];
      if (one === undefined) {
        if (!listed) this.findings.add(reference, objectMissing(reference.id, 'blob'));
      } else if (isStoreError(one)) this.findings.add(reference, one);
      else there.push(one);
    }
    if (!this.#verified.content) return this.#count({ objects: there.length, blobs: there.length, bytes: 0 });
    for await (const { found: one, content } of this.#contents(there, false)) {
      if (isStoreError(content)) await this.#addOwn(one.reference, content);
      this.#count({ objects: 1, blobs: 1, bytes: one.value.size });
    }
  }

  readonly #load = async (references: readonly ObjectReference[], counted: boolean): ReturnType<LoadObjects> => {
    const objects = new Map<ObjectReference, StructuredObject | StoreError>();
    const found = await this.#find(references);
    const there: FoundObject[] = [];
    for (const [index, reference] of references.entries()) {
      const one = found[index];
      if (isStoreError(one)) objects.set(reference, one);
      else if (one) there.push({ ...one, reference });
    }
    for await (const { found: one, content } of this.#contents(there, true)) {
      invariant(content !== undefined, 'the content of a structured object is kept');
      objects.set(one.reference, isStoreError(content) ? content : decoded(one.reference, content));
      if (counted) this.#count({ objects: 1, blobs: 0, bytes: one.value.size });
    }
    return references.map((reference) => objects.get(reference));
  };

  /** A damaged row fails whatever is looked up with it: then each is looked up by itself. */
  async #find(references: readonly ObjectReference[]): ReturnType<ObjectReader['find']> {
    const { engine, scope, signal } = this.#verified;
    signal?.throwIfAborted();
    const reader = new ObjectReader(engine, scope, signal);
    try {
      return await reader.find(references);
    } catch (error) {
      if (!isProblem(error)) throw error;
      if (references.length === 1) return [error];
    }
    const found: (FoundObject | StoreError | undefined)[] = [];
    for (const reference of references) found.push(...(await this.#find([reference])));
    return found;
  }

  /** Reads contents, small ones together; what cannot be read stands in its place. */
  async *#contents(
    found: readonly FoundObject[],
    kept: boolean,
  ): AsyncGenerator<{ readonly found: FoundObject; readonly content: Uint8Array | StoreError | undefined }> {
    const { scope, signal } = this.#verified;
    const { reader } = scope;
    for (const batch of contentBatches(found.map((one) => ({ one, value: one.value, reader })))) {
      signal?.throwIfAborted();
      const values = batch.map(({ value }) => value);
      const contents =
        batch.length === 1 ? undefined : await attempt(() => readBatch(reader, values, { signal }), signal);
      for (const [index, { one }] of batch.entries()) {
        const content = contents && !isStoreError(contents) ? contents[index] : await this.#readOne(one, kept);
        yield { found: one, content };
      }
    }
  }

  async #readOne(found: FoundObject, kept: boolean): Promise<Uint8Array | StoreError | undefined> {
    const { engine, scope, signal } = this.#verified;
    const pieces: Uint8Array[] = [];
    const outcome = await attempt(async () => {
      for await (const piece of new ObjectReader(engine, scope, signal).read(found)) if (kept) pieces.push(piece);
    }, signal);
    if (isStoreError(outcome)) return outcome;
    return kept ? concatBytes(pieces) : undefined;
  }

  #count({ objects, blobs, bytes }: VerifyFindings['tally']): void {
    const { tally } = this.findings;
    tally.objects += objects;
    tally.blobs += blobs;
    tally.bytes += bytes;
    this.#verified.onProgress?.({ phase: 'verify objects', done: tally.objects, bytes: tally.bytes });
  }
}

/** What says nothing about the store is thrown on. */
async function attempt<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T | StoreError> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (!isProblem(error)) throw error;
    return error;
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

function whatIsWrong(
  { type, id }: ObjectReference,
  found: FoundObject | StoreError | undefined,
): StoreError | undefined {
  if (found === undefined) return objectMissing(id, type === 'raw' ? 'blob' : type);
  // The row is told of where the object itself is verified.
  if (isStoreError(found) || type === 'raw' || found.row.type === type) return undefined;
  return objectCorrupt(id, `is a ${found.row.type} and not a ${type}`);
}
