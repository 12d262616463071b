/** Reads the file of a snapshot into a store; `snapshot-file.ts` says what that is. */
import { readTar, type TarItem, type TarRefusal } from '../../archive/index.ts';
import { concatBytes, toHex } from '../../bytes/bytes.ts';
import { invariant, isStoreError } from '../../errors/store-error.ts';
import { blake3 } from '../../hash/index.ts';
import { type PublicIdentity, parsePublicIdentity, parseSignatureDocument, publicIdentity } from '../../keys/index.ts';
import { OBJECT_BYTES_MAX } from '../../limits.ts';
import {
  createSnapshot,
  decodeObject,
  type ObjectReference,
  parentsOf,
  referencesOf,
  type SnapshotObject,
  type StructuredObject,
} from '../../objects/index.ts';
import { abortableItems } from '../../runtime/abort.ts';
import { referenceOfRow } from '../objects/find-object.ts';
import { ObjectWriter, type WrittenObject } from '../objects/object-writer.ts';
import { type GraphContext, planMove, readerOf } from './graph-context.ts';
import type { SnapshotImport, SnapshotImportOptions } from './graph-types.ts';
import {
  decodeSnapshotHead,
  importCorrupt,
  memberPath,
  parseMemberPath,
  type SnapshotFileHead,
  type SnapshotFileMember,
} from './snapshot-file.ts';
import { verifySnapshotSignature } from './snapshot-signature.ts';

/**
 * Puts the snapshot of a file, with everything that it refers to. Every object is verified by its id as it is read, and has
 * to find in the store or before it in the file what it refers to. The ref moves, and the last of the objects are
 * committed, when all of the file was read and found whole; an import that ended early can be done again, and stores only
 * what is not there.
 *
 * A file without history has a snapshot whose parents are elsewhere. Where they are not in the store, a snapshot without
 * parents is put in its place, under an id of its own: `detached`.
 * @param source bytes of the file, also compressed with gzip or zstd
 * @throws `corrupt/IMPORT_CORRUPT` naming the member; `invalid/ARCHIVE_INVALID` for a file that is cut off or no archive;
 *   `unsupported/FORMAT_UNSUPPORTED`; `invalid/REF_INVALID`, `conflict/PRECONDITION_FAILED`, `denied/READ_ONLY`; what the
 *   source throws
 */
