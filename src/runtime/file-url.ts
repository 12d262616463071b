import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The `file:` URL of an absolute path; `fileURLToPath` gives just that path back. Node's `pathToFileURL` alone does not:
 * parsers of URLs drop control characters at the end, and what is left names another file (URL Standard, section 4.4).
 */
export function fileUrlOf(path: string): URL {
  const behind = path.endsWith(sep) ? '-' : `${sep}-`;
  return new URL(pathToFileURL(path + behind).href.slice(0, -behind.length));
}

/** Whether text can be a path at all: systems end paths at a NUL, and half of a surrogate pair would become U+FFFD. */
export function isPathText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
