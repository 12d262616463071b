/** The index of everything: the contract, and the metadata in a SQLite file. */

export type { CheckpointStart } from './checkpoint-contract.ts';
export type {
  CollectionState,
  CountedItem,
  CountedReferences,
  HeldReference,
  KeptCount,
  ListedSession,
  UncountedRow,
} from './collection-contract.ts';
export type {
  CallOptions,
  Change,
  ChangeOutcome,
  CommitRequest,
  Counters,
  EntryFilter,
  EntryQuery,
  EntryRow,
  FlushedJournal,
  Head,
  InlineRecord,
  ItemLocation,
  Metadata,
  MetadataCheck,
  NamespaceCounters,
  NamespaceQuota,
  OutboxRow,
  PackRow,
  ReplayStep,
  RequestOutcome,
  StoredConfig,
  TableReport,
} from './contract.ts';
export type { DatabaseRequests } from './database.ts';
export { NOTHING_HELD } from './namespace-tally.ts';
export {
  checkPostgresUnused,
  hasPostgresMetadata,
  removePostgresMetadata,
  renamePostgresMetadata,
} from './postgres/exchange-postgres.ts';
export { openPostgresMetadata } from './postgres/open-postgres.ts';
export { besideSchema, isPostgresUrl } from './postgres/postgres-url.ts';
export { decodeItemReference } from './reference-counts.ts';
export { decodeObjectReference } from './reference-log.ts';
export {
  checkSqliteUnused,
  openSqliteMetadata,
  type SqliteMetadataOptions,
  setAsideSqliteMetadata,
} from './sqlite-metadata.ts';
