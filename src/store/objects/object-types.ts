import type {
  BlobObject,
  BundleObject,
  JsonObject,
  ObjectReference,
  ObjectType,
  SnapshotContent,
  SnapshotObject,
  StructuredObject,
  TreeChild,
  TreeObject,
} from '../../objects/index.ts';
import type { Source } from '../../pipeline/source.ts';
import type { CallOptions, ProgressOptions, StreamOptions } from '../types.ts';

/** What is known of an object without reading it. */
export interface ObjectInfo {
  /** 64 digits of lower-case hex. */
  readonly id: string;
  readonly type: ObjectType;
  /** Of a blob: whether it is nothing but bytes. One with metadata is an object that names the bytes. */
  readonly raw: boolean;
  /** Bytes of the object itself. */
  readonly size: number;
  /** When it was first put here, by the clock of the store; ISO 8601, UTC. */
  readonly stored: string;
}

/** What a put of an object did. */
export interface ObjectPutResult extends Omit<ObjectInfo, 'stored'> {
  /** Whether it was there before; what of it was damaged was stored again then. */
  readonly existed: boolean;
  /** Plain bytes that were not stored before, and bytes added for them after compression. */
  readonly newBytes: number;
  readonly storedBytes: number;
}

/** What may stand beside the content of an object; part of its identity. */
export interface ObjectPutOptions extends CallOptions {
  readonly metadata?: JsonObject;
}

/** A ref that names an object, or named it after the move `number` of its history. */
export interface RefReferrer {
  readonly type: 'ref';
  readonly name: string;
  /** Absent for what it names now. */
  readonly number?: number;
}

/** What refers to an object: another one, or a ref. */
export type ObjectReferrer = ObjectReference | RefReferrer;

/** A way in which an object is reached, and why it is kept. */
export interface Lifeline {
  readonly root: RefReferrer;
  /** From the object that the root names down to the one that was asked for. */
  readonly path: readonly ObjectReference[];
}

/** Why an object is kept. */
export interface Explanation {
  readonly object: ObjectInfo;
  /** One of each ref and move that leads there, the first thousand: those that refs name now first. */
  readonly lifelines: readonly Lifeline[];
  /** 0: nothing keeps it. */
  readonly lifelineCount: number;
  /** Objects on the way that are missing or corrupt: where they led is not known. */
  readonly unreadable: number;
}

/** What to verify. Default: all that refs and their histories reach. */
export interface ObjectsVerifyOptions extends ProgressOptions {
  /** Only what is reachable from there. */
  readonly address?: string;
  /** Of dates in the address that name none; default `UTC`. */
  readonly timeZone?: string;
  /** With `address`: only that object, and whether what it refers to is there. */
  readonly alone?: boolean;
  /** Every object, whether or not something reaches it; never together with `address`. */
  readonly all?: boolean;
  /** Whether the bytes of blobs are read. Default true; false: only whether they are there. */
  readonly content?: boolean;
}

/** An object that is not what it should be. */
export interface ObjectFinding {
  /** Its id. */
  readonly object: string;
  /** What it is, or is said to be; absent where nobody says. */
  readonly type?: ObjectReference['type'];
  /** Code of the error that a reader would get. */
  readonly code: string;
  readonly message: string;
  /** The first hundred that refer to it. */
  readonly referrers: readonly ObjectReferrer[];
  readonly referrerCount: number;
}

/** What a verification of objects read, and what it found. Lists hold the first thousand. */
export interface ObjectVerification {
  /** `damaged`: some are missing or corrupt. `partial`: a backend is away, and nothing else was found. */
  readonly outcome: 'ok' | 'damaged' | 'partial';
  /** Objects that were looked at, and blobs of bytes among them. */
  readonly objects: number;
  readonly blobs: number;
  /** Bytes of those that were read. */
  readonly bytes: number;
  /** Not there, or some of their bytes are not. */
  readonly missing: readonly ObjectFinding[];
  readonly missingCount: number;
  /** There, and not what their ids say. */
  readonly corrupt: readonly ObjectFinding[];
  readonly corruptCount: number;
  /** On a backend that is away. */
  readonly unreachable: readonly ObjectFinding[];
  readonly unreachableCount: number;
}

/** Immutable objects of a namespace, named by what they are. Every read proves what it returns. */
export interface Objects {
  /**
   * Stores bytes. With `metadata`, also an object that names them beside it: that one's id is the result's.
   * @throws as `Entries.put` for its source
   */
  putBlob(source: Source, options?: ProgressOptions & { readonly metadata?: JsonObject }): Promise<ObjectPutResult>;
  /** Stores any JSON object. @throws `invalid/OBJECT_INVALID` */
  putBundle(content: JsonObject, options?: ObjectPutOptions): Promise<ObjectPutResult>;
  /**
   * Stores a tree: a few thousand children at most, which are objects that are there.
   * @throws `invalid/OBJECT_INVALID`, `not-found/OBJECT_NOT_FOUND`
   */
  putTree(children: readonly TreeChild[], options?: ObjectPutOptions): Promise<ObjectPutResult>;
  /** Stores a snapshot of objects that are there. @throws as `putTree` */
  putSnapshot(content: SnapshotContent, options?: ObjectPutOptions): Promise<ObjectPutResult>;
  /** Stores an object as a whole, of whichever type. @throws as `putTree` */
  put(object: StructuredObject, options?: CallOptions): Promise<ObjectPutResult>;

