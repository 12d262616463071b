/** Every bound of Holdfast; the relations between them stand in `limits.test.ts`. Sizes are in bytes. */

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Entry keys: UTF-8, not empty. */
export const ENTRY_KEY_BYTES_MAX = 1024;
/** An entry key with the namespace before it, as metadata and journal hold it. */
export const SCOPED_KEY_BYTES_MAX = 5 + ENTRY_KEY_BYTES_MAX;
/** Numbers of namespaces are u32; from here on they are those of isolated entries, namespaces of one. */
export const NAMESPACE_NUMBER_MAX = 0xffff_ffff;
export const ISOLATED_NAMESPACE_MIN = 0x8000_0000;
/** Key epochs of one store; one is added by every rotation. */
export const EPOCH_NUMBER_MAX = 0xffff_ffff;
/** Attributes of one entry, as encoded. */
export const ATTRIBUTES_BYTES_MAX = 16 * KIB;
export const CONTENT_TYPE_BYTES_MAX = 256;

/** One entry value as encoded. */
export const ENTRY_VALUE_BYTES_MAX = 40 * KIB;
/** One operation of a namespace as encoded and sealed. */
export const OPERATION_BYTES_MAX = 64 * KIB;
/** Numbers of steps that one operation names. */
export const OPERATION_NUMBERS_MAX = 4096;

/** Backend keys: `[a-z0-9][a-z0-9._-]*` components separated by `/`. */
export const BACKEND_KEY_LENGTH_MAX = 200;
export const BACKEND_KEY_DEPTH_MAX = 4;
/** Largest blob a backend must take: a full pack with its shard frame fits with room for one oversized record. */
export const BLOB_BYTES_MAX = 96 * MIB;
export const BACKEND_LIST_PAGE_MAX = 1000;
/** Calls the built-in backends take at once. */
export const BACKEND_CONCURRENCY_MAX = 64;
/** A folder backend hands a value to the system in slices of this size, and looks at the abort signal between them. */
export const FS_WRITE_SLICE_BYTES = 8 * MIB;
/** Longest wait between two tries of one backend call. */
export const BACKEND_RETRY_DELAY_MS_MAX = 30_000;
/** A temporary file of another machine, whose processes cannot be asked for, counts as abandoned after a day. */
export const TEMPORARY_AGE_MS_MAX = 24 * 3600 * 1000;

/** No chunker may make larger chunks: one chunk must fit a record, and several must fit the memory budget. */
export const CHUNK_BYTES_MAX = 32 * MIB;
export const CHUNK_BYTES_MIN = 64;

/** FastCDC: the bounds of fastcdc-rs 4 (`v2020`), whose cut points Holdfast reproduces. */
export const FASTCDC_MIN_BYTES_MAX = MIB;
export const FASTCDC_AVG_BYTES_MIN = 256;
export const FASTCDC_AVG_BYTES_MAX = 4 * MIB;
export const FASTCDC_MAX_BYTES_MIN = KIB;
export const FASTCDC_MAX_BYTES_MAX = 16 * MIB;
export const FASTCDC_NORMALISATION_MAX = 3;
/** Buzhash: bytes under the rolling window, and how many low bits of its state may be tested. */
export const BUZHASH_WINDOW_BYTES = 32;
export const BUZHASH_MASK_BITS_MIN = 6;
export const BUZHASH_MASK_BITS_MAX = 25;

