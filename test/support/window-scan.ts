/** Searches bytes for any of many 16-byte windows at once: what a leak of plaintext is, however small. */

export const WINDOW_BYTES = 16;

const FACTOR = 0x01000193;
const FILTER_BITS = 27;

/** Calls `visit` with where each window ends and its rolling hash. */
function eachWindow(bytes: Uint8Array, visit: (end: number, hash: number) => void, length = WINDOW_BYTES): void {
  // What a byte has been multiplied with when it leaves the window.
  const leaving = Array.from({ length }).reduce<number>((power) => Math.imul(power, FACTOR), 1);
  let hash = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    hash = (Math.imul(hash, FACTOR) + (bytes[at] ?? 0) + 1) | 0;
    if (at >= length) hash = (hash - Math.imul(leaving, (bytes[at - length] ?? 0) + 1)) | 0;
    if (at >= length - 1) visit(at + 1, hash);
  }
}

function windowText(bytes: Uint8Array, end: number, length = WINDOW_BYTES): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + end - length, length).toString('latin1');
}

/** A set of hashes that may say yes too often, and never no. */
class Filter {
  readonly #bits = new Uint8Array(2 ** (FILTER_BITS - 3));

  add(hash: number): void {
    const bit = Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS);
    this.#bits[bit >> 3] = (this.#bits[bit >> 3] ?? 0) | (1 << (bit & 7));
  }

  has(hash: number): boolean {
    const bit = Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS);
    return ((this.#bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }
}

/** Everything that must not show, by what it is. */
export class WindowScan {
  readonly #filter = new Filter();
  readonly #windows = new Map<string, string>();

  /** @param secret at least one window long: a shorter one would be looked for in vain */
  add(what: string, secret: Uint8Array): void {
    if (secret.length < WINDOW_BYTES) throw new Error(`${what} is shorter than a window`);
    eachWindow(secret, (end, hash) => {
      this.#filter.add(hash);
      this.#windows.set(windowText(secret, end), what);
    });
  }

  get windows(): number {
    return this.#windows.size;
  }

  /** @returns what shows in the bytes, each thing once */
  find(bytes: Uint8Array): ReadonlySet<string> {
    const found = new Set<string>();
    eachWindow(bytes, (end, hash) => {
      if (!this.#filter.has(hash)) return;
      const what = this.#windows.get(windowText(bytes, end));
      if (what !== undefined) found.add(what);
    });
    return found;
  }
}

/** The inside of a window: bytes at its borders may be equal by chance where the others are the same in every store. */
const INSIDE = { start: 4, end: 12 };

/** The windows that both lists of byte strings have and whose inside `elsewhere` has not. */
export function sharedWindows(
  one: readonly Uint8Array[],
  other: readonly Uint8Array[],
  elsewhere: readonly Uint8Array[],
): ReadonlySet<string> {
  const shared = intersection(windowsOf(one), other);
  const byInside = Map.groupBy(shared, (window) => window.slice(INSIDE.start, INSIDE.end));
  const length = INSIDE.end - INSIDE.start;
  const sought = new Filter();
  for (const inside of byInside.keys())
    eachWindow(Buffer.from(inside, 'latin1'), (_end, hash) => sought.add(hash), length);
  const drop = (bytes: Uint8Array, end: number, hash: number): void => {
    if (!sought.has(hash)) return;
    for (const window of byInside.get(windowText(bytes, end, length)) ?? []) shared.delete(window);
  };
  for (const bytes of elsewhere) eachWindow(bytes, (end, hash) => drop(bytes, end, hash), length);
  return shared;
}

/** A filter of all windows, and the bytes they are in. */
function windowsOf(all: readonly Uint8Array[]): { readonly filter: Filter; readonly all: readonly Uint8Array[] } {
  const filter = new Filter();
  for (const bytes of all) eachWindow(bytes, (_end, hash) => filter.add(hash));
  return { filter, all };
}

function intersection(
  { filter, all }: { readonly filter: Filter; readonly all: readonly Uint8Array[] },
  other: readonly Uint8Array[],
): Set<string> {
  const likely = new Set<string>();
  const likelyFilter = new Filter();
  for (const bytes of other) {
    eachWindow(bytes, (end, hash) => {
      if (!filter.has(hash)) return;
      likely.add(windowText(bytes, end));
      likelyFilter.add(hash);
    });
  }
  const both = new Set<string>();
  for (const bytes of all) {
    eachWindow(bytes, (end, hash) => {
      if (!likelyFilter.has(hash)) return;
      const text = windowText(bytes, end);
      if (likely.has(text)) both.add(text);
    });
  }
  return both;
}
