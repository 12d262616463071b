import { storeError } from '../errors/store-error.ts';
import { systemCode } from '../runtime/file-system.ts';
import type { NodeStat } from '../runtime/folder-system.ts';
import { pathText } from './item-error.ts';
import { placeFile, type SmallFiles, temporaryName } from './place-file.ts';
import { removeTree } from './remove-tree.ts';
import type { RestoreItem, RestoreOptions } from './restore-options.ts';
import { joined, type RestoreTally } from './restore-tally.ts';
import { holdsAvoided, type RestoreTarget } from './restore-target.ts';
import type { RestoredFolder, RestoredFolders, RestoredName } from './restored-folders.ts';
import { identityOf, joinPath } from './scanned.ts';
import { parseTimeNs } from './time-text.ts';

/** An item with the name that was given to it. */
export interface ClaimedItem {
  readonly item: RestoreItem;
  readonly folder: RestoredFolder;
  readonly claimed: RestoredName;
  readonly mtimeNs: bigint;
}

/** Times that differ by less came from one: see `storableTimeNs`. */
const TIME_TOLERANCE_NS = 1000n;
const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV']);

/** Restores single files and links into folders that are known. Each call throws the error of its item. */
export class RestoredFiles {
  readonly #target: RestoreTarget;
  readonly #options: RestoreOptions;
  readonly #tally: RestoreTally;
  readonly #folders: RestoredFolders;
  readonly #smallFiles: SmallFiles | undefined;

  constructor(
    target: RestoreTarget,
    folders: RestoredFolders,
    options: { restore: RestoreOptions; tally: RestoreTally; smallFiles: SmallFiles | undefined },
  ) {
    this.#target = target;
    this.#folders = folders;
    this.#options = options.restore;
    this.#tally = options.tally;
    this.#smallFiles = options.smallFiles;
  }

  /** Takes the name of a file or link item. */
  async claim(item: RestoreItem): Promise<ClaimedItem> {
    const mtimeNs = parseTimeNs(item.mtime);
    const folder = await this.#folders.parentOf(item.path);
    return { item, folder, claimed: this.#folders.claim(folder, item.path), mtimeNs };
  }

  async file(one: ClaimedItem): Promise<void> {
    const { item, folder, claimed } = one;
    const stat = await this.#folders.found(folder, item.path);
    if (stat && this.#isUnchanged(one, stat)) return await this.#keep(one, stat);
    await this.#replacing(one, stat, async () => {
      const mode = this.#tally.mode(item.mode);
      const mtimeNs = this.#tally.time(one.mtimeNs);
      if (this.#options.dryRun) return this.#tally.did('write', item.path, item.size ?? 0);
      const { system } = this.#target;
      const sync = this.#syncsEach(mode);
      const { signal } = this.#options;
      const bytes = await placeFile(item, {
        system,
        smallFiles: this.#smallFiles,
        folder: folder.path,
        name: claimed.name,
        mode,
        mtimeNs,
        sync,
        signal,
      });
      claimed.state = sync ? 'kept' : 'written';
      this.#tally.did('write', item.path, bytes);
    });
    if (claimed.state === 'pending') claimed.state = 'kept';
  }

  async link(one: ClaimedItem): Promise<void> {
    const { item, folder, claimed } = one;
    const { system } = this.#target;
    const { target } = item;
    if (!target || target.length === 0 || target.includes(0)) {
      const path = pathText(joined(item.path));
      throw storeError('SOURCE_INVALID', `${path}: a symbolic link that points nowhere`, { details: { path } });
    }
    const path = joinPath(folder.path, claimed.name);
    const stat = await this.#folders.found(folder, item.path);
    const overwrites = (this.#options.overwrite ?? 'never') !== 'never';
    claimed.state = 'other';
    if (stat?.kind === 'link' && overwrites && (await system.readlink(path)).equals(target)) {
      if (!this.#options.dryRun) await system.setLinkTime(path, this.#tally.time(one.mtimeNs));
      return this.#tally.did('keep', item.path);
    }
    await this.#replacing(one, stat, async () => {
      const mtimeNs = this.#tally.time(one.mtimeNs);
      if (!this.#options.dryRun) {
        await this.#put(path, stat, (free) => system.symlink(target, free));
        await system.setLinkTime(path, mtimeNs);
      }
      this.#tally.did('link', item.path);
    });
  }

  /** Makes an item another name of the file it is the same as; where that cannot be, a file of its own. */
  async hardLink(one: ClaimedItem): Promise<void> {
    const { item, folder, claimed } = one;
    const { system } = this.#target;
    const source = item.sameAs && this.#folders.nameOf(item.sameAs);
    const sourceFolder = item.sameAs && this.#folders.get(item.sameAs.slice(0, -1));
    // Only what this run vouches for: another file of that name may be in the target.
    if (!source || !sourceFolder || (source.state !== 'written' && source.state !== 'kept'))
      return await this.file(one);
    const existing = joinPath(sourceFolder.path, source.name);
    const path = joinPath(folder.path, claimed.name);
    const stat = await this.#folders.found(folder, item.path);
    if (stat && !this.#options.dryRun && identityOf(await system.lstat(existing)) === identityOf(stat)) {
      claimed.state = 'kept';
      return this.#tally.did('keep', item.path);
    }
    let made = true;
    await this.#replacing(one, stat, async () => {
      if (this.#options.dryRun) return;
      try {
        await this.#put(path, stat, (free) => system.link(existing, free));
      } catch (error) {
        if (!item.content || !NO_HARD_LINKS.has(systemCode(error) ?? '')) throw error;
        made = false;
      }
    });
    if (!made) return await this.file(one);
    claimed.state = 'kept';
    this.#tally.did('hard-link', item.path);
  }