/** Plain bytes of chunks compressed together into one record. A single larger chunk gets a record of its own. */
export const RECORD_PLAIN_BYTES_TARGET = MIB;
/** Of structured objects: they are read one by one, and reading one opens its whole record. */
export const OBJECT_RECORD_BYTES = 128 * KIB;
export const RECORD_ITEMS_MAX = 4096;
/** Plain bytes of any record: one chunk or journal record of the largest size. */
export const RECORD_PLAIN_BYTES_MAX = 32 * MIB;
/** A pack is closed when it reaches this; one record may carry it beyond. */
export const PACK_BYTES_TARGET = 16 * MIB;
/** Largest pack: as a single shard, header and digests of the shard included, it is still a blob. */
export const PACK_BYTES_MAX = BLOB_BYTES_MAX - MIB;
export const PACK_RECORDS_MAX = 65_536;
export const PACK_ITEMS_MAX = 524_288;
/** Smaller packs are stored as copies, since cutting them would save less than the frames of their shards cost. */
export const COPIED_PACK_BYTES_MAX = 64 * KIB;
/** Backends of one store, their numbers (u16), and what its config says of each. */
export const STORE_BACKENDS_MAX = 255;
export const BACKEND_NUMBER_MAX = 0xffff;
export const BACKEND_URL_LENGTH_MAX = 1024;
export const BACKEND_WEIGHT_MAX = 1000;
/** Every shard block of this size has a digest in the shard trailer. */
export const SHARD_BLOCK_BYTES = 64 * KIB;
/** A shard of up to this is read whole where its frame is needed: a request of an object store takes longer than these bytes. */
export const SHARD_READ_WHOLE_BYTES_MAX = 256 * KIB;
/** Bytes of shards that one inspection of a stripe, or one step of making shards anew, reads at a time. */
export const SHARD_READ_BYTES = 32 * MIB;
/** Most bytes of one shard that are read at once. */
export const SHARD_READ_PIECE_BYTES_MAX = 4 * MIB;
/** Shards that are made anew side by side, together; one larger shard goes alone. */
export const SHARDS_MADE_BYTES_MAX = 96 * MIB;
/** How long a backend may take for one answer of a repair or verification, and for taking a shard, milliseconds. */
export const SHARD_READ_TIMEOUT_MS = 60_000;
export const SHARD_WRITE_TIMEOUT_MS = 120_000;
/** Packs whose shards a check keeps in mind at once; of more it lists the backends part by part. */
export const CHECK_PASS_PACKS = 16_384;
/** Findings of shards, and repairs, that a report lists in full. */
export const FINDINGS_LISTED_MAX = 1000;
/** Of each finding, who refers to it; and ways in which an object is reached. */
export const REFERRERS_LISTED_MAX = 100;
export const LIFELINES_LISTED_MAX = 1000;
/** Shards that were found good before the metadata is told. */
export const VERIFIED_BATCH_SHARDS = 256;
/** What a watching scrub does unless told otherwise: how fast it reads, how old a verification may become, how it waits. */
export const SCRUB_BYTES_PER_SECOND = 10 * MIB;
export const SCRUB_AGE_MS = 7 * 24 * 3600 * 1000;
export const SCRUB_WAIT_MS = 60_000;
/** References that are looked at together to be counted. */
export const GC_COUNT_ROWS = 256;
/** Items that one transaction of a collection is about, for counting what one more reference names: they cost memory. */
export const GC_ITEMS = 1024;
/** Steps of counting in a row that find less than their fill, and rounds with what became garbage meanwhile, at most. */
export const [GC_COUNT_STEPS_SMALL, GC_ROUNDS_MAX] = [100, 6] as const;
/** Rows that one step of the census, or of a look at objects, goes through. */
export const GC_SCAN_ROWS = 1024;
/** A pack is compacted when at least this part of it is dead. */
export const GC_DEAD_SHARE = 0.25;
/** What frames one item in a pack, about: its part of a trailer and its place in the directory. */
export const PACK_ITEM_OVERHEAD_BYTES = 64;
/** Objects that nothing refers to are kept so long after they were put: who puts them may be about to name them. */
export const GC_GRACE_MS = 14 * 24 * 3_600_000;
/** How long a collection that was asked for waits for operations that may count on what it wants to delete. */
export const GC_WAIT_MS = 10_000;
/** How often it looks whether they have ended. */
export const GC_POLL_MS = 20;
/** How often it looks whether another process is done with collecting. */
export const LEASE_POLL_MS = 100;
/** How often an open store collects by itself, for how long, and how much it writes for that at most. */
export const GC_STEP_MS = 5000;
export const GC_STEP_WORK_MS = 250;
export const GC_STEP_BYTES = 32 * MIB;
/** How often an open store looks whether others wait for it, so that an idle one holds nothing back for longer. */
export const SESSION_LOOK_MS = 1000;
/** What a page of a checkpoint holds, about, and how many pages of different namespaces may be open at once. */
export const [CHECKPOINT_PAGE_BYTES, CHECKPOINT_OPEN_PAGES_MAX] = [256 * KIB, 16] as const;
/** A checkpoint is due after so many bytes or records, and so large a share of the bytes of the last one. */
export const CHECKPOINT_JOURNAL = { bytes: 8 * MIB, records: 10_000, share: 0.25 } as const;
/** How often a session shows that it lives, and after which silence it is taken for dead. */
export const SESSION_BEAT_MS = 10_000;
export const SESSION_SILENCE_MS = 120_000;
/** A stream that nobody asks for its next piece for so long holds back no space any more. */
export const STREAM_IDLE_MS = 600_000;
/** An open store repairs as much in one step, so often, and seldom where nothing can be done. */
export const HEAL_STEP_BYTES = 64 * MIB;
export const HEAL_STEP_PACKS = 64;
export const HEAL_STEP_MS = 2000;
export const HEAL_WAIT_MS_MAX = 10 * 60_000;
/** Data and parity shards of one stripe: the non-zero elements of GF(2^8). */
export const STRIPE_SHARDS_MAX = 255;
/** Coefficients that one erasure code keeps for the losses it has met. */
export const ERASURE_CACHE_BYTES = MIB;
/** Bytes of each shard that are coded together in a stream, unless the caller says otherwise, and the bounds of that. */
export const ERASURE_COLUMN_BYTES = 64 * KIB;
export const ERASURE_COLUMN_BYTES_MAX = 16 * MIB;
/** All shards of one shard set, which is a value in memory. */
export const SHARD_SET_BYTES_MAX = 256 * MIB;
/** A shard set as JSON; V8 has no longer strings than 2^29 - 24. */
export const SHARD_SET_JSON_LENGTH_MAX = 400 * MIB;
/** Texts of a shard set: what it is tied to, where shards lie. */
export const SHARD_SET_TEXT_BYTES_MAX = 256;
/**
 * Choices of shards that are decoded before a set counts as lost: all there are for any preset. Large sets are tried less
 * often, so that no more than so many bytes are decoded and hashed, but a few times in any case.
 */