  /** A structured object. @throws `not-found/OBJECT_NOT_FOUND`, `invalid/OBJECT_WRONG_TYPE` for bytes, `corrupt/*` */
  get(id: string, options?: CallOptions): Promise<StructuredObject>;
  getBundle(id: string, options?: CallOptions): Promise<BundleObject>;
  getTree(id: string, options?: CallOptions): Promise<TreeObject>;
  getSnapshot(id: string, options?: CallOptions): Promise<SnapshotObject>;
  /** A blob with metadata. */
  getBlobObject(id: string, options?: CallOptions): Promise<BlobObject>;
  /** The bytes of a blob, whether or not it has metadata. */
  getBlob(id: string, options?: CallOptions): Promise<Uint8Array>;
  readBlob(id: string, options?: StreamOptions): AsyncIterable<Uint8Array>;
  /** The bytes that an object is stored as: of a structured one its canonical JSON. */
  read(id: string, options?: CallOptions): AsyncIterable<Uint8Array>;

  has(id: string, options?: CallOptions): Promise<boolean>;
  /** @throws `not-found/OBJECT_NOT_FOUND` */
  stat(id: string, options?: CallOptions): Promise<ObjectInfo>;
  /** In an order of the store's own, which does not change. */
  list(options?: CallOptions & { readonly types?: readonly ObjectType[] }): AsyncIterable<ObjectInfo>;
  /**
   * The one object whose id begins so.
   * @param prefix 4 to 64 digits of hex
   * @throws `not-found/OBJECT_NOT_FOUND`; `invalid/ID_AMBIGUOUS`, whose message lists them
   */
  resolve(prefix: string, options?: CallOptions): Promise<ObjectInfo>;
  /**
   * Follows what is written as people do: an id or its beginning, a ref, `latest`, with steps back and a path; see
   * `docs/objects.md`.
   * @throws `invalid/ADDRESS_INVALID`, `not-found/*`, `invalid/ID_AMBIGUOUS`
   */
  find(address: string, options?: CallOptions & { readonly timeZone?: string }): Promise<FoundAddress>;
  /**
   * Reads objects from where they lie, hashes them anew and looks whether what they refer to is there; each once, however
   * many refer to it. Goes on past what is wrong, so that all of it is told, with who refers to it. Where the store is
   * writable, bad chunks are flagged, so that the next put of them stores them anew. Holds the ids of what it has seen;
   * with `all`, of what is wrong.
   * @throws `corrupt/METADATA_CORRUPT` where the lists of refs or objects cannot be read; what `find` throws for the
   *   address; the signal's reason
   */
  verify(options?: ObjectsVerifyOptions): Promise<ObjectVerification>;
  /**
   * Why an object is kept: which refs, and moves of refs, lead to it, and how. Goes through all that refs reach, and
   * holds their ids. An entry with the same content keeps bytes, but no object.
   * @param id where bytes and a structured object have one id, the structured one
   * @throws `not-found/OBJECT_NOT_FOUND`
   */
  explain(id: string, options?: CallOptions): Promise<Explanation>;
}

/** What an address leads to. */
export interface FoundAddress {
  readonly reference: ObjectReference;
  /** The object before the path. */
  readonly base: ObjectReference;
  /** Where a path led: what the tree says of it. */
  readonly child?: TreeChild;
  /** The ref that it went by, and the number of the move in its history. */
  readonly ref?: string;
  readonly number?: number;
}

/** A mutable name of an object. */
export interface RefInfo {
  readonly name: string;
  readonly id: string;
  readonly type: ObjectType;
  /** When it moved there, by the clock of the store; ISO 8601, UTC. */
  readonly moved: string;
}

/** One move of a ref. */
export interface RefMove {
  /** From 1. */
  readonly number: number;
  /** By the clock of the store; ISO 8601, UTC. */
  readonly time: string;
  /** `null`: there was no such ref before, or it was deleted. */
  readonly from: ObjectReference | null;
  readonly to: ObjectReference | null;
  readonly message: string;
}

/** How to move a ref. */
export interface RefOptions extends CallOptions {
  /** Move it only from there (`null`: from nowhere), else `conflict/PRECONDITION_FAILED`. */
  readonly expected?: string | null;
  /** Kept in the history; at most 1,024 bytes. */
  readonly message?: string;
}

/** Mutable names of objects, each with the history of its moves. What they name, and named, is kept. */
export interface Refs {
  /**
   * Makes a ref, or moves it.
   * @param id of any object; where bytes and a structured object have one id, the structured one
   * @throws `invalid/REF_INVALID`, `not-found/OBJECT_NOT_FOUND`, `conflict/PRECONDITION_FAILED`
   */
  set(name: string, id: string, options?: RefOptions): Promise<RefInfo>;
  /** `undefined` when there is none. @throws `invalid/REF_INVALID` */
  get(name: string, options?: CallOptions): Promise<RefInfo | undefined>;
  /** Its history stays until it is forgotten. @returns whether there was such a ref */
  delete(name: string, options?: RefOptions): Promise<boolean>;
  /** In the order of names. */
  list(options?: CallOptions & { readonly prefix?: string }): AsyncIterable<RefInfo>;
  /** Newest first, also of a ref that was deleted. */
  history(name: string, options?: CallOptions & { readonly before?: number }): AsyncIterable<RefMove>;
  /** Names that have a history, deleted refs among them. */
  named(options?: CallOptions): AsyncIterable<string>;
  /**
   * Forgets moves: what only they named is kept no longer.
   * @returns how many there were
   */
  forget(name: string, numbers: readonly number[], options?: CallOptions): Promise<number>;
}
