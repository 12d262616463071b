import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { EXCLUDE_FILE_BYTES_MAX, SCAN_WINDOW_NAMES } from '../limits.ts';
import { type FolderSystem, type NodeStat, nodeFolderSystem } from '../runtime/folder-system.ts';
import { ExcludeRules } from './exclude-rules.ts';
import { itemError, pathText } from './item-error.ts';
import {
  identityOf,
  joinPath,
  nameBytes,
  type ScanItem,
  type ScannedNode,
  type SkipReason,
  scannedNode,
} from './scanned.ts';
import { sortNames } from './sort-names.ts';

export interface ScanOptions {
  /** Gitignore rules, relative to the root. They win over rules that are found in folders. */
  readonly excludes?: readonly string[];
  /** Names of files of gitignore rules for the folder they lie in, as `.holdfastignore`; later ones win. Default none. */
  readonly excludeFiles?: readonly string[];
  /** Leave out what lies on another file system than the root; a folder that one is mounted on stays, empty. */
  readonly oneFileSystem?: boolean;
  /** Files and folders of the store, which must not swallow itself: told as skipped. Those that are absent are fine. */
  readonly avoid?: readonly string[];
  readonly signal?: AbortSignal;
  readonly system?: FolderSystem;
}

/** A folder that is being gone through: what would be one call of a recursion, which 1,000 levels would overflow. */
interface Frame {
  readonly node: ScannedNode;
  readonly absolute: Buffer;
  readonly text: string;
  /** As text of one character per byte. */
  readonly names: readonly string[];
  readonly rules: ExcludeRules;
  next: number;
  /** Facts of the names from `windowStart` on. */
  window: readonly (NodeStat | Error)[];
  windowStart: number;
}

/** A folder that is about to be entered, or a link to be read. */
interface Place {
  readonly node: ScannedNode;
  readonly absolute: Buffer;
  readonly text: string;
  readonly rules: ExcludeRules;
}

/** Telling each alone costs more than finding it. */
const ITEMS_TOGETHER = 128;

const EMPTY = Buffer.alloc(0);

