import { type StoreError, storeError } from '../errors/store-error.ts';
import { systemCode } from '../runtime/file-system.ts';
import type { NodeStat } from '../runtime/folder-system.ts';
import { pathText } from './item-error.ts';
import type { RestoreItem, RestoreOptions } from './restore-options.ts';
import { joined, type RestoreTally } from './restore-tally.ts';
import type { RestoreTarget } from './restore-target.ts';
import { identityOf, joinPath } from './scanned.ts';
import { foldName } from './target-nature.ts';
import { parseTimeNs } from './time-text.ts';

/** A name that an item has in its folder. */
export interface RestoredName {
  readonly name: Buffer;
  /** `written` files are still to be flushed; what is `kept` was there. */
  state: 'pending' | 'written' | 'kept' | 'other' | 'failed';
}

/** A folder that was made, or looked at and found to be one and no link: the only places where anything is written. */
export interface RestoredFolder {
  readonly components: readonly Buffer[];
  readonly path: Buffer;
  /** Names that were there before, as text of one character per byte. */
  readonly listing: ReadonlySet<string>;
  /** Whether this run made it, so that what is in it came from this run. */
  readonly fresh: boolean;
  readonly names: Map<string, RestoredName>;
  /** Mode and time of the item it is about; a folder on the way to one has none. */
  facts?: { readonly mode: number; readonly mtimeNs: bigint };
  /** Nothing can be restored into it. */
  readonly failure?: StoreError;
}

function keyOf(components: readonly Buffer[]): string {
  return components.map((one) => one.toString('latin1')).join('/');
}

/** Knows every folder of a restore, in the order they came: parents first. Memory: some 100 bytes for each item. */
export class RestoredFolders {
  readonly #target: RestoreTarget;
  readonly #options: RestoreOptions;
  readonly #tally: RestoreTally;
  readonly #folders = new Map<string, RestoredFolder>();

  constructor(target: RestoreTarget, options: RestoreOptions, tally: RestoreTally) {
    this.#target = target;
    this.#options = options;
    this.#tally = tally;
  }

  /** Looks at the target itself. */
  async open(): Promise<void> {
    const { path, exists, made } = this.#target;
    this.#folders.set('', await this.#record([], path, exists ? (made ? 'made' : 'found') : 'imagined'));
  }

  all(): Iterable<RestoredFolder> {
    return this.#folders.values();
  }

  get(components: readonly Buffer[]): RestoredFolder | undefined {
    return this.#folders.get(keyOf(components));
  }

