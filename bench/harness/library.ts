import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as backends from '../../src/backend/index.ts';
import type * as holdfast from '../../src/index.ts';
import type * as server from '../../src/server/index.ts';

const DIST = path.resolve(import.meta.dirname, '../../dist');

/** The built library: what users run, and what its worker threads load. */
export interface Library {
  readonly holdfast: typeof holdfast;
  readonly backends: typeof backends;
  readonly server: typeof server;
}

/** @returns the built library, or `undefined` after a line on how to build it */
export async function loadLibrary(say: (line: string) => void): Promise<Library | undefined> {
  if (!existsSync(path.join(DIST, 'index.js'))) {
    say('MISSING dist/index.js: npm run build');
    return undefined;
  }
  const load = (file: string): Promise<unknown> => import(pathToFileURL(path.join(DIST, file)).href);
  return {
    holdfast: (await load('index.js')) as typeof holdfast,
    backends: (await load('backend/index.js')) as typeof backends,
    server: (await load('server/index.js')) as typeof server,
  };
}