export const SHARD_SET_CHOICES_MAX = 10_000;
export const SHARD_SET_CHOICES_MIN = 32;
export const SHARD_SET_WORK_BYTES_MAX = 16 * 1024 * MIB;
/** Shards on their way to or from one backend at once, unless the caller says otherwise, and the bound of that. */
export const SPREAD_CALLS_PER_BACKEND = 4;
export const SPREAD_CALLS_MAX = 64;
/** How long one shard may take on one backend, and after how long another one is read besides, milliseconds. */
export const SPREAD_TIMEOUT_MS = 30_000;
export const SPREAD_HEDGE_MS = 100;
/** The longest such wait. */
export const SPREAD_WAIT_MS_MAX = 24 * 3600 * 1000;
/** How long a call that was aborted may take to notice before what it wrote is taken back, milliseconds. */
export const SPREAD_GRACE_MS = 100;

export const MANIFEST_LEAF_CHUNKS_MAX = 4096;
/** Children of an inner node. */
export const MANIFEST_FANOUT = 1024;
/** Level of the highest inner node; leaves are level 0. */
export const MANIFEST_LEVEL_MAX = 4;
/** The top node of a manifest rides in the entry itself up to this size. */
export const MANIFEST_INLINE_BYTES_MAX = 16 * KIB;