  /** Takes a folder item: makes it unless it is there. @throws the item's error */
  async add(item: RestoreItem): Promise<void> {
    const mtimeNs = parseTimeNs(item.mtime);
    const known = this.get(item.path);
    if (known?.facts && item.path.length > 0) throw collision(item.path, item.path.at(-1) as Buffer);
    const folder = known ?? (await this.#make(item.path, 0o700));
    // One that failed has been told of when it was made.
    if (!folder.failure) folder.facts = { mode: item.mode, mtimeNs };
  }

  /** The folder that an item lies in; made when no item was about it. @throws why nothing can be restored there */
  async parentOf(components: readonly Buffer[]): Promise<RestoredFolder> {
    let depth = components.length - 1;
    while (depth > 0 && !this.get(components.slice(0, depth))) depth -= 1;
    let folder = this.get(components.slice(0, depth)) as RestoredFolder;
    while (depth < components.length - 1 && !folder.failure) {
      depth += 1;
      folder = await this.#make(components.slice(0, depth), 0o777);
    }
    if (!folder.failure) return folder;
    const path = pathText(joined(components));
    throw storeError(folder.failure.code, `${path}: the folder it belongs into was not restored`, {
      details: { path },
      cause: folder.failure,
    });
  }

  /**
   * Gives a name in a folder to an item.
   * @throws `conflict/TARGET_EXISTS` when another item has it, or one that this file system takes for it
   */
  claim(folder: RestoredFolder, components: readonly Buffer[]): RestoredName {
    const name = components.at(-1) as Buffer;
    const folded = foldName(name, this.#target.nature);
    const other = folder.names.get(folded);
    if (other) throw collision(components, other.name);
    const claimed: RestoredName = { name, state: 'pending' };
    folder.names.set(folded, claimed);
    return claimed;
  }

  nameOf(components: readonly Buffer[]): RestoredName | undefined {
    const folder = this.get(components.slice(0, -1));
    const name = components.at(-1);
    const found = name && folder?.names.get(foldName(name, this.#target.nature));
    return found?.name.equals(name as Buffer) ? found : undefined;
  }

  isClaimed(folder: RestoredFolder, name: Buffer): boolean {
    return folder.names.has(foldName(name, this.#target.nature));
  }

  /**
   * What is there already under a name, and may be replaced.
   * @throws `conflict/TARGET_EXISTS` for what is to be left alone, or is there under a name that is only taken for this
   */
  async found(folder: RestoredFolder, components: readonly Buffer[]): Promise<NodeStat | undefined> {
    if (folder.fresh) return undefined;
    const name = components.at(-1) as Buffer;
    let stat: NodeStat;
    try {
      stat = await this.#target.system.lstat(joinPath(folder.path, name));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    const path = pathText(joined(components));
    if (!folder.listing.has(name.toString('latin1'))) {
      throw storeError('TARGET_EXISTS', `${path}: is there under another name, or came meanwhile`, {
        details: { path },
      });
    }
    if (this.#target.avoid.has(identityOf(stat))) {
      throw storeError('TARGET_EXISTS', `${path}: is the store itself`, { details: { path } });
    }
    return stat;
  }

  /**
   * Makes a folder whose parent is there, or looks at it; what fails is remembered for all that belongs into it.
   * @param mode until the end of the run; one with an item is for nobody but us until then
   */
  async #make(components: readonly Buffer[], mode: number): Promise<RestoredFolder> {
    let folder: RestoredFolder;
    try {
      folder = await this.#makeOrFind(components, mode);
    } catch (error) {
      const failure = this.#tally.fail(components, error);
      folder = { components, path: Buffer.alloc(0), listing: new Set(), fresh: false, names: new Map(), failure };
    }
    this.#folders.set(keyOf(components), folder);
    return folder;
  }

  async #makeOrFind(components: readonly Buffer[], mode: number): Promise<RestoredFolder> {
    const { system } = this.#target;
    const parent = await this.parentOf(components);
    const claimed = this.claim(parent, components);
    claimed.state = 'other';
    const path = joinPath(parent.path, claimed.name);
    const stat = await this.found(parent, components);
    if (stat?.kind === 'folder') return await this.#record(components, path, 'found');
    if (stat) await this.#clear(components, path, stat);
    if (!this.#options.dryRun) await system.mkdir(path, mode);
    this.#tally.did('folder', components);
    return await this.#record(components, path, 'made');
  }

  async #clear(components: readonly Buffer[], path: Buffer, stat: NodeStat): Promise<void> {
    const text = pathText(joined(components));
    const details = { path: text };
    if (!this.#options.delete) {
      if (stat.kind === 'link') {
        throw storeError('PATH_UNSAFE', `${text}: is a symbolic link and is not followed`, { details });
      }
      throw storeError('TARGET_EXISTS', `${text}: is there and is no folder`, { details });
    }
    if (!this.#options.dryRun) await this.#target.system.unlink(path);
    this.#tally.did('remove', components);
  }

  async #record(
    components: readonly Buffer[],
    path: Buffer,
    how: 'made' | 'found' | 'imagined',
  ): Promise<RestoredFolder> {
    const listing = new Set(how === 'found' ? await this.#target.system.readdir(path) : []);
    return { components, path, listing, fresh: how !== 'found', names: new Map() };
  }
}

function collision(components: readonly Buffer[], other: Buffer): StoreError {
  const path = pathText(joined(components));
  const same = other.equals(components.at(-1) as Buffer);
  const reason = same
    ? 'two items have this path'
    : `this file system does not tell it from ${JSON.stringify(pathText(other))}`;
  return storeError('TARGET_EXISTS', `${path}: ${reason}`, { details: { path, expected: pathText(other) } });
}
