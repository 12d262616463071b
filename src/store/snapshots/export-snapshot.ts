/** Writes the file of a snapshot; `snapshot-file.ts` says what that is. */

import { type TarItem, writeTar } from '../../archive/index.ts';
import { utf8Encode } from '../../bytes/bytes.ts';
import { invariant, isStoreError, storeError } from '../../errors/store-error.ts';
import { parseSignatureDocument } from '../../keys/index.ts';
import { OBJECT_LOAD_BATCH } from '../../limits.ts';
import { encodeObject, type ObjectReference, objectMissing, referencesOf } from '../../objects/index.ts';
import { contentBatches, readBatch } from '../../pipeline/small-contents.ts';
import type { FoundObject, ObjectReader } from '../objects/object-reader.ts';
import { childrenFirst } from './children-first.ts';
import { findSnapshot, type GraphContext, loadObject, readerOf } from './graph-context.ts';
import type { SnapshotExportOptions } from './graph-types.ts';
import { encodeSnapshotHead, memberPath, type SnapshotFileHead, type SnapshotFileMember } from './snapshot-file.ts';

const MODE = 0o644;
/** Nothing of when and where goes in: the same snapshot gives the same bytes. */
const MTIME = '1970-01-01T00:00:00.000000000Z';
/** Blobs that are looked up together. */
const BLOBS_TOGETHER = 16 * OBJECT_LOAD_BATCH;

/**
 * A snapshot with everything that it refers to, as a tar archive of the caller's to keep or send. All objects are looked at
 * before the first byte is given, contents as they are written; what is held meanwhile are ids.
 * @param address of the snapshot
 * @returns the bytes of the file, the same for the same snapshot and options
 * @throws `not-found/*`, `invalid/OBJECT_WRONG_TYPE`, `invalid/CREDENTIAL_INVALID` for a signature that is none, or of
 *   something else; `corrupt/*`: what was given until then is no file, its end is missing
 */
export async function* exportSnapshot(
  context: GraphContext,
  address: string,
  options: SnapshotExportOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { history = true, signatures = [] } = options;
  const { id } = await findSnapshot(context, address);
  const signed = signatures.map((document) => signatureItem(document, id));
  yield* writeTar(items(context, await planFile(context, id, history), signed));
}

/** What the file will hold: ids of all objects, in the order in which they stand there. */
interface Plan {
  readonly head: SnapshotFileHead;
  readonly order: readonly ObjectReference[];
}

/** Goes through all objects and the rows of all blobs: what is missing is told before there is half a file. */
async function planFile(context: GraphContext, snapshot: string, history: boolean): Promise<Plan> {
  const reader = readerOf(context);
  const order: ObjectReference[] = [];
  let [blobs, bytes] = [0, 0];
  for await (const step of childrenFirst(snapshot, reader.load, { history })) {
    context.signal?.throwIfAborted();
    if ('object' in step) {
      order.push(step.reference);
      continue;
    }
    for await (const { value } of findBlobs(reader, step.blobs)) {
      blobs += 1;
      bytes += value.size;
    }
  }
  return { head: { snapshot, history, objects: order.length, blobs, bytes }, order };
}

async function* findBlobs(
  reader: ObjectReader,
  references: readonly ObjectReference[],
): AsyncGenerator<FoundObject, void, undefined> {
  for (let start = 0; start < references.length; start += BLOBS_TOGETHER) {
    const wanted = references.slice(start, start + BLOBS_TOGETHER);
    for (const [index, found] of (await reader.find(wanted)).entries()) {
      if (found === undefined) throw objectMissing(wanted[index]?.id ?? '', 'blob');
      if (isStoreError(found)) throw found;
      yield found;
    }
  }
}

async function* items(
  context: GraphContext,
  { head, order }: Plan,
  signed: readonly TarItem[],
): AsyncGenerator<TarItem, void, undefined> {
  yield bytesItem({ kind: 'head' }, encodeSnapshotHead(head));
  yield* signed;
  const reader = readerOf(context);
  const written = new Set<string>();
  for (let start = 0; start < order.length; start += OBJECT_LOAD_BATCH) {
    context.signal?.throwIfAborted();
    const batch = order.slice(start, start + OBJECT_LOAD_BATCH);
    // Read together; what is damaged is told one by one.
    await reader.load(batch);
    for (const { type, id } of batch) {
      invariant(type !== 'raw', 'the plan has structured objects');
      const object = await loadObject(reader, type, id);
      const blobs = referencesOf(object).filter((one) => one.type === 'raw' && !written.has(one.id));
      for (const blob of blobs) written.add(blob.id);
      yield* blobItems(context, reader, blobs);
      yield bytesItem({ kind: 'object', id }, encodeObject(object));
    }
  }
}

/** Small blobs are read together, large ones as the archive takes them. */
async function* blobItems(
  context: GraphContext,
  reader: ObjectReader,
  references: readonly ObjectReference[],
): AsyncGenerator<TarItem, void, undefined> {
  for (let start = 0; start < references.length; start += BLOBS_TOGETHER) {
    const found = await Array.fromAsync(findBlobs(reader, references.slice(start, start + BLOBS_TOGETHER)));
    for (const batch of contentBatches(found.map((one) => ({ ...one, reader: context.scope.reader })))) {
      const contents = await readTogether(context, batch);
      for (const [index, one] of batch.entries()) {
        const { reference, value } = one;
        const member = { kind: 'blob', id: reference.id } as const;
        const content = contents?.[index];
        if (content) yield bytesItem(member, content);
        else yield { ...itemOf(member, value.size), content: () => reader.read(one) };
      }
    }
  }
}

/** @returns `undefined` where each must be read alone: there is only one, or something is wrong with one of them */
async function readTogether(
  { scope, signal }: GraphContext,
  batch: readonly FoundObject[],
): Promise<readonly Uint8Array[] | undefined> {
  if (batch.length < 2) return undefined;
  try {
    return await readBatch(
      scope.reader,
      batch.map(({ value }) => value),
      { signal },
    );
  } catch (error) {
    if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
    return undefined;
  }
}

/** @throws `invalid/CREDENTIAL_INVALID` */
function signatureItem(document: string, id: string): TarItem {
  const { signer, text } = parseSignatureDocument(document);
  if (text === `snapshot ${id}`) return bytesItem({ kind: 'signature', signer }, utf8Encode(document));
  const message = `the signature of ${signer} is not one of snapshot ${id}`;
  throw storeError('CREDENTIAL_INVALID', message, { details: { expected: id } });
}

function bytesItem(member: SnapshotFileMember, bytes: Uint8Array): TarItem {
  async function* content(): AsyncGenerator<Uint8Array> {
    if (bytes.length > 0) yield bytes;
  }
  return { ...itemOf(member, bytes.length), content };
}

function itemOf(member: SnapshotFileMember, size: number): TarItem {
  return { path: utf8Encode(memberPath(member)), type: 'file', mode: MODE, mtime: MTIME, size };
}
