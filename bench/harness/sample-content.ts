/** Content for benches that have no corpus at hand: compresses like source code, and has no chunk twice. */
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { wordyContent } from '../../src/bench/sample-content.ts';
import { MIB } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import type { BenchContext } from './bench.ts';

const SEED = 20_260_101;
/** Size of what is made up where there is no corpus. */
const SAMPLE_BYTES = 512 * MIB;

/** Writes `wordyContent` to a file. */
export async function writeWordyFile(file: string, bytes: number): Promise<void> {
  await pipeline(Readable.from(wordyContent(bytes, seededRandom(SEED).bytes)), createWriteStream(file));
}

/** Path of a corpus, of the beginning of it by `scale`, or of made-up content. */
export async function contentOf(name: string, { corpus, workFolder, scale, say }: BenchContext): Promise<string> {
  const found = corpus(name);
  const file = path.join(workFolder, 'content');
  if (found === undefined) {
    say('  made-up content instead');
    await writeWordyFile(file, Math.ceil(SAMPLE_BYTES * scale));
    return file;
  }
  if (scale >= 1) return found;
  const end = Math.ceil(statSync(found).size * scale) - 1;
  await pipeline(createReadStream(found, { end }), createWriteStream(file));
  return file;
}
