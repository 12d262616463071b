/** A throw-away store to try everything on, and to break. */
import type { Stats } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createStore, generateKeyFile, type Logger, type Store } from '../../index.ts';
import { systemProcessLife } from '../../runtime/process-life.ts';
import { type BreakableBackends, BreakableFolders } from './breakable-backends.ts';
import { putDemoContent } from './demo-content.ts';

/** A store that is gone when it is disposed. */
export interface Demo extends AsyncDisposable {
  readonly store: Store;
  readonly backends: BreakableBackends;
  /** Holds everything of it; for what belongs to it and shall go with it. */
  readonly folder: string;
}

const PREFIX = 'holdfast-demo-';
/** Names the process that the folder belongs to. */
const OWNER = 'process';
const REDUNDANCY = '3+2';
/** Any two disks may be lost, and any one house. */
const DISKS = [
  ['disk1', 'cellar'],
  ['disk2', 'cellar'],
  ['disk3', 'attic'],
  ['disk4', 'attic'],
  ['disk5', 'garage'],
] as const;

const isOurs = ({ uid }: Stats): boolean => process.getuid === undefined || uid === process.getuid();

/** Removes what a demo left that was killed. In a folder that everybody shares nothing of others is touched. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = path.join(parent, name);
    const found = await lstat(folder).catch(() => undefined);
    if (!found?.isDirectory() || !isOurs(found)) continue;
    // One that is being made now names nobody yet.
    const owner = await readFile(path.join(folder, OWNER), 'utf8').catch(() => '');
    if (systemProcessLife.isGone(owner)) await rm(folder, { recursive: true, force: true });
  }
}

async function makeStore(folder: string, logger: Logger | undefined): Promise<Store> {
  await writeFile(path.join(folder, OWNER), systemProcessLife.self);
  const keyFile = path.join(folder, 'key');
  await generateKeyFile(keyFile);
  return createStore(path.join(folder, 'store'), {
    keys: { keyFile },
    redundancy: REDUNDANCY,
    backends: DISKS.map(([name, domain]) => ({ name, domain, location: path.join(folder, name) })),
    // What heals is asked for, so that it can be watched.
    heal: 'manual',
    ...(logger && { logger }),
  });
}

/**
 * Makes a sealed store with content over five folders (3+2, three failure domains) in the system's temporary folder. Disposing
 * of it closes the store and removes the folder; what a process left that was killed, the next call removes.
 */
export async function openDemo({ logger }: { readonly logger?: Logger } = {}): Promise<Demo> {
  const parent = tmpdir();
  await removeLeftovers(parent);
  const folder = await mkdtemp(path.join(parent, PREFIX));
  let store: Store | undefined;
  const dispose = async (): Promise<void> => {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    store = await makeStore(folder, logger);
    await putDemoContent(store);
    const backends = new BreakableFolders(
      store,
      folder,
      DISKS.map(([name]) => name),
    );
    return { store, backends, folder, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
