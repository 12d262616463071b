import type { BackendModules } from '../backend/backend-module.ts';
import type { Metadata } from '../metadata/contract.ts';
import {
  checkSqliteUnused,
  isPostgresUrl,
  openPostgresMetadata,
  openSqliteMetadata,
  type SqliteMetadataOptions,
  setAsideSqliteMetadata,
} from '../metadata/index.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type FileSystem, nodeFileSystem } from '../runtime/file-system.ts';
import { type ProcessLife, systemProcessLife } from '../runtime/process-life.ts';
import { type RandomBytes, systemRandom } from '../runtime/random.ts';

/** Metadata in files of their own, wherever those lie. */
export interface MetadataFiles {
  /** See `openSqliteMetadata`, and `openPostgresMetadata` for a path that is a URL of PostgreSQL. */
  open(options: SqliteMetadataOptions): Promise<Metadata>;
  /** See `checkSqliteUnused`. */
  checkUnused(path: string): Promise<void>;
  /** See `setAsideSqliteMetadata`. */
  setAside(path: string, to: string): Promise<void>;
}

/**
 * What a store has of the machine it runs on: handed down from where a place is named, so that a test can cut the power of
 * a whole store, its opening and its rebuilding included.
 */
export interface Surroundings {
  /** Of folders; what lies in one SQLite file is the business of SQLite. */
  readonly fileSystem: FileSystem;
  readonly metadata: MetadataFiles;
  /** What opens backends of others. Default: nothing does. */
  readonly backendModules?: BackendModules;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Of this process among others that have the store open. */
  readonly life: ProcessLife;
}

/** This machine. */
export const SYSTEM_SURROUNDINGS: Surroundings = {
  fileSystem: nodeFileSystem,
  metadata: {
    open: (options) =>
      isPostgresUrl(options.path)
        ? openPostgresMetadata({ ...options, url: options.path })
        : openSqliteMetadata(options),
    checkUnused: checkSqliteUnused,
    setAside: setAsideSqliteMetadata,
  },
  clock: systemClock,
  random: systemRandom,
  life: systemProcessLife,
};