/** Chunk records of one operation up to this size ride in its commit instead of a data pack. */
export const INLINE_BYTES_MAX = 64 * KIB;
/** Content in memory up to this size is taken in at once, without waiting in between. */
export const SMALL_CONTENT_BYTES = 64 * KIB;
/** Inline bytes and operations of one commit, however many callers share it. */
export const COMMIT_INLINE_BYTES_MAX = MIB;
export const COMMIT_OPERATIONS_MAX = 4096;
/** Encoded operations of one commit, as estimated before it is made. */
export const COMMIT_RECORD_BYTES_MAX = 24 * MIB;
/** One journal record as encoded. */
export const JOURNAL_RECORD_BYTES_MAX = 32 * MIB;
/** Operations of one record once it is known what each change does, and the values they are made of. */
export const RECORD_OPERATIONS_BYTES_MAX = 31 * MIB;
export const RECORD_OPERATIONS_VALUES_MAX = 900_000;

/** Leaves that data is cut into for a Merkle tree of its own, and how large they may be. */
export const MERKLE_LEAF_BYTES = 64 * KIB;
export const MERKLE_LEAF_BYTES_MAX = 8 * MIB;
/** Hashes beside a range of leaves: two for every level of the highest tree. */
export const MERKLE_PATH_DIGESTS_MAX = 2 * 53;
/** Chunks that one range proof names: 4 GiB at 64 KiB each. */
export const PROOF_CHUNKS_MAX = 65_536;
/** Leaves of a tree that is written as a document. */
export const MERKLE_DOCUMENT_LEAVES_MAX = 65_536;
/** Proofs, challenges and trees as JSON text, in characters. */
export const MERKLE_DOCUMENT_BYTES_MAX = 16 * MIB;

/** Structured objects as encoded, and how deep their JSON nests. */
export const OBJECT_BYTES_MAX = 4 * MIB;
export const OBJECT_DEPTH_MAX = 256;
/** JSON that users hand in, in any spelling. */
export const JSON_DOCUMENT_BYTES_MAX = 16 * MIB;
/** Content of one node of a tree: how many names, and its bytes as encoded. */
export const TREE_NODE_NAMES_MAX = 4096;
export const TREE_NODE_BYTES_MAX = MIB;
/**
 * How folders are split into nodes. A child takes a slot for every so many bytes, a node holds as many slots as names. It
 * is not split before the least number of slots; beyond it, every so many slots on average.
 */
export const TREE_SLOT_BYTES = 256;
export const TREE_NODE_SLOTS_MIN = 1024;
export const TREE_NODE_SLOTS_GAP = 512;
/** One child as encoded: the largest attributes with room for escapes. */
export const TREE_CHILD_BYTES_MAX = 256 * KIB;
/** Levels of inner nodes above the leaves of one folder. */
export const TREE_LEVELS_MAX = 8;
/** Names of files and folders, and paths that links point to. */
export const TREE_NAME_BYTES_MAX = 4096;
export const TREE_PATH_BYTES_MAX = 64 * KIB;
/** Objects that are loaded together, and neighbouring nodes of a tree that is read. */
export const OBJECT_LOAD_BATCH = 16;
export const TREE_READ_AHEAD = 4;

/** What a CBOR parser builds from any input: values in all, and how deep they nest. */
export const CBOR_ITEMS_MAX = 1_048_576;
export const CBOR_DEPTH_MAX = 8;
/** The label of one derived key; the bound is Node's. */
export const HKDF_INFO_BYTES_MAX = KIB;
/** Seals under one salt of an envelope; then the sealer takes a fresh one: the counter holds more, AES-GCM bears less. */
export const ENVELOPE_SEALS_PER_SALT = 2 ** 32;
/** Keys that one opener of envelopes keeps, by salt. */
export const ENVELOPE_KEYS_CACHED_MAX = 256;
/** Argon2 parameters that are believed when they come from outside: less protects nothing, more is an attack. */
export const ARGON2_MEMORY_KIB_MIN = 8 * KIB;
export const ARGON2_MEMORY_KIB_MAX = 1024 * KIB;
export const ARGON2_PASSES_MAX = 16;
export const ARGON2_PARALLELISM_MAX = 16;
export const ARGON2_SALT_BYTES_MIN = 16;
export const ARGON2_SALT_BYTES_MAX = 64;
/** Secrets split into shares, and how many there are. */
export const SHARED_SECRET_BYTES_MAX = KIB;
export const SECRET_SHARES_MAX = 255;

