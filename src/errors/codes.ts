/**
 * Every error code of Holdfast with the kind it belongs to. A kind says what the caller can do, a code what happened;
 * codes are API and never change their meaning. `docs/errors.md` explains each one.
 */

export type ErrorKind =
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'denied'
  | 'corrupt'
  | 'unavailable'
  | 'exhausted'
  | 'unsupported'
  | 'closed'
  | 'internal';

/** The kind of every code. */
export const ERROR_CODES = {
  KEY_INVALID: 'invalid',
  RANGE_INVALID: 'invalid',
  CHUNKING_INVALID: 'invalid',
  CHUNKER_FINISHED: 'invalid',
  CHUNKS_INVALID: 'invalid',
  REDUNDANCY_INVALID: 'invalid',
  BACKEND_INVALID: 'invalid',
  SHARDS_INVALID: 'invalid',
  SHARD_SET_INVALID: 'invalid',
  DIGEST_INVALID: 'invalid',
  PROOF_INVALID: 'invalid',
  HASHER_FINISHED: 'invalid',
  ATTRIBUTES_INVALID: 'invalid',
  SOURCE_INVALID: 'invalid',
  LOCATION_INVALID: 'invalid',
  BATCH_TOO_LARGE: 'invalid',
  NOT_A_STORE: 'invalid',
  CREDENTIAL_INVALID: 'invalid',
  NAMESPACE_INVALID: 'invalid',
  REF_INVALID: 'invalid',
  ADDRESS_INVALID: 'invalid',
  ARCHIVE_INVALID: 'invalid',
  PATH_UNSAFE: 'invalid',
  BACKEND_KEY_INVALID: 'invalid',
  BACKEND_RANGE_INVALID: 'invalid',
  ENTRY_NOT_FOUND: 'not-found',
  CHUNK_NOT_FOUND: 'not-found',
  STORE_NOT_FOUND: 'not-found',
  SOURCE_NOT_FOUND: 'not-found',
  CREDENTIAL_NOT_FOUND: 'not-found',
  SLOT_NOT_FOUND: 'not-found',
  NAMESPACE_NOT_FOUND: 'not-found',
  BACKEND_NOT_FOUND: 'not-found',
  ENTRY_EXISTS: 'conflict',
  PRECONDITION_FAILED: 'conflict',
  STORE_EXISTS: 'conflict',
  STORE_IN_USE: 'conflict',
  SOURCE_CHANGED: 'conflict',
  KEYS_CHANGED: 'conflict',
  BLOB_EXISTS: 'conflict',
  NAMESPACE_EXISTS: 'conflict',
  LAST_SLOT: 'conflict',
  SLOT_EXISTS: 'conflict',
  BACKEND_EXISTS: 'conflict',
  BACKEND_MISMATCH: 'conflict',
  BACKEND_IN_USE: 'conflict',
  PERMISSION_DENIED: 'denied',
  READ_ONLY: 'denied',
  KEY_REQUIRED: 'denied',
  WRONG_KEY: 'denied',
  KEY_FILE_EXPOSED: 'denied',
  STORE_NOT_SEALED: 'denied',
  EPOCH_UNKNOWN: 'denied',
  NAMESPACE_KEY_GONE: 'denied',
  WRITE_ONLY: 'denied',
  WRITER_UNKNOWN: 'denied',
  CHUNK_MISSING: 'corrupt',
  CHUNK_CORRUPT: 'corrupt',
  ENTRY_CORRUPT: 'corrupt',
  MANIFEST_CORRUPT: 'corrupt',
  PACK_CORRUPT: 'corrupt',
  SHARD_CORRUPT: 'corrupt',
  SHARD_MISSING: 'corrupt',
  SHARDS_INSUFFICIENT: 'corrupt',
  SHARD_SET_CORRUPT: 'corrupt',
  COMPRESSED_CORRUPT: 'corrupt',
  CONFIG_CORRUPT: 'corrupt',
  ROLLBACK_DETECTED: 'corrupt',
  KEY_PAGE_MISSING: 'corrupt',
  KEY_PAGE_CORRUPT: 'corrupt',
  MESSAGE_CORRUPT: 'corrupt',
  METADATA_CORRUPT: 'corrupt',
  METADATA_MISSING: 'corrupt',
  JOURNAL_CORRUPT: 'corrupt',
  JOURNAL_GAP: 'corrupt',
  JOURNAL_FORK: 'corrupt',
  BACKEND_IO: 'unavailable',
  BACKEND_UNREACHABLE: 'unavailable',
  REDUNDANCY_UNMET: 'unavailable',
  METADATA_BUSY: 'unavailable',
  COMMIT_PENDING: 'unavailable',
  CONFIG_PENDING: 'unavailable',
  SHRED_PENDING: 'unavailable',
  QUOTA_EXCEEDED: 'exhausted',
  FREE_SPACE_LOW: 'exhausted',
  DISK_FULL: 'exhausted',
  BLOB_TOO_LARGE: 'exhausted',
  FORMAT_UNSUPPORTED: 'unsupported',
  CODEC_UNSUPPORTED: 'unsupported',
  OPERATION_UNSUPPORTED: 'unsupported',
  CAPABILITY_UNSUPPORTED: 'unsupported',
  SETTING_UNSUPPORTED: 'unsupported',
  ENTRY_ISOLATED: 'unsupported',
  ARCHIVE_ITEM_UNSUPPORTED: 'unsupported',
  NODE_UNSUPPORTED: 'unsupported',
  STORE_CLOSED: 'closed',
  STORE_POISONED: 'closed',
  BACKEND_CLOSED: 'closed',
  BATCH_ENDED: 'closed',
  INVARIANT_BROKEN: 'internal',
} as const satisfies Record<string, ErrorKind>;

/** Name of what happened; stable. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Process exit status of the command line, by kind. */
export const EXIT_STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 2,
  'not-found': 3,
  conflict: 4,
  denied: 5,
  corrupt: 6,
  unavailable: 7,
  exhausted: 8,
  unsupported: 9,
  closed: 10,
  internal: 70,
};
