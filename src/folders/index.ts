/** A folder on disk as a stream of items, and a stream of items as a folder on disk. */

export { restoreInto } from './folder-writer.ts';
export { readScannedFile, readSmallFiles, type ScannedFiles } from './read-scanned.ts';
export type { RestoreEvent, RestoreItem, RestoreOptions, RestoreReport } from './restore-options.ts';
export { type ScanOptions, scanFolder } from './scan-folder.ts';
export type { ScanItem, ScannedNode, SkipReason } from './scanned.ts';
export { openStatCache, StatCache, type StatCacheOptions } from './stat-cache.ts';
export { probeTarget, type TargetNature } from './target-nature.ts';
export { formatTimeNs, parseTimeNs } from './time-text.ts';
