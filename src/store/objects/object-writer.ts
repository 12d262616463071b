import { toHex } from '../../bytes/bytes.ts';
import { type EntryValue, encodeEntry, encodeObjectKey, type ObjectType } from '../../format/index.ts';
import { blake3 } from '../../hash/index.ts';
import { MIB, OBJECT_RECORD_BYTES } from '../../limits.ts';
import type { Change, ChangeOutcome } from '../../metadata/contract.ts';
import { encodeObject, type ObjectReference, referencesOf, type StructuredObject } from '../../objects/index.ts';
import type { Source } from '../../pipeline/source.ts';
import type { Engine } from '../engine.ts';
import { type IngestedContent, ingest, ingestSmall, isSmallContent } from '../ingest.ts';
import type { OperationWriter, Tally } from '../operation-writer.ts';
import type { Scope } from '../scope.ts';
import type { Progress } from '../types.ts';
import { objectKeyOf } from './object-reader.ts';

type ObjectPut = Extract<Change, { readonly type: 'object-put' }>;

/** An object whose bytes are stored; it is there once its change is committed. */
export interface WrittenObject {
  readonly reference: ObjectReference;
  /** The id as bytes. */
  readonly digest: Uint8Array;
  readonly size: number;
  readonly tally: Tally;
}

/** How to store the content of a raw blob. */
export interface RawOptions {
  readonly verifyExisting?: boolean;
  readonly chunking?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Objects that are committed together. */
interface Group {
  readonly content: OperationWriter;
  readonly structure: OperationWriter;
  readonly changes: ObjectPut[];
  /** What is in it, by key: what repeats is put once. */
  readonly types: Map<string, ObjectReference['type']>;
  /** What they come to is known once the writers have finished. */
  readonly tallies: Tally[];
  /** Plain bytes that are new, and bytes in the journal. */
  bytes: number;
  recordBytes: number;
}

const NOTHING_STORED: Tally = Object.freeze({ newBytes: 0, storedBytes: 0, chunksNew: 0, chunksKnown: 0 });

/** Enough for full packs, little enough that whoever is interrupted has not much to do again. */
const COMMIT_OBJECTS = 4096;
const COMMIT_BYTES = 256 * MIB;
const COMMIT_RECORD_BYTES = 8 * MIB;

/**
 * Writes objects in bulk: content and structure side by side, so that the objects of a tree lie together, and commits
 * them in groups. Every group holds whole objects whose references are in it or in one before.
 */
export class ObjectWriter {
  readonly #engine: Engine;
  readonly #scope: Scope;
  #open: Group | undefined;
  /** The one before, on its way into the metadata. */
  #closed: Group | undefined;
  #committing: Promise<unknown> = Promise.resolve();
  #newBytes = 0;
  #storedBytes = 0;

  constructor(engine: Engine, scope: Scope) {
    this.#engine = engine;
    this.#scope = scope;
  }

