/** Content where no real one is at hand: compresses like source code, and has no chunk twice. */
import { MIB } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';

const WORDS = 4096;
const WORD_BYTES_MAX = 12;

/** `bytes` bytes of made-up words in pieces of a mebibyte, the same for the same randomness. */
export function* wordyContent(bytes: number, random: RandomBytes): Generator<Uint8Array> {
  const letters = Buffer.from(random(WORDS * WORD_BYTES_MAX).map((byte) => 97 + (byte % 26))).toString('latin1');
  for (let left = bytes; left > 0; left -= MIB) {
    const choices = random(MIB / 2);
    let text = '';
    for (let at = 0; at + 2 < choices.length && text.length < MIB; at += 3) {
      const word = ((choices[at]! << 8) | choices[at + 1]!) % WORDS;
      text += `${letters.slice(word * WORD_BYTES_MAX, word * WORD_BYTES_MAX + 2 + (choices[at + 2]! % 10))} `;
    }
    yield Buffer.from(text.padEnd(MIB, '\n').slice(0, Math.min(left, MIB)));
  }
}
