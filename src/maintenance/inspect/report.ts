/** What inspecting one blob gives: plain data with ids, digests and keys as text, the same that `--json` prints. */
import type { ErrorCode } from '../../errors/codes.ts';
import type { PackClass } from '../../format/index.ts';
import type { ObjectType } from '../../objects/index.ts';

/** How much to tell. */
export interface InspectBlobOptions {
  /** Items, journal records, and things that one operation names: at most so many of each are listed. Default 1,000. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Kinds of blobs. */
export type BlobKind = 'shard' | 'pack' | 'config' | 'backend marker' | 'key page' | 'message head' | 'message part';

/** What can be inspected: blobs, the database of a store in one file, and what an open store knows by an id. */
export type InspectedKind = BlobKind | 'single file' | 'chunk' | 'manifest node' | 'object' | 'journal record';

/** Something that is not as it was written, or that this version does not know. */
export interface InspectionProblem {
  /** Which part: `pack footer`, `record 3`, `block 0`, ... */
  readonly part: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a blob holds. The members of what it is are there, as far as they can be read. */
export interface Inspection {
  readonly kind: InspectedKind;
  /** The file, where one was named. */
  readonly path?: string;
  readonly bytes: number;
  /**
   * `ok`: nothing is wrong with what could be read. `damaged`: some part is not what was written. `unsupported`: some part
   * takes a newer version of Holdfast.
   */
  readonly outcome: 'ok' | 'damaged' | 'unsupported';
  /** The first thousand, and how many there are. */
  readonly problems: readonly InspectionProblem[];
  readonly problemCount: number;
  /** Why sealed parts were not opened: `KEY_REQUIRED` without keys. */
  readonly locked?: ErrorCode;
  readonly shard?: InspectedShard;
  readonly pack?: InspectedPack;
  /** As it is written, but for its check. */
  readonly config?: object;
  /** With keys: what the ring of the config holds beside secrets. */
  readonly ring?: InspectedRing;
  readonly marker?: { readonly storeId: string; readonly backendId: string };
  readonly keyPage?: { readonly namespace: number; readonly opens?: boolean };
  readonly message?: InspectedMessage;
  readonly part?: InspectedMessagePart;
  readonly file?: InspectedFile;
  /** Of what an open store knows by an id or a commit number: where it is found. */
  readonly place?: InspectedPlace;
  readonly manifest?: InspectedManifest;
  readonly object?: InspectedObject;
  readonly record?: InspectedRecord;
}

/** What a shard says of itself, and which of its blocks are good. */
export interface InspectedShard {
  readonly header?: {
    readonly store: string;
    readonly pack: string;
    readonly stripe: string;
    readonly matrix: number;
    readonly index: number;
    readonly k: number;
    readonly m: number;
    readonly packBytes: number;
    readonly shardBytes: number;
  };
  /** Without a header to hold it against only the roots are known to be good. */
  readonly trailer?: { readonly blocks: number; readonly roots: readonly string[] };
  /** Blocks whose bytes are not those of the trailer; the first thousand. Absent when that cannot be told. */
  readonly damagedBlocks?: readonly number[];
}

/** What a pack says of itself. */
export interface InspectedPack {
  readonly bytes: number;
  readonly header?: {
    readonly store: string;
    readonly pack: string;
    readonly session: string;
    readonly class: PackClass;
    readonly keyMode: 'plain' | 'sealed';
    readonly namespace: number;
    readonly epoch: number;
    readonly salt?: string;
  };
  readonly footer?: {
    readonly directoryOffset: number;
    readonly directoryLength: number;
    readonly recordCount: number;
    readonly itemCount: number;
    readonly paddingLength: number;
  };
  /** Its directory, in pack order: the first `limit` items. */
  readonly items?: readonly InspectedItem[];
  /** The journal records in it: the first `limit`. */
  readonly journal?: readonly InspectedRecord[];
  /** In an open store: how it became shards, and the backend of each, `null` for one that lies nowhere. */
  readonly stripe?: {
    readonly id: string;
    readonly k: number;
    readonly m: number;
    readonly backends?: readonly (string | null)[];
  };
}

/** One item of a directory. */
export interface InspectedItem {
  /** Of its record, which several items may share. */
  readonly ordinal: number;
  readonly kind: 'chunk' | 'manifest' | 'journal' | 'checkpoint';
  readonly id: string;
  readonly offset: number;
  readonly storedLength: number;
  readonly plainLength: number;
  readonly codec: number;
  readonly inner: number;
  readonly length: number;
}

/** A journal record. */
export interface InspectedRecord {
  readonly commit: number;
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly incarnation: string;
  readonly previous: string;
  readonly digest: string;
  readonly operationCount: number;
  /** The first `limit`. */
  readonly operations: readonly InspectedOperation[];
}

/** An operation with its type and what it names; which members there are depends on the type. */
export interface InspectedOperation {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** What the key ring of a sealed store holds beside secrets. */
export interface InspectedRing {
  readonly epochs: readonly { readonly number: number; readonly created: string }[];
  readonly namespaces: readonly {
    readonly number: number;
    readonly name: string;
    readonly created: string;
    readonly quotaBytes?: number;
  }[];
  readonly writers: readonly { readonly label: string; readonly fingerprint: string; readonly namespace: number }[];
}

/** What the head of an inbox message says. */
export interface InspectedMessage {
  readonly store: string;
  readonly message: string;
  readonly namespace: number;
  readonly epoch: number;
  /** Public key of the writer. */
  readonly writer: string;
  readonly signed: boolean;
  /** With keys: the entry it asks for. */
  readonly entry?: {
    readonly key: string;
    readonly contentType?: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly digest: string;
    readonly size: number;
    readonly parts: number;
  };
}

/** A part of an inbox message. */
export interface InspectedMessagePart {
  readonly message: string;
  readonly index: number;
  /** With keys, and the head beside it: the pieces of content in it; the first `limit`. */
  readonly pieces?: readonly { readonly length: number; readonly chunk?: string }[];
  readonly pieceCount?: number;
}

/** The file of a single-file store, as SQLite tells it. */
export interface InspectedFile {
  readonly pageBytes: number;
  readonly blockBytes: number;
  readonly pages: number;
  readonly freePages: number;
  readonly capacityBytes?: number;
  readonly blobs: number;
  readonly blobBytes: number;
}

/** Where the store finds something. */
export interface InspectedPlace {
  /** Id of its pack; absent: not in a pack yet, but in the outbox of the metadata. */
  readonly pack?: string;
  readonly item?: InspectedItem;
  /** A reader found it damaged. */
  readonly suspect?: true;
  /** It is garbage that will be deleted. */
  readonly condemned?: true;
}

/** A manifest node. */
export interface InspectedManifest {
  /** 0 for a leaf, which lists chunks. */
  readonly level: number;
  readonly childCount: number;
  /** The first `limit`: plain digests of chunks, or ids of nodes with the chunks beneath them. */
  readonly children: readonly { readonly id: string; readonly bytes: number; readonly chunks?: number }[];
}

/** An object, by its row. */
export interface InspectedObject {
  readonly id: string;
  readonly type: ObjectType;
  readonly size: number;
  readonly chunkCount: number;
  readonly root: string;
  /** Id of its manifest; absent when that is in its row. */
  readonly manifest?: string;
  /** ISO 8601 in UTC. */
  readonly stored: string;
}
