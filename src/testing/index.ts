/** `holdfast/testing`: the suite every backend must pass, and backends and file systems that fail on command. */

export type { DirectoryItem, FileHandle, FileStat, FileSystem } from '../runtime/file-system.ts';
export type { OpenedBackend, SuiteContext } from './backend-case.ts';
export type { ContentSurvival, Survival, Unflushed } from './crash-disk.ts';
export { CrashFileSystem } from './crash-file-system.ts';
export { type BackendSuiteOptions, describeBackend, type SuiteRunner } from './describe-backend.ts';
export type { FaultTiming } from './fault-schedule.ts';
export { type BackendCall, type BackendFault, FaultyBackend } from './faulty-backend.ts';
export { FaultyFileSystem, type FileSystemCall, type FileSystemFault } from './faulty-file-system.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
export { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
