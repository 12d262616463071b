/** Folders of other systems, read and written. Part of `holdfast`. */

export type { ChunkstoreDifference } from './chunkstore-differences.ts';
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
