/** Content for benches that have no corpus at hand: compresses like source code, and has no chunk twice. */
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MIB } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import type { BenchContext } from './bench.ts';

const SEED = 20_260_101;
const WORDS = 4096;
const WORD_BYTES_MAX = 12;
/** Size of what is made up where there is no corpus. */
const SAMPLE_BYTES = 512 * MIB;

/** `bytes` bytes of made-up words, the same for every run. */
export function* wordyContent(bytes: number): Generator<Uint8Array> {
  const random = seededRandom(SEED);
  const letters = Buffer.from(random.bytes(WORDS * WORD_BYTES_MAX).map((byte) => 97 + (byte % 26))).toString('latin1');
  for (let left = bytes; left > 0; left -= MIB) {
    const choices = random.bytes(MIB / 2);
    let text = '';
    for (let at = 0; at + 2 < choices.length && text.length < MIB; at += 3) {
      const word = ((choices[at]! << 8) | choices[at + 1]!) % WORDS;
      text += `${letters.slice(word * WORD_BYTES_MAX, word * WORD_BYTES_MAX + 2 + (choices[at + 2]! % 10))} `;
    }
    yield Buffer.from(text.padEnd(MIB, '\n').slice(0, Math.min(left, MIB)));
  }
}

/** Writes `wordyContent` to a file. */
export async function writeWordyFile(file: string, bytes: number): Promise<void> {
  await pipeline(Readable.from(wordyContent(bytes)), createWriteStream(file));
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