  /** Stores bytes as a raw blob. Several may be on their way at once. */
  async putRaw(source: Source, options: RawOptions = {}): Promise<WrittenObject> {
    const { content } = this.#group();
    const ingested = await ingest(source, content, {
      files: this.#engine.files,
      chunking: this.#scope.chunking(options.chunking),
      verifyExisting: options.verifyExisting === true,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    return this.#add({ ingested, type: 'blob', class: 'raw', references: [] });
  }

  /** Whether {@link putSmall} takes content of so many bytes. */
  takesSmall(bytes: number): boolean {
    return isSmallContent(bytes, this.#scope.chunking(undefined));
  }

  /**
   * {@link putRaw} of small content that is in memory, without waiting for anything.
   * @param bytes copied
   */
  putSmall(bytes: Uint8Array): WrittenObject {
    const options = { chunking: this.#scope.chunking(undefined), verifyExisting: false };
    const ingested = ingestSmall(bytes, this.#group().content, options);
    return this.#add({ ingested, type: 'blob', class: 'raw', references: [] });
  }

  /** Whether so much was put without waiting that `drain` should be called before more is. */
  get isCrowded(): boolean {
    return this.#open?.content.isFull === true;
  }

  /** Waits till there is room for more. @throws what failed in the background */
  async drain(): Promise<void> {
    await this.#open?.content.drain();
  }

  /**
   * Stores a structured object; what it refers to must have been put before.
   * @param options.known asked whether it is there: then nothing is stored, and none of its bytes are looked at
   */
  async put(
    object: StructuredObject,
    options: {
      readonly verifyExisting?: boolean;
      readonly known?: (reference: ObjectReference) => Promise<boolean>;
    } = {},
  ): Promise<WrittenObject> {
    const bytes = encodeObject(object);
    const digest = blake3(bytes);
    const reference: ObjectReference = { type: object.type, id: toHex(digest) };
    if (await options.known?.(reference)) return { reference, digest, size: bytes.length, tally: NOTHING_STORED };
    const { structure } = this.#group();
    const ingested = await ingest(bytes, structure, {
      files: this.#engine.files,
      chunking: this.#scope.chunking(undefined),
      verifyExisting: options.verifyExisting === true,
    });
    return this.#add({ ingested, type: object.type, class: 'structured', references: referencesOf(object) });
  }

  /**
   * Makes stored content a raw blob too: of an entry of this scope that has no key of its own. Nothing is read or copied.
   */
  adopt({ digest, size, chunkCount, root, manifest }: EntryValue): WrittenObject {
    const tally: Tally = { newBytes: 0, storedBytes: 0, chunksNew: 0, chunksKnown: chunkCount };
    const ingested = { digest, size, chunkCount, root, manifest, tally };
    return this.#add({ ingested, type: 'blob', class: 'raw', references: [] });
  }

  /** What an object is that was written and is not committed yet. */
  typeOf(reference: ObjectReference): ObjectReference['type'] | undefined {
    const name = toHex(objectKeyOf(this.#scope.namespace, reference));
    return this.#open?.types.get(name) ?? this.#closed?.types.get(name);
  }

  /** What all that is committed has added to the store. */
  get stored(): { readonly newBytes: number; readonly storedBytes: number } {
    // Shares of records are fractions: what was counted and taken back leaves a hair.
    return { newBytes: this.#newBytes, storedBytes: Math.max(0, Math.round(this.#storedBytes)) };
  }

  /** Whether so much has gathered that it should be committed. */
  get isFull(): boolean {
    if (this.#open === undefined) return false;
    const { changes, bytes, recordBytes } = this.#open;
    return changes.length >= COMMIT_OBJECTS || bytes >= COMMIT_BYTES || recordBytes >= COMMIT_RECORD_BYTES;
  }

  /**
   * Starts to commit what has gathered once that is enough; the next group gathers meanwhile. Only while nothing is on
   * its way.
   * @throws what the commit of the group before threw
   */
  async commitIfFull(): Promise<void> {
    if (!this.isFull) return;
    await this.#committing;
    this.#committing = this.#commit([]);
    // Whoever waits for it next is told.
    this.#committing.catch(() => undefined);
  }

  /**
   * Commits what was written, and further changes with it. Nothing may be on its way.
   * @returns what became of each object of the last group in the order in which they were written, then of each further
   *   change
   * @throws what the commit throws: then nothing of the group is there
   */
  async commit(further: readonly Change[] = []): Promise<readonly ChangeOutcome[]> {
    await this.#committing;
    return await this.#commit(further);
  }

  async #commit(further: readonly Change[]): Promise<readonly ChangeOutcome[]> {
    const group = this.#open;
    this.#open = undefined;
    this.#closed = group;
    if (group === undefined) {
      if (further.length === 0) return [];
      return await this.#engine.commit(this.#scope, { changes: further, inline: [] });
    }
    const { content, structure, changes, tallies } = group;
    try {
      const inline = [...(await content.finish()), ...(await structure.finish())];
      const outcomes = await this.#engine.commit(this.#scope, { changes: [...changes, ...further], inline });
      for (const { newBytes, storedBytes } of tallies) {
        this.#newBytes += newBytes;
        this.#storedBytes += storedBytes;
      }
      return outcomes;
    } catch (error) {
      await Promise.all([content.abandon(), structure.abandon()]);
      throw error;
    }
  }

  /** Lets go of what was not committed. */
  async abandon(): Promise<void> {
    const group = this.#open;
    this.#open = undefined;
    await this.#committing.catch(() => undefined);
    if (group) await Promise.all([group.content.abandon(), group.structure.abandon()]);
  }

  #group(): Group {
    this.#open ??= {
      content: this.#engine.createWriter(this.#scope),
      structure: this.#engine.createWriter(this.#scope, undefined, OBJECT_RECORD_BYTES),
      changes: [],
      types: new Map(),
      tallies: [],
      bytes: 0,
      recordBytes: 0,
    };
    return this.#open;
  }

  #add(written: {
    readonly ingested: IngestedContent;
    readonly type: ObjectType;
    readonly class: 'raw' | 'structured';
    readonly references: readonly ObjectReference[];
  }): WrittenObject {
    const { ingested, type, references } = written;
    const { digest, size, chunkCount, root, manifest, tally } = ingested;
    const reference: ObjectReference = { type: written.class === 'raw' ? 'raw' : type, id: toHex(digest) };
    const { namespace } = this.#scope;
    const key = encodeObjectKey({ namespace, objectClass: written.class, digest });
    const name = toHex(key);
    const group = this.#group();
    if (!group.types.has(name)) {
      group.types.set(name, reference.type);
      const entry = encodeEntry({ digest, size, chunkCount, root, manifest, attributes: {} });
      const keys = references.map((one) => objectKeyOf(namespace, one));
      group.recordBytes += entry.length;
      group.changes.push({ type: 'object-put', key, objectType: type, entry, references: keys });
    }
    group.tallies.push(tally);
    group.bytes += tally.newBytes;
    return { reference, digest, size, tally };
  }
}
