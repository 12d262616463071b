/** Puts a stream through the command line and gets it back, and measures what memory that takes. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { ROOT } from '../../support/consumer-folder.ts';
import { type Measured, measure } from './measured-process.ts';

export interface MemoryFigures {
  readonly put: Measured;
  readonly get: Measured;
}

const CLI = path.join(ROOT, 'dist', 'cli', 'main.js');

/** The store of a run, and how the command line opens it. */
interface RunStore {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Runs `holdfast put` and `holdfast get` on incompressible bytes.
 * @param options.folder where the store is made; removed afterwards
 * @throws when a command fails or what comes back is not what went in
 */
export async function runMemory(options: {
  readonly bytes: number;
  readonly folder: string;
  readonly sealed: boolean;
}): Promise<MemoryFigures> {
  const { bytes, folder, sealed } = options;
  await mkdir(folder, { recursive: true });
  const place = await mkdtemp(path.join(folder, 'memory-'));
  const keyFile = path.join(place, 'store.key');
  const environment = { ...process.env, ...(sealed && { HOLDFAST_KEY_FILE: keyFile }) };
  const store = { folder: path.join(place, 'store'), environment };
  try {
    const kind = sealed ? ['--generate-key-file', keyFile] : ['--plain'];
    await measure([CLI, 'init', ...kind, '-q', store.folder], { stdio: 'inherit' }).ended;
    const { digest, put } = await putNoise(store, bytes);
    const get = await getAndHash(store, digest);
    return { put, get };
  } finally {
    await rm(place, { recursive: true });
  }
}

async function putNoise(
  { folder, environment }: RunStore,
  bytes: number,
): Promise<{ readonly digest: string; readonly put: Measured }> {
  const generator = path.join(import.meta.dirname, 'noise.ts');
  const source = spawn(process.execPath, [generator, String(bytes)], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const stdin = source.stdout as Readable;
  const { child, ended } = measure([CLI, '-s', folder, 'put', '-', '-k', 'noise', '-q'], {
    env: environment,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const fed = child.stdin && pipeline(stdin, child.stdin);
  const [digest, put] = await Promise.all([text(source.stdio[3] as Readable), ended, fed]);
  return { digest, put };
}

async function getAndHash({ folder, environment }: RunStore, digest: string): Promise<Measured> {
  const { child, ended } = measure([CLI, '-s', folder, 'get', 'noise', '-o', '-'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const hash = createHash('sha256');
  for await (const piece of child.stdout ?? []) hash.update(piece as Uint8Array);
  const got = await ended;
  if (hash.digest('hex') !== digest) throw new Error('what came back is not what went in');
  return got;
}