/** `holdfast.json`. */
export const STORE_CONFIG_BYTES_MAX = 2 * MIB;

/** Ways to the master key of one store. */
export const KEY_SLOTS_MAX = 32;
/** What a key ring holds: epochs that are still needed, namespaces that were not dropped, put-only writers. */
export const RING_EPOCHS_MAX = 4096;
export const RING_NAMESPACES_MAX = 2048;
export const RING_WRITERS_MAX = 256;
/** The key ring as sealed. */
export const RING_BYTES_MAX = 600 * KIB;
/** Names of namespaces: UTF-8, not empty. */
export const NAMESPACE_NAME_BYTES_MAX = 64;
/** Passphrases, as UTF-8 where they are text. */
export const PASSPHRASE_BYTES_MAX = 4096;
/** Memory times passes of all passphrase slots of a store together, any of which may have to be tried. */
export const ARGON2_WORK_KIB_MAX = 16 * MIB;
/** Key files, identities, credentials and guards: text files of a few KiB at most. */
export const CREDENTIAL_FILE_BYTES_MAX = 64 * KIB;

/** Content of one part of an inbox message, before it is sealed; a writer holds three times as much. */
export const INBOX_PART_BYTES = 4 * MIB;
/** Parts of one message. */
export const INBOX_PARTS_MAX = 2 ** 32 - 1;
/** The head of a message, with everything around its sealed bytes. */
export const INBOX_HEAD_BYTES_MAX = 64 * KIB;
/** How often an open store looks for messages, milliseconds. */
export const INBOX_POLL_MS = 30_000;
/** Chunks of the store that adopting a message reads together. */
export const INBOX_READ_CHUNKS = 256;

/** Plaintext on its way into records, over all puts of one store; one larger chunk goes alone. */
export const WRITE_BUDGET_BYTES = 8 * MIB;
/** Tenths of a second that a connection to PostgreSQL is waited for which may be closed already. */
export const CLOSED_CONNECTION_WAITS = 20;
/** Neighbouring records are fetched with one backend read up to this size. */
export const READ_COALESCE_BYTES = 4 * MIB;
/** Plain bytes of a stream that are fetched before its reader asks for them, where it does not say how many. */
export const READ_AHEAD_BYTES = 8 * MIB;
/** Content from this size on is read in blocks that are lent, where its reader asks for that, and the size of those. */
export const LENT_CONTENT_BYTES_MIN = 8 * MIB;
export const LENT_BYTES = MIB;
export const LOOKUP_BATCH_CHUNKS = 1024;
/** Chunks that an inspection or validation remembers at a time, 32 bytes each: of more it makes several passes, or forgets. */
export const DIGESTS_KEPT_MAX = 1_048_576;
/** Files being read as sources at once, over all stores of a process: each holds a descriptor and up to 2 MiB. */
export const SOURCE_FILES_OPEN_MAX = 32;
/** Files from this size on are cut and digested by a thread of their own; for less it is not worth starting one. */
export const FILE_CUTTER_BYTES_MIN = 8 * MIB;
/** What that thread hands over at a time, and how often ahead of who asks. */
export const FILE_CUTTER_BLOCK_BYTES = MIB;
export const FILE_CUTTER_BLOCKS_AHEAD = 3;

