import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { EXCLUDE_FILE_BYTES_MAX, SCAN_WINDOW_NAMES } from '../limits.ts';
import { type FolderSystem, type NodeStat, nodeFolderSystem } from '../runtime/folder-system.ts';
import { ExcludeRules } from './exclude-rules.ts';
import { itemError, pathText } from './item-error.ts';
import { identityOf, joinPath, nameBytes, type ScanItem, type ScannedNode, scannedNode } from './scanned.ts';
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

/** A folder that is about to be entered. */
interface Place {
  readonly node: ScannedNode;
  readonly absolute: Buffer;
  readonly text: string;
  readonly rules: ExcludeRules;
}

const EMPTY = Buffer.alloc(0);

class FolderScan {
  readonly #system: FolderSystem;
  readonly #options: ScanOptions;
  readonly #avoid = new Set<string>();
  readonly #stack: Frame[] = [];
  readonly #given: boolean;
  #dev = 0n;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#system = options.system ?? nodeFolderSystem;
    this.#given = (options.excludes?.length ?? 0) > 0;
  }

  async *run(root: Buffer): AsyncGenerator<ScanItem, void, undefined> {
    const { absolute, stat } = await this.#openRoot(root);
    await this.#findAvoided();
    if (this.#avoid.has(identityOf(stat))) {
      const path = pathText(root);
      throw storeError('SOURCE_INVALID', `${path}: is the store itself`, { details: { path } });
    }
    this.#dev = stat.dev;
    const node = scannedNode(EMPTY, EMPTY, stat);
    const rules = ExcludeRules.of(this.#options.excludes ?? []);
    yield* await this.#enter({ node, absolute, text: '', rules });
    for (let frame = this.#stack.at(-1); frame; frame = this.#stack.at(-1)) {
      this.#options.signal?.throwIfAborted();
      const name = frame.names[frame.next];
      if (name === undefined) {
        this.#stack.pop();
        yield { kind: 'leave', node: frame.node };
        continue;
      }
      const found = await this.#factsOf(frame);
      frame.next += 1;
      yield* await this.#meet(frame, nameBytes(name), found);
    }
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

  async #factsOf(frame: Frame): Promise<NodeStat | Error> {
    if (frame.next >= frame.windowStart + frame.window.length) {
      const names = frame.names.slice(frame.next, frame.next + SCAN_WINDOW_NAMES);
      frame.windowStart = frame.next;
      frame.window = await this.#system.lstatAll(names.map((name) => joinPath(frame.absolute, nameBytes(name))));
    }
    return frame.window[frame.next - frame.windowStart] as NodeStat | Error;
  }

  async #meet(frame: Frame, name: Buffer, found: NodeStat | Error): Promise<readonly ScanItem[]> {
    const path = joinPath(frame.node.path, name);
    if (found instanceof Error) return [failed(path, found)];
    if (this.#avoid.size > 0 && this.#avoid.has(identityOf(found))) return [{ kind: 'skipped', path, reason: 'store' }];
    const folder = found.kind === 'folder';
    const nameText = name.toString('utf8');
    const text = frame.text === '' ? nameText : `${frame.text}/${nameText}`;
    let { rules } = frame;
    if (!rules.empty) {
      const decision = rules.decide(text, folder);
      if (decision.excluded) return [{ kind: 'skipped', path, reason: 'excluded' }];
      rules = decision.below;
    }
    if (found.kind === 'special') return [{ kind: 'skipped', path, reason: 'special' }];
    const node = scannedNode(name, path, found);
    const absolute = joinPath(frame.absolute, name);
    if (this.#options.oneFileSystem && found.dev !== this.#dev) return elsewhere(node, folder);
    if (found.kind === 'file') return [{ kind: 'file', node }];
    try {
      if (folder) return await this.#enter({ node, absolute, text, rules });
      return [{ kind: 'link', node, target: await this.#system.readlink(absolute) }];
    } catch (error) {
      return [failed(path, error)];
    }
  }

  /** Reads a folder's names and pushes its frame. */
  async #enter(place: Place): Promise<readonly ScanItem[]> {
    const shown = place.node.path.length === 0 ? place.absolute : place.node.path;
    const unsorted = await this.#system.readdir(place.absolute).catch((error: unknown) => {
      throw itemError(error, shown, 'read');
    });
    const names = await sortNames(unsorted);
    const { rules, failures } = await this.#rulesOf(place, names);
    this.#stack.push({ ...place, rules, names, next: 0, window: [], windowStart: 0 });
    return [{ kind: 'enter', node: place.node, count: names.length }, ...failures];
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

function elsewhere(node: ScannedNode, folder: boolean): readonly ScanItem[] {
  const skipped: ScanItem = { kind: 'skipped', path: node.path, reason: 'file-system' };
  return folder ? [{ kind: 'enter', node, count: 0 }, skipped, { kind: 'leave', node }] : [skipped];
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
 * @throws `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED` or `invalid/SOURCE_INVALID` when the root itself
 *   cannot be read, is no folder, or is the store; the signal's reason
 */
export function scanFolder(
  root: string | Buffer,
  options: ScanOptions = {},
): AsyncGenerator<ScanItem, void, undefined> {
  return new FolderScan(options).run(typeof root === 'string' ? Buffer.from(root) : root);
}
