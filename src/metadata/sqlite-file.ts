/** Marks in the header of the SQLite file (https://sqlite.org/fileformat2.html section 1.3) and names beside it. */

/** `application_id`: "HFmd". Tells a foreign database from a damaged one. */
export const APPLICATION_ID = 0x48466d64;

/** `user_version` of a database that was set aside: nobody may use it any more. Otherwise it is the schema's version. */
export const SET_ASIDE_VERSION = -1;

/** A path that means: no file, gone when closed. */
export const IN_MEMORY = ':memory:';

/** The write-ahead log and the index over it, of a database file. */
export const LOG_SUFFIX = '-wal';
export const LOG_INDEX_SUFFIX = '-shm';