/** Names of a folder whose facts are read together. */
export const SCAN_WINDOW_NAMES = 512;
/** Names that are sorted without a pause: some 10 ms. */
export const SORT_SLICE_NAMES = 16_384;
/** A file of rules for what a scan leaves out. */
export const EXCLUDE_FILE_BYTES_MAX = MIB;
/** Paths that the matcher of such rules remembers before it is made anew. */
export const EXCLUDE_MATCHES_KEPT = 4096;
/** Files that a stat cache remembers; further ones are read again. */
export const STAT_CACHE_ENTRIES_MAX = 2_000_000;
export const STAT_CACHE_BYTES_MAX = 512 * MIB;
/** Younger than this when a scan began, a file may change again without a new time: coarse file systems count 2 s. */
export const STAT_CACHE_RACY_MS = 2_000;
/** Files that a restore writes, or flushes, side by side. */
export const RESTORE_PARALLEL = 32;
/** Of these files as large as `RESTORE_SMALL_BYTES` and more, each of which is read ahead. */
export const RESTORE_PARALLEL_LARGE = 4;
/** Failures that the report of a restore lists; all are counted. */
export const RESTORE_FAILURES_LISTED_MAX = 1000;
/** Entries that change while they are frozen are listed anew, so many times in all. */
export const FREEZE_ATTEMPTS_MAX = 3;
/** Entries that one commit of a restore puts back, and what they take in the journal. */
export const THAW_BATCH_ENTRIES = 512;
export const THAW_BATCH_BYTES = 4 * MIB;
/** Zeros of this length, at a multiple of it, become a hole of a sparse file. */
export const SPARSE_BLOCK_BYTES = 4 * KIB;

/** Allocated on every folder backend; only delete, journal and gc may spend it. */
export const RESERVE_BYTES = 16 * MIB;
/** Packs smaller than half a full pack are merged when this many of one size tier have gathered. */
export const MERGE_FAN_IN = 8;
/** Keys of isolated entries that stay in memory though nobody is using them; each can be loaded again. */
export const ISOLATED_KEYS_KEPT_MAX = 1024;
/** Isolated entries that one dropped namespace may hold: the record of its commit names each. */
export const NAMESPACE_DROP_ISOLATED_MAX = 262_144;
/** Rows that the metadata reads in one step, other calls between two; and items of one pack that a transaction holds. */
export const [METADATA_SCAN_ROWS, METADATA_ITEMS_HELD_MAX] = [1000, 1024] as const;
/** Steps of a history that are looked up at once, however few are wanted: most of them may have been forgotten. */
export const HISTORY_LOOKUPS_MIN = 16;
/** A place so deep beneath an entry is looked at before a page goes on from it, a deeper one when it has to be. */
export const RELATION_DEPTH_CHECKED = 1000;
/** Pages of the metadata database kept in memory, beside those of snapshots. */
export const METADATA_CACHE_BYTES = 16 * MIB;
/** How long a metadata call waits for another process before it is `METADATA_BUSY`, unless the caller says otherwise. */
export const METADATA_BUSY_TIMEOUT_MS = 5_000;
/** How long overwriting old metadata waits for whoever still reads it. The thread is blocked meanwhile. */
export const METADATA_SCRUB_TIMEOUT_MS = 500;
/** When a shard was verified, milliseconds since 1970. */
export const VERIFIED_TIME_MS_MAX = 2 ** 48 - 1;

/**
 * Nodes of the sealed lists of names: full at so many bytes, where an item counts as no less than the least, so that
 * one holds at most 128 items. Opening one costs some 20 microseconds; smaller ones would make pages dearer.
 */
export const NAMES_NODE_BYTES = 8 * KIB;
export const NAMES_ITEM_BYTES_LEAST = 64;
/** Changes of names in one row of their log: what a fold or a list opens at a time. */
export const NAMES_LOG_ROW_CHANGES = 128;
/** Changes that one fold step moves: it holds up commits for no longer than that takes. */
export const NAMES_FOLD_CHANGES = 256;
/**
 * The log is folded when it has more changes than this. Beyond the maximum, which it exceeds by no more than a quarter,
 * commits take part in folding it.
 */
export const NAMES_LOG_CHANGES_TARGET = 1000;
export const NAMES_LOG_CHANGES_MAX = 8000;

export const LIST_PAGE_DEFAULT = 1000;
/** Steps of a history that are read at a time; each may carry the largest entry value. */
export const HISTORY_PAGE = 256;
/** Versions that one change forgets, and changes of one commit that forgets. */
export const FORGET_NUMBERS_PER_CHANGE = 1000;
export const FORGET_ENTRIES_PER_COMMIT = 256;
/** Related entries that are read at a time. */
export const RELATIONS_PAGE = 1000;

