/** Where the metadata of a store lie, and what a rebuild does to them there: a file, or a schema of a database. */
import { dirname } from 'node:path';
import {
  besideSchema,
  checkPostgresUnused,
  hasPostgresMetadata,
  isPostgresUrl,
  removePostgresMetadata,
  renamePostgresMetadata,
} from '../metadata/index.ts';
import { exists } from '../runtime/file-system.ts';
import type { Surroundings } from './surroundings.ts';

/** Metadata that are to be replaced by others, which are made beside them. */
export interface MetadataHome {
  /** Where the new metadata are made. */
  readonly newPath: string;
  /** Where the present ones go. */
  readonly setAsidePath: string;
  exists(): Promise<boolean>;
  /** @throws `conflict/STORE_IN_USE` when any process has them open */
  checkUnused(): Promise<void>;
  /** Removes what is at `newPath`: all that an interrupted rebuild left. */
  removeNew(): Promise<void>;
  /** Gives the present ones another name, under which no process takes them for the store's. @throws as `checkUnused` */
  setAside(): Promise<void>;
  /** Gives the new ones the name of the others. */
  putInPlace(): Promise<void>;
}

const DATABASE_SUFFIXES = ['', '-wal', '-shm'];

/** @param path of a file, or a `postgres:` URL */
export function metadataHome(path: string, surroundings: Surroundings): MetadataHome {
  const time = new Date(surroundings.clock.now()).toISOString().replaceAll(':', '');
  return isPostgresUrl(path) ? inPostgres(path, time) : inFile(path, time, surroundings);
}

function inPostgres(url: string, time: string): MetadataHome {
  const [newPath, setAsidePath] = [besideSchema(url, 'rebuild'), besideSchema(url, `set-aside-${time}`)];
  return {
    ...{ newPath, setAsidePath },
    exists: () => hasPostgresMetadata(url),
    checkUnused: () => checkPostgresUnused(url),
    removeNew: () => removePostgresMetadata(newPath),
    setAside: () => renamePostgresMetadata(url, setAsidePath),
    putInPlace: () => renamePostgresMetadata(newPath, url),
  };
}

function inFile(path: string, time: string, { fileSystem, metadata }: Surroundings): MetadataHome {
  const [newPath, setAsidePath] = [`${path}.rebuild`, `${path}.set-aside-${time}`];
  return {
    ...{ newPath, setAsidePath },
    exists: () => exists(path, fileSystem),
    checkUnused: () => metadata.checkUnused(path),
    removeNew: async () => {
      for (const suffix of DATABASE_SUFFIXES)
        if (await exists(newPath + suffix, fileSystem)) await fileSystem.unlink(newPath + suffix);
    },
    setAside: () => metadata.setAside(path, setAsidePath),
    putInPlace: async () => {
      await fileSystem.rename(newPath, path);
      await fileSystem.syncDirectory(dirname(path));
    },
  };
}
