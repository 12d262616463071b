/** Folders of other systems, read and written. Part of `holdfast`. */

export type { ChunkstoreDifference } from './chunkstore-differences.ts';
export type { NumberChange } from './convert-json.ts';
export {
  type ChunkstoreExportItem,
  type ChunkstoreExportOptions,
  type ChunkstoreExportReport,
  exportChunkstore,
} from './export-chunkstore.ts';
export {
  type ChunkstoreImportItem,
  type ChunkstoreImportOptions,
  type ChunkstoreImportReport,
  importChunkstore,
} from './import-chunkstore.ts';
export {
  importObjects,
  importSnapshotStore,
  type SnapshotStoreDifference,
  type SnapshotStoreFailure,
  type SnapshotStoreImportOptions,
  type SnapshotStoreImportReport,
} from './import-snapshot-store.ts';
export type { NamingChange } from './name-children.ts';
export type { ObjectSink, SinkChild } from './object-sink.ts';