/** Bytes of one row of a single-file store, unless it is made otherwise, and the bounds of that: whole pages of it. */
export const FILE_BLOCK_BYTES = 256 * KIB;
export const FILE_BLOCK_BYTES_MIN = 8 * KIB;
export const FILE_BLOCK_BYTES_MAX = 128 * MIB;
/** Of a file that is smaller nothing would be left beside what its tables take and what is kept for deletes. */
export const FILE_CAPACITY_BYTES_MIN = 4 * MIB;
/** Pages that one step of compacting a file moves: writers wait that long. */
export const FILE_COMPACT_PAGES = 256;

/** Moments: milliseconds since 1970, up to the end of the year 9999. */
export const TIME_MS_MAX = 253_402_300_799_999;
/** Durations as text. */
export const DURATION_YEARS_MAX = 1000;
/** Names of refs: UTF-8, not empty. */
export const REF_NAME_BYTES_MAX = 256;
/** Files of a snapshot whose contents are read together on their way out; larger ones stream by themselves. */
export const RESTORE_BATCH_FILES = 512;
export const RESTORE_BATCH_BYTES = 4 * MIB;
export const RESTORE_SMALL_BYTES = MIB;
/** Items of one archive that becomes a snapshot: their names are held until its end. */
export const ARCHIVE_ITEMS_MAX = 4_000_000;
/** What is said of a move of a ref. */
export const REF_MESSAGE_BYTES_MAX = KIB;
/** Addresses of objects, in characters, the path included; and steps back in one. */
export const ADDRESS_LENGTH_MAX = 64 * KIB;
export const ADDRESS_STEPS_MAX = 64;
/** How far one step of an address may go back. */
export const ADDRESS_BACK_MAX = 999_999_999;
/** Hex digits from which on a text may stand for the id that begins with them. */
export const ID_PREFIX_DIGITS_MIN = 4;
/** Items and journal records that an inspection lists when nobody says how many. */
export const INSPECTED_ITEMS_DEFAULT = 1000;

/** History that the decoder of a zstd stream keeps: what `zstd -22` and `--long` ask for, and zstd's own bound. */
export const STREAM_WINDOW_BYTES_MAX = 128 * MIB;
/** Extended headers of one item of an archive, and the names of GNU tar: far longer than any system's paths. */
export const ARCHIVE_HEADER_BYTES_MAX = MIB;

/** Exchange with chunkstore: how large its own chunks are, and the largest list of chunks that is read. */
export const CHUNKSTORE_CHUNK_BYTES = 4 * MIB;
export const CHUNKSTORE_LIST_BYTES_MAX = 256 * MIB;
/** One component of an id of chunkstore, which is a file name there. */
export const CHUNKSTORE_NAME_BYTES_MAX = 255;
/** One object of a snapshot-store, a text in memory; how deep it may nest: Python writes no deeper. */
export const SNAPSHOT_STORE_OBJECT_BYTES_MAX = 256 * MIB;
export const SNAPSHOT_STORE_DEPTH_MAX = 1000;
/** Files of a folder in exchange that are read or written side by side; each may hold a chunk in memory. */
export const EXCHANGE_FILES_AT_ONCE = 8;

/** Blobs of a move that are copied and compared between two marks of how far it is, and side by side: each twice in memory. */
export const MIGRATION_BATCH_BLOBS = 32;
export const MIGRATION_COPIES_MAX = 4;

