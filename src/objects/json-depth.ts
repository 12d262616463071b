import { OBJECT_DEPTH_MAX } from '../limits.ts';
import { objectInvalid } from './object-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Refuses text that opens more than `OBJECT_DEPTH_MAX` levels, before a parser that recurses sees it. One pass without
 * recursion; whether the text is JSON is for the parser to say.
 * @throws `invalid/OBJECT_INVALID`
 */
export function checkJsonDepth(text: string, what: string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > OBJECT_DEPTH_MAX) throw objectInvalid(what, `is nested deeper than ${OBJECT_DEPTH_MAX} levels`);
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
}

/** Index of the quote that ends the string which starts at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index;
  }
  return text.length;
}
