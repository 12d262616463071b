import { existsSync, realpathSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

/** Finds the corpora that `bench/corpora.mjs` fetches. */
export class Corpora {
  readonly #folder: string | undefined;
  readonly #say: (line: string) => void;

  /** @param folder where they lie; `undefined` when nobody said so */
  constructor(folder: string | undefined, say: (line: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  /** @returns the path, or `undefined` after a line that says how to get the corpus */
  find(name: string): string | undefined {
    const found = this.#folder === undefined ? undefined : path.join(this.#folder, name);
    if (found !== undefined && existsSync(found)) return realpathSync(found);
    const what = name.replace(/\..*$/, '');
    const folder = this.#folder ?? 'FOLDER';
    this.#say(
      `MISSING corpus ${name}: run \`node bench/corpora.mjs ${folder} ${what}\`, then pass --corpora ${folder} or set HOLDFAST_CORPORA`,
    );
    return undefined;
  }
}

/** Up to `bytes` bytes from the front of a file. */
export async function readSample(file: string, bytes: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const buffer = new Uint8Array(Math.min(bytes, (await handle.stat()).size));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
