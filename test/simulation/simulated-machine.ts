import { dirname } from 'node:path';
import { toHex } from '../../src/bytes/bytes.ts';
import { storeError } from '../../src/errors/store-error.ts';
import { blake3 } from '../../src/hash/index.ts';
import { metadataIn } from '../../src/metadata/metadata-in.ts';
import { exists, type FileSystem } from '../../src/runtime/file-system.ts';
import type { Place } from '../../src/store/location.ts';
import type { MetadataFiles } from '../../src/store/surroundings.ts';
import { CrashFileSystem, seededRandom } from '../../src/testing/index.ts';
import { STILL_CLOCK } from '../support/sealed.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import { fileSystemOf, SimulatedProcess } from './simulated-process.ts';

export const HOME = '/store';
const METADATA = `${HOME}/.metadata/store.sqlite`;
const TOKEN_BYTES = 8;

/** What the metadata of a machine is, in the order it was made. A file of the disk says which of them it is. */
export class SimulatedDatabases {
  readonly #all: SimulatedDatabase[] = [];

  add(database: SimulatedDatabase): number {
    return this.#all.push(database) - 1;
  }

  at(index: number): SimulatedDatabase | undefined {
    return this.#all[index];
  }

  /** The state of all. */
  async digest(): Promise<string> {
    const digests: string[] = [];
    for (const database of this.#all) digests.push(toHex(blake3(await database.pages())));
    return digests.join(' ');
  }

  /** Undoes what work does to them. */
  async tried<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#all.length;
    for (const database of this.#all) await database.enter();
    try {
      return await work();
    } finally {
      for (const database of this.#all.splice(before)) database.close();
      for (const database of this.#all) await database.leave();
    }
  }

  close(): void {
    for (const database of this.#all) database.close();
  }
}

/** What outlives the processes of a machine. */
export interface SimulatedMachine {
  readonly disk: CrashFileSystem;
  readonly databases: SimulatedDatabases;
  /** Lets somebody put who has no keys of its sealed store. */
  readonly credential: string | undefined;
}

/** A machine with an empty disk. */
export function emptyMachine(): SimulatedMachine {
  return { disk: new CrashFileSystem(), databases: new SimulatedDatabases(), credential: undefined };
}

/** Of contents, which never change: a write makes another one. */
const digests = new WeakMap<Uint8Array, string>();

function digestOfBytes(bytes: Uint8Array): string {
  const digest = digests.get(bytes) ?? toHex(blake3(bytes));
  digests.set(bytes, digest);
  return digest;
}

/** A disk as a text that two disks have in common when they hold the same. */
export interface DiskDigests {
  /** Every file with what is in it. */
  readonly image: string;
  /**
   * Less what is in files that were being written, which nobody ever reads: who opens the store removes them by their
   * names. Disks with this in common are the same to whoever finds them.
   */
  readonly readable: string;
}

export function digestsOf(disk: CrashFileSystem): DiskDigests {
  const files = [...disk.files()].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = files.map(([path, bytes]) => ({ path, line: `${path} ${digestOfBytes(bytes)}` }));
  return {
    image: textDigest(lines.map(({ line }) => line)),
    readable: textDigest(lines.map(({ path, line }) => (path.includes('/.tmp/') ? path : line))),
  };
}

function textDigest(lines: readonly string[]): string {
  return toHex(blake3(Buffer.from(lines.join('\n')))).slice(0, 32);
}

/** Takes the metadata of a store from a disk. */
export async function loseMetadata(disk: CrashFileSystem): Promise<void> {
  if (!(await exists(METADATA, disk))) return;
  await disk.unlink(METADATA);
  await disk.syncDirectory(dirname(METADATA));
}

/** The home of a store, as a new process of a machine has it. */
export function placeOn(
  machine: SimulatedMachine,
  how: { readonly seed: number; readonly wrap?: (disk: FileSystem) => FileSystem },
): { readonly place: Place; readonly process: SimulatedProcess } {
  const process = new SimulatedProcess(`process ${how.seed}`);
  const { wrap = (disk) => disk } = how;
  const fileSystem = fileSystemOf(process, wrap(machine.disk));
  const random = seededRandom(how.seed).bytes;
  // SQLite does not go through the seam.
  const metadata = metadataFiles({ ...machine, process, fileSystem: fileSystemOf(process, machine.disk), random });
  const surroundings = { fileSystem, metadata, clock: STILL_CLOCK, random, life: process.life };
  return { place: { kind: 'folder', folder: HOME, metadataPath: METADATA, surroundings }, process };
}

interface FilesParts {
  readonly databases: SimulatedDatabases;
  readonly process: SimulatedProcess;
  readonly fileSystem: FileSystem;
  readonly random: (length: number) => Uint8Array;
}

/** Files on the disk stand for databases, so that a power cut takes and moves their names like others. */
function metadataFiles({ databases, process, fileSystem, random }: FilesParts): MetadataFiles {
  return {
    open: async ({ path, storeId, create, sealed = false, readOnly = false }) => {
      const missing = storeError('METADATA_MISSING', `there is no metadata at ${path}`, { details: { path } });
      const isThere = await exists(path, fileSystem);
      let database = isThere ? databases.at(await readToken(fileSystem, path)) : undefined;
      if (database === undefined) {
        if (!create) throw missing;
        database = await SimulatedDatabase.create({ storeId, sealed });
        await writeToken(fileSystem, path, { isThere, token: databases.add(database) });
      }
      if (database.isSetAside) throw missing;
      const options = { path, storeId, sealed, create, readOnly, busyTimeoutMs: 0 };
      const connection = database.connect(process, () => flushToken(fileSystem, path));
      return metadataIn(connection, options, { clock: STILL_CLOCK, random });
    },
    checkUnused: async () => undefined,
    setAside: async (path, to) => {
      if (!(await exists(path, fileSystem))) return;
      await process.beforeCommit();
      await databases.at(await readToken(fileSystem, path))?.setAside();
      await fileSystem.rename(path, to);
      await fileSystem.syncDirectory(dirname(path));
    },
  };
}

/** As SQLite does: the content is flushed, and then the name. A file without content is one that nobody wrote to. */
async function writeToken(
  fileSystem: FileSystem,
  path: string,
  { isThere, token }: { readonly isThere: boolean; readonly token: number },
): Promise<void> {
  const handle = await fileSystem.open(path, isThere ? 'r+' : 'wx');
  const bytes = new Uint8Array(TOKEN_BYTES).fill(token + 1);
  await handle.write(bytes, 0, bytes.length, 0);
  await handle.sync();
  await handle.close();
  await fileSystem.syncDirectory(dirname(path));
}

/**
 * As SQLite does with the first commit of a connection, whoever made the file: it flushes the folder when it flushes its
 * log first (`unixSync` in os_unix.c, seen with strace of 3.53). Content that a dead process did not flush is rolled back
 * and written anew there, which comes to the same.
 */
async function flushToken(fileSystem: FileSystem, path: string): Promise<void> {
  const handle = await fileSystem.open(path, 'r+');
  await handle.sync();
  await handle.close();
  await fileSystem.syncDirectory(dirname(path));
}

async function readToken(fileSystem: FileSystem, path: string): Promise<number> {
  const handle = await fileSystem.open(path, 'r');
  const bytes = new Uint8Array(TOKEN_BYTES);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  await handle.close();
  const [token = 0] = bytes;
  return bytesRead === TOKEN_BYTES && bytes.every((byte) => byte === token) ? token - 1 : -1;
}
