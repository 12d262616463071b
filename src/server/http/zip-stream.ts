/**
 * Files as a zip archive, written while they are read: stored, not compressed, and with the sizes of zip64 where they need them.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { makeZip } from 'client-zip';

/** What goes into an archive. */
export interface ZipItem {
  /** As it is called where it comes from: components with slashes between them. */
  readonly path: string;
  /** ISO 8601. */
  readonly modified: string;
  /** Permission bits. */
  readonly mode?: number;
  /** Absent: a folder. */
  readonly content?: AsyncIterable<Uint8Array>;
}

/** What some system takes for something else than a part of a name. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f<>:"\\|?*]/g;
const [FIRST_MS, LAST_MS] = [Date.UTC(1980, 0, 1), Date.UTC(2107, 11, 31)];
const PERMISSIONS = 0o777;
const MINUTE_MS = 60_000;

function safeComponent(component: string): string {
  const safe = component.replaceAll(UNSAFE, '_').replace(/[. ]+$/, '_');
  return safe === '' ? '_' : safe;
}

/** Names that lead nowhere but below the folder they are unpacked in, on every system; each is there once. */
class ZipNames {
  readonly #taken = new Set<string>();

  take(path: string): string {
    const safe = path.split('/').map(safeComponent).join('/');
    let name = safe;
    // Case makes no difference on many systems.
    for (let copy = 2; this.#taken.has(name.toLowerCase()); copy += 1) name = `${safe} (${copy})`;
    this.#taken.add(name.toLowerCase());
    return name;
  }
}

/** The time as an archive has it: of no zone, which we take for UTC, and of some years only. */
function zipTime(modified: string): Date {
  const ms = Math.min(LAST_MS, Math.max(FIRST_MS, Date.parse(modified)));
  return new Date(ms + new Date(ms).getTimezoneOffset() * MINUTE_MS);
}

/** One that can be given up before it is begun. */
async function* handedOn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** The archive in pieces. Whoever stops reading it ends what it is made of. */
export async function* zipOf(items: AsyncIterable<ZipItem>): AsyncGenerator<Uint8Array> {
  const names = new ZipNames();
  let open: AsyncGenerator<Uint8Array> | undefined;
  const source = (async function* inputs() {
    for await (const { path, modified, mode, content } of items) {
      const said = {
        name: names.take(path),
        lastModified: zipTime(modified),
        ...(mode !== undefined && { mode: mode & PERMISSIONS }),
      };
      open = content && handedOn(content);
      yield open ? { ...said, input: open } : said;
    }
  })();
  try {
    yield* makeZip(source);
  } finally {
    // The library leaves them as they are.
    await open?.return(undefined);
    await source.return(undefined);
  }
}