class FolderScan {
  readonly #system: FolderSystem;
  readonly #options: ScanOptions;
  readonly #avoid = new Set<string>();
  readonly #stack: Frame[] = [];
  readonly #given: boolean;
  /** Met, and not told yet. */
  #items: ScanItem[] = [];
  #dev = 0n;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#system = options.system ?? nodeFolderSystem;
    this.#given = (options.excludes?.length ?? 0) > 0;
  }

  async *run(root: Buffer): AsyncGenerator<readonly ScanItem[], void, undefined> {
    const { absolute, stat } = await this.#openRoot(root);
    await this.#findAvoided();
    if (this.#avoid.has(identityOf(stat))) {
      const path = pathText(root);
      throw storeError('SOURCE_INVALID', `${path}: is the store itself`, { details: { path } });
    }
    this.#dev = stat.dev;
    const node = scannedNode(EMPTY, EMPTY, stat);
    const rules = ExcludeRules.of(this.#options.excludes ?? []);
    await this.#enter({ node, absolute, text: '', rules });
    for (let frame = this.#stack.at(-1); frame; frame = this.#stack.at(-1)) {
      this.#options.signal?.throwIfAborted();
      if (frame.next === frame.names.length) {
        this.#stack.pop();
        this.#items.push({ kind: 'leave', node: frame.node });
      } else {
        await this.#meetSome(frame);
      }
      if (this.#items.length >= ITEMS_TOGETHER) yield this.#takeItems();
    }
    yield this.#takeItems();
  }

  #takeItems(): readonly ScanItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** The caller's own path may be a link; nothing below it is followed. */
  async #openRoot(root: Buffer): Promise<{ readonly absolute: Buffer; readonly stat: NodeStat }> {
    let absolute: Buffer;
    let stat: NodeStat;
    try {
      absolute = await this.#system.realpath(root);
      stat = await this.#system.lstat(absolute);
    } catch (error) {
      throw itemError(error, root, 'read');
    }
    if (stat.kind === 'folder') return { absolute, stat };
    throw storeError('SOURCE_INVALID', `${pathText(root)}: is no folder`, { details: { path: pathText(root) } });
  }

  /** By what they are and not by their paths: bind mounts and letter case give one folder several. */
  async #findAvoided(): Promise<void> {
    for (const path of this.#options.avoid ?? []) {
      try {
        this.#avoid.add(identityOf(await this.#system.lstat(await this.#system.realpath(Buffer.from(path)))));
      } catch (error) {
        const told = itemError(error, path, 'read');
        if (!isStoreError(told, 'SOURCE_NOT_FOUND')) throw told;
      }
    }
  }

  /** Goes on through a folder, to the next one in it or to the end of the facts that were read. */
  async #meetSome(frame: Frame): Promise<void> {
    if (frame.next >= frame.windowStart + frame.window.length) {
      const names = frame.names.slice(frame.next, frame.next + SCAN_WINDOW_NAMES);
      frame.windowStart = frame.next;
      frame.window = await this.#system.lstatAll(names.map((name) => joinPath(frame.absolute, nameBytes(name))));
    }
    const end = frame.windowStart + frame.window.length;
    while (frame.next < end) {
      const name = nameBytes(frame.names[frame.next] as string);
      const found = frame.window[frame.next - frame.windowStart] as NodeStat | Error;
      frame.next += 1;
      const place = this.#meet(frame, name, found);
      if (place === undefined) continue;
      await this.#goInto(place, found as NodeStat);
      // What is in a folder comes before what is behind it.
      if (this.#stack.at(-1) !== frame) return;
    }
  }

  /** Tells what a name stands for. @returns a folder or link that is to be looked into first */
  #meet(frame: Frame, name: Buffer, found: NodeStat | Error): Place | undefined {
    const path = joinPath(frame.node.path, name);
    const skip = (reason: SkipReason): undefined => {
      this.#items.push({ kind: 'skipped', path, reason });
    };
    if (found instanceof Error) {
      this.#items.push(failed(path, found));
      return undefined;
    }
    if (this.#avoid.size > 0 && this.#avoid.has(identityOf(found))) return skip('store');
    let { rules, text } = frame;
    const isFolder = found.kind === 'folder';
    if (isFolder || !rules.empty) text = frame.text === '' ? name.toString('utf8') : `${text}/${name.toString('utf8')}`;
    if (!rules.empty) {
      const decision = rules.decide(text, isFolder);
      if (decision.excluded) return skip('excluded');
      rules = decision.below;
    }
    if (found.kind === 'special') return skip('special');
    const node = scannedNode(name, path, found);
    if (this.#options.oneFileSystem && found.dev !== this.#dev) {
      if (!isFolder) return skip('file-system');
      this.#items.push({ kind: 'enter', node, count: 0 });
      skip('file-system');
      this.#items.push({ kind: 'leave', node });
      return undefined;
    }
    if (found.kind !== 'file') return { node, absolute: joinPath(frame.absolute, name), text, rules };
    this.#items.push({ kind: 'file', node });
    return undefined;
  }

  async #goInto(place: Place, { kind }: NodeStat): Promise<void> {
    const { node, absolute } = place;
    try {
      if (kind === 'folder') await this.#enter(place);
      else this.#items.push({ kind: 'link', node, target: await this.#system.readlink(absolute) });
    } catch (error) {
      this.#items.push(failed(node.path, error));
    }
  }

  /** Reads a folder's names and pushes its frame. */
  async #enter(place: Place): Promise<void> {
    const shown = place.node.path.length === 0 ? place.absolute : place.node.path;
    const unsorted = await this.#system.readdir(place.absolute).catch((error: unknown) => {
      throw itemError(error, shown, 'read');
    });
    const names = await sortNames(unsorted);
    const { rules, failures } = await this.#rulesOf(place, names);
    this.#stack.push({ ...place, rules, names, next: 0, window: [], windowStart: 0 });
    this.#items.push({ kind: 'enter', node: place.node, count: names.length }, ...failures);
  }

  async #rulesOf(place: Place, names: readonly string[]): Promise<{ rules: ExcludeRules; failures: ScanItem[] }> {
    const failures: ScanItem[] = [];
    const texts: string[] = [];
    for (const wanted of this.#options.excludeFiles ?? []) {
      const name = Buffer.from(wanted);
      if (!names.includes(name.toString('latin1'))) continue;
      const path = joinPath(place.node.path, name);
      try {
        texts.push(await this.#readRules(joinPath(place.absolute, name), path));
      } catch (error) {
        // Its rules are not known, so nothing is left out: rather too much than too little, and it is told.
        failures.push(failed(path, error));
      }
    }
    const rules = texts.length === 0 ? place.rules : place.rules.within(texts, place.text, this.#given);
    return { rules, failures };
  }

  async #readRules(absolute: Buffer, path: Buffer): Promise<string> {
    const stat = await this.#system.lstat(absolute);
    const details = { path: pathText(path), size: stat.size };
    // Not through a link, and never waiting for a pipe.
    if (stat.kind !== 'file') throw storeError('SOURCE_INVALID', `${details.path}: rules are no file`, { details });
    if (stat.size > EXCLUDE_FILE_BYTES_MAX) {
      throw storeError('SOURCE_INVALID', `${details.path}: more than ${EXCLUDE_FILE_BYTES_MAX} bytes of rules`, {
        details,
      });
    }
    const handle = await this.#system.open(absolute);
    try {
      const bytes = new Uint8Array(stat.size);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return Buffer.from(bytes.subarray(0, bytesRead)).toString('utf8');
    } finally {
      await handle.close();
    }
  }
}

function failed(path: Buffer, error: unknown): ScanItem {
  const told = itemError(error, path, 'read');
  if (!isStoreError(told)) throw told;
  return { kind: 'failed', path, error: told as StoreError };
}

/**
 * Goes through a folder depth first, names in byte order, and tells every folder before and after what is in it. Reads
 * names and facts, and no content. Symbolic links are told and not followed; only `root` itself may be one. What cannot
 * be looked at is an item, and the walk goes on. Facts are read some hundred names ahead of the caller: who reads a file
 * compares them with what the open file says. Memory: the names of the folders on the way to the present one.
 *
 * @param root path of the folder, as bytes where it is not text
 * @yields some hundred items at a time, in order
 * @throws `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED` or `invalid/SOURCE_INVALID` when the root itself
 *   cannot be read, is no folder, or is the store; the signal's reason
 */
export function scanFolder(
  root: string | Buffer,
  options: ScanOptions = {},
): AsyncGenerator<readonly ScanItem[], void, undefined> {
  return new FolderScan(options).run(typeof root === 'string' ? Buffer.from(root) : root);
}
