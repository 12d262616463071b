/** Holdfast: an embeddable storage engine. Everything an application needs; the bricks are on the subpaths. */

export type { BackendModule, BackendModules, ModuleOpenOptions } from './backend/backend-module.ts';
export type { CallCount, CallCounts, CountedCall } from './backend/call-counter.ts';
export type { Backend, ServiceRequests } from './backend/contract.ts';
export { CHUNKING_PROFILES } from './chunking/index.ts';
export { ERROR_CODES, type ErrorCode, type ErrorKind, EXIT_STATUS } from './errors/codes.ts';
export {
  ClosedError,
  ConflictError,
  CorruptError,
  DeniedError,
  type ErrorDetails,
  ExhaustedError,
  InternalError,
  InvalidError,
  isStoreError,
  NotFoundError,
  StoreError,
  type StoreErrorOptions,
  UnavailableError,
  UnsupportedError,
} from './errors/store-error.ts';
export {
  type ChunkstoreDifference,
  type ChunkstoreExportItem,
  type ChunkstoreExportOptions,
  type ChunkstoreExportReport,
  type ChunkstoreImportItem,
  type ChunkstoreImportOptions,
  type ChunkstoreImportReport,
  exportChunkstore,
  importChunkstore,
  importSnapshotStore,
  type NamingChange,
  type NumberChange,
  type SnapshotStoreDifference,
  type SnapshotStoreFailure,
  type SnapshotStoreImportOptions,
  type SnapshotStoreImportReport,
} from './exchange/index.ts';
export type { RestoreEvent } from './folders/index.ts';
export type { BackendMode, PackClass } from './format/index.ts';
export type { RetentionRules } from './history/retention.ts';
export {
  combineIdentity,
  exportSeed,
  formatIdentity,
  formatPublicIdentity,
  IDENTITY_ALGORITHMS,
  type Identity,
  type IdentityAlgorithm,
  importSeed,
  type KeySecret,
  type KeySource,
  type NewSlot,
  type PublicIdentity,
  parseIdentity,
  parsePublicIdentity,
  parseSignatureDocument,
  parseWriterCredential,
  readIdentity,
  readKeyFile,
  type SecretFileOptions,
  type SeedEncoding,
  type SignatureFacts,
  signRoot,
  verifySignatureDocument,
  type WriterCredential,
  writeIdentity,
} from './keys/index.ts';
export type { CheckReport, StoreCheckOptions } from './maintenance/check.ts';
export type { CheckOptions } from './maintenance/checked-store.ts';
export type { Garbage } from './maintenance/garbage.ts';
export type { GcOptions, GcReport, WaitingFor } from './maintenance/gc/report.ts';
export type {
  BlobKind,
  InspectBlobOptions,
  InspectedFile,
  InspectedItem,
  InspectedKind,
  InspectedManifest,
  InspectedMessage,
  InspectedMessagePart,
  InspectedObject,
  InspectedOperation,
  InspectedPack,
  InspectedPlace,
  InspectedRecord,
  InspectedRing,
  InspectedShard,
  Inspection,
  InspectionProblem,
} from './maintenance/inspect/report.ts';
export type { InvariantReport } from './maintenance/invariants/check-run.ts';
export { CHECK_INVARIANTS, type InvariantInfo, type InvariantName } from './maintenance/invariants/names.ts';
export type { PaceOptions } from './maintenance/pace.ts';
export type { Problem } from './maintenance/problems.ts';
export type { RebalanceReport } from './maintenance/rebalance.ts';
export type { RepairOptions, RepairReport } from './maintenance/repair.ts';
export type { BackendRepairOptions, BackendRepairReport } from './maintenance/repair-from-shards.ts';
export type { ScrubOptions, ScrubReport } from './maintenance/scrub.ts';
export type { JobOutcome, PackRepair, RepairedShard, ShardFinding } from './maintenance/shard-reports.ts';
export type { VerifiedDay } from './maintenance/verified-days.ts';
export type { VerifyOptions, VerifyReport } from './maintenance/verify.ts';
export type { CheckpointReport } from './maintenance/write-checkpoint.ts';
export {
  type ByteRange,
  coveredRange,
  createRangeDataCheck,
  type ProvenChunk,
  parseRangeProof,
  type RangeDataCheck,
  type RangeProof,
  verifyRangeProof,
} from './merkle/index.ts';
export type { DatabaseRequests } from './metadata/index.ts';
export {
  type BlobObject,
  type BundleObject,
  type ConflictReason,
  createBlobObject,
  createBundle,
  createSnapshot,
  createTree,
  type EntryChild,
  type FileChild,
  type FolderChild,
  type JsonObject,
  type JsonValue,
  type LinkChild,
  type NamedReference,
  type ObjectReference,
  type ObjectType,
  objectId,
  parseJsonStrict,
  referencesOf,
  type SnapshotContent,
  type SnapshotObject,
  type StructuredObject,
  type TreeChild,
  type TreeInner,
  type TreeLeaf,
  type TreeNodeLink,
  type TreeObject,
  withBundles,
  withChild,
  withoutChild,
  withParent,
} from './objects/index.ts';
export type { Source } from './pipeline/source.ts';
export type { BackendHealth, BackendRequests } from './placement/backend-link.ts';
export type { FatalLoss } from './placement/tolerance.ts';
export type { DamagedBlob } from './single-file/index.ts';
export type {
  BackendChange,
  BackendInfo,
  BackendStatus,
  Backends,
  LossStatus,
  NewBackend,
  PlacementStatus,
  RebalanceOptions,
  RemoveOptions,
  RemoveReport,
} from './store/backends/backend-types.ts';
export { type DiagnosisOptions, diagnoseStore } from './store/diagnose.ts';
export {
  type CompactOptions,
  type CompactReport,
  compactFile,
  type ExportReport,
  exportFile,
  type FileInfo,
  fileInfo,
  type SalvageOptions,
  type SalvageReport,
  salvageFile,
} from './store/file-calls.ts';
export { generateIdentity, generateKeyFile, importSeedFile, splitIdentity } from './store/generate-keys.ts';
export { openPutOnly, type PutOnlyOpenOptions } from './store/inbox/open-put-only.ts';
export { type InspectFileOptions, inspectFile } from './store/inspect-file.ts';
export type {
  ChunkInfo,
  ChunkPlacement,
  ChunksOptions,
  EntryPack,
  EntryProblem,
  EntryReport,
  EntryValidation,
  InspectOptions,
  PackInfo,
  PackShard,
  ValidateAllOptions,
  ValidateOptions,
} from './store/inspection/report-types.ts';
export type {
  AdoptReport,
  EpochInfo,
  Inbox,
  KeySlot,
  NamespaceInfo,
  Namespaces,
  PutOnlyOptions,
  PutOnlyResult,
  PutOnlyStore,
  RefusedMessage,
  RekeyReport,
  ShredReport,
  StoreKeys,
  WriterInfo,
} from './store/key-types.ts';
export { type MigrateOptions, type MigrationReport, migrateStore } from './store/migrate/migrate.ts';
export type {
  Explanation,
  FoundAddress,
  Lifeline,
  ObjectFinding,
  ObjectInfo,
  ObjectPutOptions,
  ObjectPutResult,
  ObjectReferrer,
  Objects,
  ObjectsVerifyOptions,
  ObjectVerification,
  RefInfo,
  RefMove,
  RefOptions,
  RefReferrer,
  Refs,
} from './store/objects/object-types.ts';
export { createStore, openOrCreateStore, openStore } from './store/open.ts';
export { rebuildStore } from './store/rebuild.ts';
export type {
  Ancestor,
  ChildrenOptions,
  Descendant,
  DescendantsOptions,
  FamilyCounts,
  RelatedEntry,
  RelationCounts,
  Relations,
  RootsOptions,
} from './store/relation-types.ts';
export { repairBackends } from './store/repair-backends.ts';
export type {
  BundleImport,
  BundleImportOptions,
  ExportedBundle,
  FrozenEntries,
  MergeOptions,
  MergeReport,
  RefMoveOptions,
  SnapshotConflict,
  SnapshotExportOptions,
  SnapshotImport,
  SnapshotImportOptions,
  ThawEvent,
  ThawOptions,
  ThawReport,
} from './store/snapshots/graph-types.ts';
export {
  type FolderPreview,
  type FolderPreviewOptions,
  previewFolder,
} from './store/snapshots/preview-folder.ts';
export { signSnapshot, verifySnapshotSignature } from './store/snapshots/snapshot-signature.ts';
export type {
  SnapshotDifference,
  SnapshotFailure,
  SnapshotForgetOptions,
  SnapshotForgetReport,
  SnapshotInfo,
  SnapshotName,
  SnapshotOptions,
  SnapshotReport,
  SnapshotRestoreOptions,
  SnapshotRestoreReport,
  SnapshotSource,
  Snapshots,
} from './store/snapshots/snapshot-types.ts';
export { STORE_PROFILES, type StoreProfile, type StoreProfileSettings } from './store/store-profiles.ts';
export type { StoreRequests } from './store/store-requests.ts';
export type { Store } from './store/store-types.ts';
export type {
  BatchWriter,
  CallOptions,
  CreateOptions,
  DeleteOptions,
  Entries,
  EntriesStats,
  EntryInfo,
  EntryReadOptions,
  GetOptions,
  ListOptions,
  Logger,
  MoveOptions,
  OpenOptions,
  PlacementPolicy,
  Progress,
  ProgressOptions,
  PutItem,
  PutOptions,
  PutResult,
  RangeOptions,
  ReadOptions,
  StagedPut,
  StatOptions,
  StoreLocation,
  StoreStats,
  StreamOptions,
  WeakestStripe,
} from './store/types.ts';
export type {
  DiagnosisReport,
  Finding,
  Maintenance,
  RebuildReport,
  StoreEvents,
  StoreMetrics,
} from './store/upkeep-types.ts';
export type {
  KeepVersions,
  RestoreOptions,
  VersionForgetAllOptions,
  VersionForgetAllReport,
  VersionForgetOptions,
  VersionForgetReport,
  VersionForgetRules,
  VersionInfo,
  VersionListOptions,
  VersionPolicy,
  VersionPolicyInfo,
  Versions,
  WhichVersion,
} from './store/version-types.ts';