  /** Windows flushes files only through handles that write; a file that we may not read cannot be opened again. */
  #syncsEach(mode: number): boolean {
    const { sync } = this.#options;
    if (sync === 'file') return true;
    return sync !== 'none' && (process.platform === 'win32' || (mode & 0o400) === 0);
  }

  #isUnchanged(one: ClaimedItem, stat: NodeStat): boolean {
    if (this.#options.overwrite !== 'changed' || stat.kind !== 'file' || stat.size !== (one.item.size ?? 0))
      return false;
    const apart = stat.mtimeNs - one.mtimeNs;
    return apart < TIME_TOLERANCE_NS && apart > -TIME_TOLERANCE_NS;
  }

  async #keep(one: ClaimedItem, stat: NodeStat): Promise<void> {
    const { item, folder, claimed } = one;
    const mode = this.#tally.mode(item.mode);
    if (stat.mode !== mode && !this.#options.dryRun) {
      const handle = await this.#target.system.open(joinPath(folder.path, claimed.name));
      try {
        await handle.chmod(mode);
      } finally {
        await handle.close();
      }
    }
    claimed.state = 'kept';
    this.#tally.did('keep', item.path);
  }

  /** Puts something under a name with one step from the old to the new. */
  async #put(path: Buffer, stat: NodeStat | undefined, make: (path: Buffer) => Promise<void>): Promise<void> {
    const { system } = this.#target;
    if (!stat || stat.kind === 'folder') return await make(path);
    const temporary = joinPath(path.subarray(0, path.lastIndexOf(0x2f)), temporaryName());
    await make(temporary);
    try {
      await system.rename(temporary, path);
    } catch (error) {
      await system.unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Does `place` where something may be replaced. A folder is moved aside first and removed only when its place is taken;
   * otherwise it comes back.
   */
  async #replacing(one: ClaimedItem, stat: NodeStat | undefined, place: () => Promise<void> | void): Promise<void> {
    if (!stat) return await place();
    const path = pathText(joined(one.item.path));
    const details = { path };
    if (stat.kind !== 'folder') {
      if ((this.#options.overwrite ?? 'never') !== 'never') return await place();
      throw storeError('TARGET_EXISTS', `${path}: is there already`, { details });
    }
    const absolute = joinPath(one.folder.path, one.claimed.name);
    if (!this.#options.delete || holdsAvoided(this.#target, absolute)) {
      throw storeError('TARGET_EXISTS', `${path}: a folder is in its place`, { details });
    }
    const { system, avoid } = this.#target;
    const aside = joinPath(one.folder.path, temporaryName());
    if (!this.#options.dryRun) await system.rename(absolute, aside);
    try {
      await place();
    } catch (error) {
      if (!this.#options.dryRun) await system.rename(aside, absolute);
      throw error;
    }
    if (!this.#options.dryRun) await removeTree(system, aside, avoid);
    this.#tally.did('remove', one.item.path);
  }
}