export async function importSnapshot(
  context: GraphContext,
  source: AsyncIterable<Uint8Array>,
  options: SnapshotImportOptions = {},
): Promise<SnapshotImport> {
  context.engine.assertWritable();
  const signers = (options.signers ?? []).map(toSigner);
  const move = await planMove(context, options);
  const writer = new ObjectWriter(context.engine, context.scope);
  try {
    const reading = new SnapshotReading(context, { writer, signers, onProgress: options.onProgress });
    for await (const item of readTar(abortableItems(source, context.signal))) await reading.take(item);
    await writer.commit(move(reading.finish()));
    return reading.report();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

function toSigner(signer: string | PublicIdentity): PublicIdentity {
  return typeof signer === 'string' ? parsePublicIdentity(signer) : publicIdentity(signer.algorithm, signer.publicKey);
}

type Member = TarItem & { readonly path: Uint8Array };

class SnapshotReading {
  readonly #context: GraphContext;
  readonly #writer: ObjectWriter;
  readonly #signers: readonly PublicIdentity[];
  readonly #onProgress: SnapshotImportOptions['onProgress'];
  readonly #signatures = new Map<string, { readonly signer: string; readonly verified: boolean }>();
  readonly #counts = { objects: 0, blobs: 0, bytes: 0 };
  #head: SnapshotFileHead | undefined;
  #snapshot: { readonly reference: ObjectReference; readonly detached: boolean } | undefined;
  #areSignersChecked = false;

  constructor(
    context: GraphContext,
    parts: {
      readonly writer: ObjectWriter;
      readonly signers: readonly PublicIdentity[];
      readonly onProgress: SnapshotImportOptions['onProgress'];
    },
  ) {
    this.#context = context;
    this.#writer = parts.writer;
    this.#signers = parts.signers;
    this.#onProgress = parts.onProgress;
  }

  async take(item: TarItem | TarRefusal): Promise<void> {
    this.#context.signal?.throwIfAborted();
    const path = pathOf(item);
    if (item.type === 'folder') return;
    const member = item.type === 'file' && item.sameAs === undefined ? parseMemberPath(path) : undefined;
    if (member === undefined || item.type === 'refused')
      throw importCorrupt(path, 'is nothing that the file of a snapshot has');
    if (member.kind === 'head') await this.#takeHead(item);
    else await this.#takeMember(member, item);
    await this.#writer.commitIfFull();
  }

  /**
   * The whole file was read.
   * @returns the snapshot that it is about
   * @throws `corrupt/IMPORT_CORRUPT` when the file does not hold what it says
   */
  finish(): ObjectReference {
    const head = this.#needHead();
    const { objects, blobs, bytes } = this.#counts;
    const isWhole = objects === head.objects && blobs === head.blobs && bytes === head.bytes;
    if (this.#snapshot && isWhole) return this.#snapshot.reference;
    throw importCorrupt(memberPath({ kind: 'head' }), 'promises something else than the file has');
  }

  /** Once everything is committed. */
  report(): SnapshotImport {
    invariant(this.#snapshot, 'the file was read to its end');
    const { reference, detached } = this.#snapshot;
    return Object.freeze({
      ...{ id: reference.id, original: this.#needHead().snapshot, detached, ...this.#counts, ...this.#writer.stored },
      signatures: Object.freeze([...this.#signatures.values()]),
    });
  }

  #needHead(): SnapshotFileHead {
    if (this.#head) return this.#head;
    throw importCorrupt(memberPath({ kind: 'head' }), 'is not the first member: this is no file of a snapshot');
  }

  async #takeHead(item: Member): Promise<void> {
    const path = memberPath({ kind: 'head' });
    if (this.#head) throw importCorrupt(path, 'is there twice');
    const bytes = await bytesOf(path, item);
    try {
      this.#head = decodeSnapshotHead(bytes);
    } catch (error) {
      if (!isStoreError(error, 'OBJECT_INVALID')) throw error;
      throw importCorrupt(path, 'is no JSON', { cause: error });
    }
  }

  async #takeMember(member: Exclude<SnapshotFileMember, { kind: 'head' }>, item: Member): Promise<void> {
    const head = this.#needHead();
    if (member.kind === 'signature') return await this.#takeSignature(member.signer, head, item);
    this.#checkSigners(head);
    if (member.kind === 'blob') await this.#takeBlob(member.id, item);
    else await this.#takeObject(member.id, head, item);
    const { objects, blobs, bytes } = this.#counts;
    this.#onProgress?.({ phase: 'import', done: objects + blobs, total: head.objects + head.blobs, bytes });
  }

  async #takeSignature(signer: string, head: SnapshotFileHead, item: Member): Promise<void> {
    const path = memberPath({ kind: 'signature', signer });
    if (this.#areSignersChecked) throw importCorrupt(path, 'comes after the objects');
    const document = await bytesOf(path, item);
    const wanted = this.#signers.find(({ fingerprint }) => fingerprint === signer);
    try {
      if (parseSignatureDocument(document).signer !== signer) throw importCorrupt(path, 'is of another signer');
      const verified = wanted !== undefined && verifySnapshotSignature(document, wanted, head.snapshot);
      if (wanted && !verified) throw importCorrupt(path, 'does not sign this snapshot', { digest: head.snapshot });
      this.#signatures.set(signer, Object.freeze({ signer, verified }));
    } catch (error) {
      if (!isStoreError(error, 'CREDENTIAL_INVALID')) throw error;
      throw importCorrupt(path, 'is no signature', { cause: error });
    }
  }

  /** Before anything is put: what is not signed as it should be is not even looked at. */
  #checkSigners({ snapshot }: SnapshotFileHead): void {
    if (this.#areSignersChecked) return;
    this.#areSignersChecked = true;
    for (const { fingerprint } of this.#signers) {
      if (this.#signatures.get(fingerprint)?.verified) continue;
      const path = memberPath({ kind: 'signature', signer: fingerprint });
      throw importCorrupt(path, 'is missing: the file is not signed by them', { digest: snapshot });
    }
  }

  async #takeBlob(id: string, item: Member): Promise<void> {
    invariant(item.content, 'a file has content');
    const written = await this.#writer.putRaw(item.content(), { verifyExisting: true, signal: this.#context.signal });
    const { id: actual } = written.reference;
    const path = memberPath({ kind: 'blob', id });
    if (actual !== id)
      throw importCorrupt(path, 'does not have the digest of its name', { digest: id, expected: id, actual });
    this.#counts.blobs += 1;
    this.#counts.bytes += written.size;
  }

  async #takeObject(id: string, head: SnapshotFileHead, item: Member): Promise<void> {
    const path = memberPath({ kind: 'object', id });
    const bytes = await bytesOf(path, item);
    const actual = toHex(blake3(bytes));
    if (actual !== id)
      throw importCorrupt(path, 'does not have the digest of its name', { digest: id, expected: id, actual });
    const object = decoded(path, bytes);
    this.#counts.objects += 1;
    if (id !== head.snapshot) {
      await this.#checkReferences(path, referencesOf(object));
      await this.#put(object);
      return;
    }
    if (object.type !== 'snapshot') throw importCorrupt(path, `is a ${object.type} and no snapshot`, { digest: id });
    await this.#takeSnapshot(path, object, head);
  }

  async #takeSnapshot(path: string, snapshot: SnapshotObject, { history }: SnapshotFileHead): Promise<void> {
    const parents = parentsOf(snapshot).map((id): ObjectReference => ({ type: 'snapshot', id }));
    const detached = !history && (await this.#missing(parents)) !== undefined;
    const { parent, merged, ...rest } = snapshot.content;
    const put = detached ? createSnapshot({ ...rest, metadata: snapshot.metadata }) : snapshot;
    await this.#checkReferences(path, referencesOf(put));
    const { reference } = await this.#put(put);
    this.#snapshot = { reference, detached };
  }

  #put(object: StructuredObject): Promise<WrittenObject> {
    return this.#writer.put(object, { verifyExisting: true });
  }

  async #checkReferences(path: string, references: readonly ObjectReference[]): Promise<void> {
    const missing = await this.#missing(references);
    if (!missing) return;
    const problem = `refers to the ${missing.type === 'raw' ? 'blob' : missing.type} ${missing.id}, which is neither before it in the file nor in the store`;
    throw importCorrupt(path, problem, { digest: missing.id });
  }

  /** The first that is neither written nor in the store, or is of another type than is said of it. */
  async #missing(references: readonly ObjectReference[]): Promise<ObjectReference | undefined> {
    const others: ObjectReference[] = [];
    for (const reference of references) {
      const type = this.#writer.typeOf(reference);
      if (type === undefined) others.push(reference);
      else if (type !== reference.type) return reference;
    }
    const found = await readerOf(this.#context).find(others);
    return others.find((reference, index) => {
      const one = found[index];
      return one === undefined || isStoreError(one) || referenceOfRow(one.row).type !== reference.type;
    });
  }
}

function decoded(path: string, bytes: Uint8Array): StructuredObject {
  try {
    return decodeObject(bytes);
  } catch (error) {
    if (!isStoreError(error, 'OBJECT_INVALID')) throw error;
    throw importCorrupt(path, `is no object: ${error.message}`, { cause: error });
  }
}

async function bytesOf(path: string, { size, content }: Member): Promise<Uint8Array> {
  if (size > OBJECT_BYTES_MAX) throw importCorrupt(path, `has more than ${OBJECT_BYTES_MAX} bytes`);
  const pieces: Uint8Array[] = [];
  // Copied: a piece is valid until the next one is asked for.
  for await (const piece of content?.() ?? []) pieces.push(piece.slice());
  return concatBytes(pieces);
}

/** U+FFFD where it is not UTF-8: no member has such a path. */
function pathOf({ path }: { readonly path: Uint8Array }): string {
  return new TextDecoder().decode(path);
}
