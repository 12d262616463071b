/** Marks in the header of the SQLite file (https://sqlite.org/fileformat2.html section 1.3) and names beside it. */

/**
 * `application_id`: "HFmd" of a plain store, "HFms" of a sealed one. Tells a foreign database from a damaged one, and
 * neither kind is ever taken for the other: versions of the schema count for each kind.
 */
export const PLAIN_APPLICATION_ID = 0x48466d64;
export const SEALED_APPLICATION_ID = 0x48466d73;

/**
 * `application_id` of a single-file store, whose one database holds blobs and metadata: "HFfn" while it has no metadata,
 * then "HFfd" of a plain store or "HFfs" of a sealed one.
 */
export const SINGLE_FILE_APPLICATION_IDS = { none: 0x4846666e, plain: 0x48466664, sealed: 0x48466673 } as const;

/**
 * `user_version` of a database that was set aside: nobody may use it any more. Otherwise it is the schema's version.
 */
export const SET_ASIDE_VERSION = -1;

/** A path that means: no file, gone when closed. */
export const IN_MEMORY = ':memory:';

/** The write-ahead log and the index over it, of a database file. */
export const LOG_SUFFIX = '-wal';
export const LOG_INDEX_SUFFIX = '-shm';
