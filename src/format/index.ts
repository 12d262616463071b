/** Byte layouts: packs, shards, journal records, entries, manifests, the store config, and the names of blobs. */

export {
  BACKEND_MARKER_KEY,
  type BackendMarker,
  decodeBackendMarker,
  encodeBackendMarker,
} from './backend-marker.ts';
export { type CheckpointHead, decodeCheckpointHead, encodeCheckpointHead } from './checkpoint.ts';
export {
  configMacBytes,
  decodeStoreConfig,
  encodeStoreConfig,
  PLACEMENT_FEATURE,
  type PlainStoreConfig,
  SEALED_STORE_FORMAT,
  SEALED_SUITE,
  type SealedStoreConfig,
  SHARED_METADATA_FEATURE,
  STORE_CONFIG_KEY,
  STORE_FORMAT,
  type StoreConfig,
  type StoreConfigBase,
  type StoreFeatures,
  unknownReadOnlyFeatures,
} from './config.ts';
export type {
  KeyFileSlot,
  PassphraseSlot,
  RecipientSlot,
  SealedKeys,
  Slot,
  SlotArgon2,
  SlotType,
} from './config-keys.ts';
export {
  BACKEND_NAME,
  type BackendMode,
  type ConfigBackend,
  type ConfigPlacement,
} from './config-placement.ts';
export { attributesBytes, decodeEntry, encodeEntry, entryVersion } from './entry.ts';
export {
  decapsulateMessageKeys,
  decodeMessageHead,
  encodeMessageHead,
  type MessageEntry,
  type MessageHead,
  type MessageKeys,
  type MessagePlace,
  messageFail,
  messageKeys,
  openMessageHead,
  verifyMessageHead,
} from './inbox-head.ts';
export {
  INBOX_PREFIX,
  type InboxName,
  isMessageId,
  MESSAGE_ID_BYTES,
  messageHeadKey,
  messagePartKey,
  messagePrefix,
  messageText,
  parseInboxKey,
} from './inbox-names.ts';
export {
  MESSAGE_PART_BYTES_MAX,
  type MessagePiece,
  openMessagePart,
  PartBuilder,
  readPieces,
  sealMessagePart,
} from './inbox-part.ts';
export {
  decodeEntryRow,
  type EntryRowValue,
  type IsolatedEntry,
  openIsolatedEntry,
  sealIsolatedEntry,
} from './isolated-entry.ts';
export { type IdentifiedKind, type ItemIds, itemId, keyedIds, plainIds } from './item-ids.ts';
export { decodeJournalRecord, encodeJournalRecord, journalRecordDigest } from './journal.ts';
export {
  decodeKeyPage,
  encodeKeyPage,
  KEY_PAGE_BYTES,
  KEY_PAGES_PREFIX,
  type KeyPage,
  keyPageKey,
  keyPageNamespace,
} from './key-page.ts';
export { KeySchedule, type RingSecrets } from './key-schedule.ts';
export {
  decodeManifestNode,
  encodeManifestNode,
  MANIFEST_FANOUT,
  type ManifestChild,
  type ManifestInner,
  type ManifestLeaf,
  type ManifestNode,
  manifestNodeExtent,
  manifestNodeId,
} from './manifest.ts';
export {
  decodeMigrationMark,
  decodeMovedMark,
  encodeMigrationMark,
  encodeMovedMark,
  MIGRATION_KEY,
  type MigrationMark,
  MOVED_KEY,
  type MovedMark,
} from './move-marks.ts';
export {
  createPackId,
  hasJournalPlace,
  JOURNAL_PREFIX,
  type JournalPackName,
  journalKeyAfter,
  journalPrefix,
  type OtherPackName,
  PACKS_PREFIX,
  parseShardKey,
  type ShardName,
  shardKey,
} from './names.ts';
export { encodeObjectKey, type ObjectName, objectKeyPrefix, parseObjectKey } from './object-key.ts';
export {
  type FinishedPack,
  PACK_BUFFER_BYTES,
  PackBuilder,
  type PackBuilderOptions,
  type PackRecord,
} from './pack-builder.ts';
export { decodeDirectory } from './pack-directory.ts';
export {
  decodePackFooter,
  encodePackFooter,
  PACK_FOOTER_BYTES,
  type PackFooter,
  packBytesOf,
} from './pack-footer.ts';
export { openRecord, type PackIdentity, RECORD_TRAILER_BYTES, type RecordFrame } from './pack-frame.ts';
export { decodePackHeader, encodePackHeader, type KeyMode, PACK_HEADER_BYTES, type PackHeader } from './pack-header.ts';
export { identifyPack, identityOf } from './pack-identity.ts';
export { type DecodedPack, decodePack } from './pack-reader.ts';
export { type FeatureBits, refuseReadOnlyFeatures } from './prelude.ts';
export { isScopedKey, namespaceOfKey, type ScopedKey, scopeKey, scopePrefix, unscopeKey } from './scoped-key.ts';
export { openOperation, sealOperation } from './scoped-operation.ts';
export {
  assembleShard,
  encodeShard,
  encodeStripe,
  type StripeIdentity,
  type VerifiedShard,
  verifyShard,
} from './shard.ts';
export { blockDigests, shardBlockCount, shardRoot } from './shard-digests.ts';
export {
  decodeShardHeader,
  encodeShardHeader,
  MATRIX_COPIES,
  MATRIX_VANDERMONDE,
  matrixOf,
  SHARD_HEADER_BYTES,
  type ShardHeader,
  shardDataBytes,
} from './shard-header.ts';
export {
  decodeShardTrailer,
  encodeShardTrailer,
  rootAt,
  SHARD_TAIL_BYTES,
  type ShardTrailer,
  shardTrailerBytes,
  verifyShardBlock,
} from './shard-trailer.ts';
export {
  CHECK_BYTES,
  DIGEST_BYTES,
  INCARNATION_BYTES,
  PACK_ID_BYTES,
  PACK_SALT_BYTES,
  SECRET_BYTES,
  SESSION_ID_BYTES,
  STORE_ID_BYTES,
  STRIPE_ID_BYTES,
} from './sizes.ts';
export type {
  DirectoryItem,
  EntryValue,
  HistoryKind,
  ItemPosition,
  JournalRecord,
  NamespacedOperation,
  ObjectClass,
  ObjectType,
  Operation,
  PackClass,
  PackDescriptor,
  PackKeys,
  PackSeal,
  RecordItem,
  RecordKind,
  ScopedOperation,
  SealedPackName,
  Stripe,
  VersionPolicy,
} from './types.ts';
