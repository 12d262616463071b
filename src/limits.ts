/** Every bound of Holdfast, with the relations between them checked when this module loads. Sizes are in bytes. */

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Entry keys: UTF-8, not empty. */
export const ENTRY_KEY_BYTES_MAX = 1024;
/** Attributes of one entry, as encoded. */
export const ATTRIBUTES_BYTES_MAX = 16 * KIB;
export const CONTENT_TYPE_BYTES_MAX = 256;

/** Backend keys: `[a-z0-9][a-z0-9._-]*` components separated by `/`. */
export const BACKEND_KEY_LENGTH_MAX = 200;
export const BACKEND_KEY_DEPTH_MAX = 4;
/** Largest blob a backend must take: a full pack with its shard frame fits with room for one oversized record. */
export const BLOB_BYTES_MAX = 96 * MIB;
export const BACKEND_LIST_PAGE_MAX = 1000;

/** No chunker may make larger chunks: one chunk must fit a record, and several must fit the memory budget. */
export const CHUNK_BYTES_MAX = 32 * MIB;
export const CHUNK_BYTES_MIN = 64;

/** Plain bytes of chunks compressed together into one record. A single larger chunk gets a record of its own. */
export const RECORD_PLAIN_BYTES_TARGET = MIB;
export const RECORD_ITEMS_MAX = 4096;
/** A pack is closed when it reaches this; one record may carry it beyond. */
export const PACK_BYTES_TARGET = 16 * MIB;
export const PACK_RECORDS_MAX = 65_536;
/** Every shard block of this size has a digest in the shard trailer. */
export const SHARD_BLOCK_BYTES = 64 * KIB;

export const MANIFEST_LEAF_CHUNKS_MAX = 4096;
/** A manifest of one leaf up to this size rides in the entry itself. */
export const MANIFEST_INLINE_BYTES_MAX = 16 * KIB;

/** Chunk records of one operation up to this size ride in its commit instead of a data pack. */
export const INLINE_BYTES_MAX = 64 * KIB;
/** Inline bytes and operations of one commit, however many callers share it. */
export const COMMIT_INLINE_BYTES_MAX = MIB;
export const COMMIT_OPERATIONS_MAX = 4096;
/** One journal record as encoded. */
export const JOURNAL_RECORD_BYTES_MAX = 32 * MIB;

/** Plaintext held in memory by all puts of one store, and by one read. */
export const WRITE_BUDGET_BYTES = 48 * MIB;
export const READ_BUDGET_BYTES = 32 * MIB;
/** Neighbouring records are fetched with one backend read up to this size. */
export const READ_COALESCE_BYTES = 4 * MIB;
export const LOOKUP_BATCH_CHUNKS = 1024;

/** Allocated on every folder backend; only delete, journal and gc may spend it. */
export const RESERVE_BYTES = 16 * MIB;

/** Packs smaller than half a full pack are merged when this many of one size tier have gathered. */
export const MERGE_FAN_IN = 8;

export const LIST_PAGE_DEFAULT = 1000;
export const LIST_PAGE_MAX = 10_000;

const RELATIONS: readonly (readonly [boolean, string])[] = [
  [CHUNK_BYTES_MAX >= RECORD_PLAIN_BYTES_TARGET, 'a chunk may fill a record'],
  [PACK_BYTES_TARGET + CHUNK_BYTES_MAX * 1.5 < BLOB_BYTES_MAX, 'a pack with one oversized record fits a blob'],
  [PACK_BYTES_TARGET % SHARD_BLOCK_BYTES === 0, 'a full pack is whole blocks'],
  [INLINE_BYTES_MAX <= COMMIT_INLINE_BYTES_MAX, 'one operation fits a commit'],
  [COMMIT_INLINE_BYTES_MAX < PACK_BYTES_TARGET, 'the inline bytes of a commit fit a journal pack'],
  [MANIFEST_LEAF_CHUNKS_MAX * 40 < RECORD_PLAIN_BYTES_TARGET, 'a manifest leaf fits a record'],
  [WRITE_BUDGET_BYTES > CHUNK_BYTES_MAX, 'the largest chunk fits the write budget'],
];
for (const [holds, statement] of RELATIONS) {
  if (!holds) throw new Error(`limits.ts: broken relation: ${statement}`);
}