/** Requests that a server answers at once, in all and for one caller; more are refused with `REQUESTS_EXCEEDED`. */
export const SERVER_REQUESTS_MAX = 512;
export const SERVER_REQUESTS_OF_CALLER_MAX = 256;
/** Connections that `serve` holds; and what heads of requests may take, in bytes and in time. */
export const SERVER_CONNECTIONS_MAX = 1024;
export const SERVER_HEADER_BYTES_MAX = 32 * KIB;
export const SERVER_HEADER_MS_MAX = 10_000;
/** A client that lets the server wait this long in all must have moved so many bytes meanwhile. */
export const SERVER_PROGRESS_MS = 30_000;
export const SERVER_PROGRESS_BYTES_MIN = 32 * KIB;
/** How long the rest of a body that is refused may come, and what of it, so that its sender gets to read why. */
export const SERVER_LINGER_MS_MAX = 5000;
export const SERVER_LINGER_BYTES_MAX = 64 * MIB;
/** How long requests in flight may go on once a server was told to stop. */
export const SERVER_GRACE_MS = 30_000;
/** Bodies that are read whole, because they are JSON. */
export const SERVER_JSON_BYTES_MAX = 8 * MIB;
/** What of them is held at once, in all and for one caller; more is refused with `REQUESTS_EXCEEDED`. */
export const SERVER_JSON_HELD_BYTES_MAX = 64 * MIB;
export const SERVER_JSON_HELD_BYTES_OF_CALLER_MAX = 32 * MIB;
/** Content up to this size is read whole before it is sent: a stream would cost more than the content. */
export const SERVER_WHOLE_BYTES_MAX = 64 * KIB;
/** Content that downloads fetch ahead of their clients: the n-th of them at once an n-th of it. */
export const SERVER_READ_AHEAD_BYTES = 48 * MIB;
/** Lines of a long list are sent in pieces of about this length. */
export const SERVER_LINES_BYTES = 32 * KIB;
/** Of forms: parts that are no files, what is read of each, and of the headers of a part. */
export const [SERVER_FORM_FIELDS_MAX, SERVER_FORM_FIELD_BYTES_MAX] = [100, 4 * KIB];
export const SERVER_FORM_HEADER_BYTES_MAX = 16 * KIB;
/** Ranges of one request, operations of one batch, entries of one page. */
export const SERVER_RANGES_MAX = 32;
export const SERVER_BATCH_MAX = 1000;
export const SERVER_PAGE_MAX = 1000;
/** Entries that are looked at for one page of a search. */
export const SERVER_SEARCHED_MAX = 20_000;
/** What a header may say of attributes; more is told by `stat` alone. */
export const SERVER_ATTRIBUTES_LENGTH_MAX = 8 * KIB;
/** Of resumable uploads: unfinished ones of one caller, how long they are kept after their last byte, and how often that is looked at. */
export const SERVER_UPLOADS_OF_CALLER_MAX = 1000;
export const [SERVER_UPLOAD_KEPT_MS, SERVER_UPLOAD_LOOK_MS] = [24 * 3_600_000, 60_000];
/** Of the file of one: what is sealed at once, what may not be durable yet while more comes, and what is said in the clear. */
export const UPLOAD_RECORD_BYTES = MIB;
export const UPLOAD_UNSYNCED_BYTES_MAX = 16 * MIB;
export const UPLOAD_HEAD_BYTES_MAX = 8 * KIB;
/** Jobs that a server remembers; those that run are never forgotten. */
export const SERVER_JOBS_KEPT_MAX = 100;
/** Of server-sent events: time between two, and between signs of life where nothing happens. */
export const [SERVER_EVENT_MS_MIN, SERVER_HEARTBEAT_MS] = [100, 15_000];
/** How often the numbers of a store are told; and events that wait for a slow listener. */
export const SERVER_NUMBERS_MS = 2_000;
/** How often a server notes what its store holds, and how many of these notes it keeps. */
export const [SERVER_HISTORY_MS, SERVER_HISTORY_KEPT_MAX] = [60_000, 720];
export const SERVER_EVENTS_HELD_MAX = 1000;
/** Callers whose rate of requests is remembered. */
export const SERVER_RATED_CALLERS_MAX = 10_000;
/** Wrong tokens of one address within so long, after which each is told to wait; and addresses that are remembered. */
export const SERVER_REFUSALS_MAX = 20;
export const SERVER_REFUSALS_MS = 60_000;
export const SERVER_REFUSED_ADDRESSES_MAX = 10_000;
/** Of tokens: their secret, their names, how many one file holds, and how long a change of the file waits for another. */
export const TOKEN_SECRET_BYTES = 32;
export const TOKEN_NAME_LENGTH_MAX = 64;
export const TOKENS_MAX = 10_000;
export const TOKEN_FILE_WAIT_MS = 5_000;
