import type { StoreError } from '../errors/store-error.ts';
import { RESTORE_PARALLEL, RESTORE_PARALLEL_LARGE, RESTORE_SMALL_BYTES } from '../limits.ts';
import type { NodeHandle } from '../runtime/folder-system.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { SmallFileWriter } from '../runtime/small-file-writer.ts';
import { SmallFiles } from './place-file.ts';
import { removeTree } from './remove-tree.ts';
import type { RestoreItem, RestoreOptions, RestoreReport } from './restore-options.ts';
import { RestoreTally } from './restore-tally.ts';
import { holdsAvoided, openTarget, type RestoreTarget } from './restore-target.ts';
import { type ClaimedItem, RestoredFiles } from './restored-files.ts';
import { type RestoredFolder, RestoredFolders } from './restored-folders.ts';
import { unsafePath } from './safe-path.ts';
import { joinPath } from './scanned.ts';
import { SmallRestores } from './small-restores.ts';

/** Work that goes on side by side, and stops at the first error that is not one of an item. */
class SideBySide {
  readonly #slots = new Semaphore(RESTORE_PARALLEL);
  #broken: { readonly error: unknown } | undefined;

  /**
   * Resolves when the work has begun.
   * @param slots that it takes of `RESTORE_PARALLEL`
   * @throws what other work broke with
   */
  async start(work: () => Promise<void>, slots = 1): Promise<void> {
    await this.#slots.acquire(slots);
    if (this.#broken) {
      this.#slots.release(slots);
      throw this.#broken.error;
    }
    work()
      .catch((error: unknown) => {
        this.#broken ??= { error };
      })
      .finally(() => this.#slots.release(slots));
  }

  /** Waits for all that has begun, whatever comes of it. */
  async settle(): Promise<void> {
    await this.#slots.acquire(RESTORE_PARALLEL);
    this.#slots.release(RESTORE_PARALLEL);
  }

  /** Waits for all that has begun. @throws what any of it broke with */
  async finish(): Promise<void> {
    await this.settle();
    if (this.#broken) throw this.#broken.error;
  }
}

/** A file that is still to be flushed. */
interface WrittenName {
  readonly components: readonly Buffer[];
  readonly path: Buffer;
}

/** Files of one message to the thread that flushes them, and milliseconds for each until it is too slow for that. */
const SYNC_GROUP = 256;
const SYNC_MS_MAX = 0.25;

function slotsOf({ size = 0 }: RestoreItem): number {
  return size < RESTORE_SMALL_BYTES ? 1 : RESTORE_PARALLEL / RESTORE_PARALLEL_LARGE;
}

function unsafeOf({ path }: RestoreItem): StoreError | undefined {
  return unsafePath(path, process.platform === 'win32');
}

class FolderRestore {
  readonly #target: RestoreTarget;
  readonly #options: RestoreOptions;
  readonly #tally: RestoreTally;
  readonly #folders: RestoredFolders;
  readonly #files: RestoredFiles;
  /** A system of the caller's own is asked to write all. */
  readonly #writer: SmallFileWriter | undefined;
  readonly #small: SmallRestores | undefined;
  readonly #work = new SideBySide();
  /** Made last: until then no link of the items' own is there to be followed, and all files are. */
  readonly #links: ClaimedItem[] = [];
  readonly #hardLinks: ClaimedItem[] = [];

  constructor(target: RestoreTarget, options: RestoreOptions) {
    this.#target = target;
    this.#options = options;
    this.#tally = new RestoreTally(options);
    this.#folders = new RestoredFolders(target, options, this.#tally);
    const [folders, tally] = [this.#folders, this.#tally];
    this.#writer = options.system ? undefined : new SmallFileWriter();
    this.#small = this.#writer && new SmallRestores(this.#writer, { folders, tally, options });
    const smallFiles = this.#writer && new SmallFiles(this.#writer);
    this.#files = new RestoredFiles(target, folders, { restore: options, tally, smallFiles });
  }

  async run(items: AsyncIterable<RestoreItem> | Iterable<RestoreItem>): Promise<RestoreReport> {
    try {
      await this.#folders.open();
      await this.#takeAll(items);
      const removes = this.#options.delete === true && this.#tally.failed === 0;
      if (removes) for (const folder of this.#folders.all()) await this.#removeRest(folder);
      if (!this.#options.dryRun) {
        await this.#syncFiles();
        await this.#finishFolders();
      }
      return this.#tally.report(this.#options.delete === true && !removes);
    } finally {
      await this.#writer?.close();
    }
  }

  async #takeAll(items: AsyncIterable<RestoreItem> | Iterable<RestoreItem>): Promise<void> {
    try {
      for await (const item of items) {
        this.#options.signal?.throwIfAborted();
        // Of most files nothing is waited for.
        const taking = this.#takeSmall(item);
        if (taking) await taking;
      }
      await this.#work.finish();
      await this.#small?.finish();
      await this.#inTurn(this.#hardLinks, (one) => this.#files.hardLink(one));
      await this.#inTurn(this.#links, (one) => this.#files.link(one));
    } finally {
      // Nothing is written behind the back of a caller who was told that it is over.
      await this.#work.settle();
      await this.#small?.settle();
    }
  }

  /** Takes a small file whose content is at hand; waits for what any other item needs. */
  #takeSmall(item: RestoreItem): Promise<void> | undefined {
    const folder = this.#small?.folderOf(item);
    if (!folder || unsafeOf(item)) return this.#guard(item.path, () => this.#take(item));
    try {
      const bytes = item.whole?.();
      if (bytes instanceof Uint8Array) return this.#small?.add(item, folder, bytes);
      return this.#guard(item.path, async () => {
        const whole = await bytes;
        await (whole ? this.#small?.add(item, folder, whole) : this.#take(item));
      });
    } catch (error) {
      this.#tally.fail(item.path, error);
      return undefined;
    }
  }

  async #guard(path: readonly Buffer[], work: () => Promise<void>, onFailure?: () => void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tally.fail(path, error);
      onFailure?.();
    }
  }

  async #take(item: RestoreItem): Promise<void> {
    const unsafe = unsafeOf(item);
    if (unsafe) throw unsafe;
    if (item.type === 'folder') return await this.#folders.add(item);
    const one = await this.#files.claim(item);
    if (item.type === 'link') this.#links.push(one);
    else if (item.sameAs) this.#hardLinks.push(one);
    else await this.#work.start(() => this.#oneOf(one, () => this.#files.file(one)), slotsOf(item));
  }

  #oneOf(one: ClaimedItem, work: () => Promise<void>): Promise<void> {
    return this.#guard(one.item.path, work, () => {
      one.claimed.state = 'failed';
    });
  }

  async #inTurn(items: readonly ClaimedItem[], work: (one: ClaimedItem) => Promise<void>): Promise<void> {
    for (const one of items) {
      this.#options.signal?.throwIfAborted();
      await this.#oneOf(one, () => work(one));
    }
  }

  /** Removes from a folder that an item is about what no item is about. */
  async #removeRest(folder: RestoredFolder): Promise<void> {
    if (!folder.facts || folder.fresh) return;
    const { system, avoid } = this.#target;
    for (const text of folder.listing) {
      this.#options.signal?.throwIfAborted();
      const name = Buffer.from(text, 'latin1');
      if (this.#folders.isClaimed(folder, name)) continue;
      const path = joinPath(folder.path, name);
      if (this.#options.dryRun && holdsAvoided(this.#target, path)) continue;
      const components = [...folder.components, name];
      await this.#guard(components, async () => {
        if (this.#options.dryRun || (await removeTree(system, path, avoid))) this.#tally.did('remove', components);
      });
    }
  }

  /**
   * Flushes the files after the last was written: most have reached the disk by then, and those that have not share
   * their journal commits. A file system cannot be flushed as a whole from Node. Where that is quick, one thread does it;
   * where a disk is waited for, several are flushed at a time.
   */
  async #syncFiles(): Promise<void> {
    if (this.#options.sync === 'none' || this.#options.sync === 'file') return;
    let writer = this.#writer;
    let group: WrittenName[] = [];
    const flush = async (): Promise<void> => {
      const names = group;
      group = [];
      const tried = writer ? await this.#syncTogether(names, writer) : 0;
      if (tried < names.length) writer = undefined;
      for (const one of names.slice(tried)) await this.#work.start(() => this.#syncOne(one));
    };
    for (const folder of this.#folders.all()) {
      for (const { name, state } of folder.names.values()) {
        if (state !== 'written') continue;
        this.#options.signal?.throwIfAborted();
        group.push({ components: [...folder.components, name], path: joinPath(folder.path, name) });
        if (group.length === SYNC_GROUP) await flush();
      }
    }
    await flush();
    await this.#work.finish();
  }

  /** @returns how many were tried before it took too long */
  async #syncTogether(names: readonly WrittenName[], writer: SmallFileWriter): Promise<number> {
    const paths = names.map(({ path }) => path);
    const { tried, errors } = await writer.syncTogether(paths, SYNC_GROUP * SYNC_MS_MAX);
    for (const [index, error] of errors) this.#tally.fail(names[index]?.components ?? [], error);
    return tried;
  }

  async #syncOne({ components, path }: WrittenName): Promise<void> {
    await this.#guard(components, () => this.#withHandle(path, (handle) => handle.sync()));
  }

  /** Modes and times, deepest first: a mode may close the way to what is below. */
  async #finishFolders(): Promise<void> {
    const levels: RestoredFolder[][] = [];
    for (const folder of this.#folders.all()) {
      if (folder.failure) continue;
      levels[folder.components.length] ??= [];
      levels[folder.components.length]?.push(folder);
    }
    for (const level of levels.reverse()) {
      for (const folder of level ?? []) {
        await this.#work.start(() => this.#guard(folder.components, () => this.#finishFolder(folder)));
      }
      await this.#work.finish();
    }
  }

  async #finishFolder(folder: RestoredFolder): Promise<void> {
    // One that others use too keeps what they gave it, unless its content may be replaced as well.
    const ours = folder.fresh || folder.listing.size === 0 || (this.#options.overwrite ?? 'never') !== 'never';
    const facts = ours ? folder.facts : undefined;
    const mtimeNs = facts && this.#tally.time(facts.mtimeNs);
    if (process.platform === 'win32') {
      // Folders cannot be opened there, have no modes, and their names are journalled.
      if (mtimeNs !== undefined) await this.#target.system.setLinkTime(folder.path, mtimeNs);
      return;
    }
    if (!facts && this.#options.sync === 'none') return;
    await this.#withHandle(folder.path, async (handle) => {
      if (mtimeNs !== undefined) await handle.setTime(mtimeNs);
      if (facts) await handle.chmod(this.#tally.mode(facts.mode));
      if (this.#options.sync !== 'none') await handle.sync();
    });
  }

  async #withHandle(path: Buffer, use: (handle: NodeHandle) => Promise<void>): Promise<void> {
    const handle = await this.#target.system.open(path);
    try {
      await use(handle);
    } finally {
      await handle.close();
    }
  }
}

/**
 * Restores items into a folder, which is made if need be. Never writes outside of it nor through a symbolic link:
 * every component of every path is checked, only folders that this run has made or looked at are written into, and
 * links are made after everything else. Nobody else should change the folder meanwhile: Node has no calls that are
 * relative to an open folder, so that somebody quick could put a link where a folder was a moment before.
 *
 * A file appears whole, with its mode and time, or not at all. What cannot be restored is told in the report and
 * the rest goes on. Times and modes of folders are set at the end. When it resolves, what was written survives a
 * crash, unless `sync` is `none`. Files are written side by side; memory: some 100 bytes for each item.
 *
 * @param target path of the folder; it may be a link to one itself
 * @param items folders before what is in them
 * @throws `invalid/LOCATION_INVALID` when the target is no folder or lies in what is avoided, and what making it fails
 *   with; an error of `items` itself, errors of contents that are no `StoreError`, and the signal's reason
 */
export async function restoreInto(
  target: string | Buffer,
  items: AsyncIterable<RestoreItem> | Iterable<RestoreItem>,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const given = typeof target === 'string' ? Buffer.from(target) : target;
  return await new FolderRestore(await openTarget(given, options), options).run(items);
}
