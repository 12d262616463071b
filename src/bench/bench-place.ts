/**
 * Where a bench measures: beside what is there and never in it. In a folder everything lies in one of its own called
 * `.bench-…`, in a bucket below a prefix called so; names that begin with a dot are no blobs of a store (B9), so a store that
 * lies in the same place does not see them.
 */
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Backend, listAll, openFsBackend, openS3Backend } from '../backend/index.ts';
import { storeError } from '../errors/store-error.ts';
import type { BackendInfo, NewBackend, PlacementStatus } from '../index.ts';
import { randomId } from '../runtime/random.ts';

/** A backend that can be asked alone, and is closed by who opened it. */
interface Probe {
  readonly name: string;
  open(): Promise<Backend>;
}

/** What one backend of a store adds to a place. */
interface Part {
  readonly backend?: NewBackend;
  readonly homeWeight?: number;
  readonly probe?: Probe;
  readonly note?: string;
}

/** The store to make, with all that is to be opened besides. */
export interface BenchPlace {
  /** Where the home of the temporary store goes. */
  readonly home: string;
  /** A folder of the bench's on the disk of the home. */
  readonly folder: string;
  readonly redundancy: string;
  readonly homeWeight: number;
  readonly backends: readonly NewBackend[];
  /** What can be asked alone, opened one after the other. */
  readonly probes: readonly Probe[];
  /** What is not measured, and why. */
  readonly notes: readonly string[];
  /** Removes everything that was made there. Goes on past what cannot be removed, and rejects then. */
  remove(): Promise<void>;
}

/** What the name of a store in one file ends in. */
const FILE_ENDING = '.hold';

/** Of an `s3:` URL, the same with the path continued. */
function below(url: string, name: string): string {
  const inner = new URL(url);
  inner.pathname = `${inner.pathname.replace(/\/$/, '')}/${name}`;
  return inner.href;
}

async function empty(url: string): Promise<void> {
  const backend = await openS3Backend(url);
  try {
    for await (const { key } of listAll(backend)) await backend.delete(key);
  } finally {
    await backend.close();
  }
}

/** What a place is made of, and how it goes. */
class Making {
  readonly #name = `.bench-${randomId()}`;
  readonly #removals: (() => Promise<void>)[] = [];

  /** A fresh folder inside of one that exists. */
  async folderIn(folder: string): Promise<string> {
    const made = path.join(folder, this.#name);
    await mkdir(made);
    this.#removals.push(() => rm(made, { recursive: true, force: true }));
    return made;
  }

  bucketIn(url: string, name: string): string {
    const made = below(url, `${this.#name}/${name}`);
    this.#removals.push(() => empty(made));
    return made;
  }

  async remove(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#removals.map((remove) => remove()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

/** A place in a folder that exists, for one store with one backend. @throws errors of the file system */
export async function placeInFolder(folder: string): Promise<BenchPlace> {
  const making = new Making();
  const made = await making.folderIn(folder);
  return {
    home: path.join(made, 'store'),
    folder: made,
    redundancy: 'none',
    homeWeight: 1,
    backends: [],
    probes: [{ name: 'folder', open: () => openFsBackend(path.join(made, 'probe'), { reserveBytes: 0 }) }],
    notes: [],
    remove: () => making.remove(),
  };
}

/** The folder on this machine in which the home of a store lies; that of temporary files where it is a bucket. */
function homeFolderOf({ backends }: PlacementStatus): string {
  const url = backends.find(({ home }) => home)?.url ?? '';
  if (!url.startsWith('file:')) return tmpdir();
  const home = fileURLToPath(url);
  return isFile(url) ? path.dirname(home) : home;
}

function isFile(url: string): boolean {
  return url.startsWith('file:') && url.endsWith(FILE_ENDING);
}

/** Where one backend of the store is measured. */
async function besideBackend(backend: BackendInfo, making: Making, folder: string): Promise<Part> {
  const { name, url, weight, domain, mode, home } = backend;
  if (mode !== 'active' || weight === 0) return home ? {} : { note: `${name} takes no shards and is left out` };
  if (url.startsWith('s3:')) {
    const probe = making.bucketIn(url, 'probe');
    const location = making.bucketIn(url, 'shards');
    return { backend: { name, domain, weight, location }, probe: { name, open: () => openS3Backend(probe) } };
  }
  if (home && isFile(url)) return { homeWeight: weight, note: `${name} is one file, and is not asked alone` };
  if (!url.startsWith('file:') || isFile(url)) {
    const message = `${name} is neither a folder nor a bucket, so nothing can be made beside it: give --in FOLDER`;
    throw storeError('BACKEND_UNSUPPORTED', message, { details: { path: url } });
  }
  const made = home ? folder : await making.folderIn(fileURLToPath(url));
  const probe = { name, open: () => openFsBackend(path.join(made, 'probe'), { reserveBytes: 0 }) };
  if (home) return { homeWeight: weight, probe };
  return { backend: { name, domain, weight, location: path.join(made, 'shards') }, probe };
}

/**
 * A place beside a store: on the backends it has, with its redundancy.
 * @throws `unsupported/BACKEND_UNSUPPORTED` for a store with a backend of another kind; errors of the file system
 */
export async function placeBesideStore(status: PlacementStatus): Promise<BenchPlace> {
  const making = new Making();
  try {
    const folder = await making.folderIn(homeFolderOf(status));
    const parts: Part[] = [];
    for (const backend of status.backends) parts.push(await besideBackend(backend, making, folder));
    const ofFile = status.backends.some(({ home, url }) => home && isFile(url));
    return {
      home: path.join(folder, ofFile ? `store${FILE_ENDING}` : 'store'),
      folder,
      redundancy: status.redundancy,
      homeWeight: parts.reduce((sum, { homeWeight = 0 }) => sum + homeWeight, 0),
      backends: parts.flatMap(({ backend }) => backend ?? []),
      probes: parts.flatMap(({ probe }) => probe ?? []),
      notes: parts.flatMap(({ note }) => note ?? []),
      remove: () => making.remove(),
    };
  } catch (error) {
    await making.remove();
    throw error;
  }
}
