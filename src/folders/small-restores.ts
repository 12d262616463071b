import { RESTORE_SMALL_BYTES } from '../limits.ts';
import type { FileInMessage, SmallFileWriter } from '../runtime/small-file-writer.ts';
import { wrongSize } from './place-file.ts';
import type { RestoreItem, RestoreOptions } from './restore-options.ts';
import type { RestoreTally } from './restore-tally.ts';
import type { RestoredFolder, RestoredFolders, RestoredName } from './restored-folders.ts';
import { joinPath } from './scanned.ts';
import { parseTimeNs } from './time-text.ts';

/** Files of one message. */
const FILES_MAX = 256;
/** Messages under way: one is written while the next one gathers. */
const MESSAGES_MAX = 2;

interface PlacedFile extends FileInMessage {
  readonly item: RestoreItem;
  readonly claimed: RestoredName;
}

/**
 * Restores small files into folders that this run made, where nothing can be in their way: claimed one by one, written and
 * told of by the hundred. Nothing is waited for but for room.
 */
export class SmallRestores {
  readonly #writer: SmallFileWriter;
  readonly #folders: RestoredFolders;
  readonly #tally: RestoreTally;
  readonly #options: RestoreOptions;
  #gathered: PlacedFile[] = [];
  /** What their contents are copied into. */
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  readonly #underWay = new Set<Promise<void>>();
  #broken: { readonly error: unknown } | undefined;

  constructor(
    writer: SmallFileWriter,
    parts: { readonly folders: RestoredFolders; readonly tally: RestoreTally; readonly options: RestoreOptions },
  ) {
    this.#writer = writer;
    this.#folders = parts.folders;
    this.#tally = parts.tally;
    this.#options = parts.options;
  }

  /** The folder that an item goes into, where it is one for here. */
  folderOf(item: RestoreItem): RestoredFolder | undefined {
    const { dryRun, sync } = this.#options;
    if (item.type !== 'file' || !item.whole || item.sameAs || item.sparse) return undefined;
    if ((item.size ?? 0) > RESTORE_SMALL_BYTES || dryRun || sync === 'file') return undefined;
    // What we may not read cannot be opened again to be flushed: it is flushed at once, as on Windows all files are.
    if (sync !== 'none' && (process.platform === 'win32' || (item.mode & 0o400) === 0)) return undefined;
    const folder = this.#folders.get(item.path.slice(0, -1));
    return folder?.fresh && !folder.failure ? folder : undefined;
  }

  /**
   * Takes an item that is for here.
   * @returns to be waited for where there is no room for more
   * @throws the item's error; what a message before broke with
   */
  add(item: RestoreItem, folder: RestoredFolder, bytes: Uint8Array): Promise<void> | undefined {
    if (this.#broken) throw this.#broken.error;
    const mtimeNs = this.#tally.time(parseTimeNs(item.mtime));
    const claimed = this.#folders.claim(folder, item.path);
    try {
      if (bytes.length !== (item.size ?? 0)) throw wrongSize(item, bytes.length);
      const path = joinPath(folder.path, claimed.name);
      const file = { path, mode: this.#tally.mode(item.mode), mtimeNs, sync: false };
      this.#copy(bytes);
      this.#gathered.push({ item, claimed, file, length: bytes.length });
      return this.#underWay.size >= MESSAGES_MAX ? Promise.race(this.#underWay) : undefined;
    } catch (error) {
      claimed.state = 'failed';
      throw error;
    }
  }

  /** Waits for all that was taken, whatever comes of it. */
  async settle(): Promise<void> {
    this.#send();
    await Promise.all(this.#underWay);
  }

  /** Waits for all that was taken. @throws what any of it broke with */
  async finish(): Promise<void> {
    await this.settle();
    if (this.#broken) throw this.#broken.error;
  }

  /** Puts bytes behind those of the message, or at the front of the next one. */
  #copy(bytes: Uint8Array): void {
    const room = this.#memory ? this.#memory.length - this.#filled : 0;
    if (bytes.length > room || this.#gathered.length === FILES_MAX) this.#send();
    this.#memory ??= this.#writer.lend();
    this.#memory.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  #send(): void {
    if (this.#memory === undefined) return;
    const sent = this.#write(this.#gathered, this.#memory)
      .catch((error: unknown) => {
        this.#broken ??= { error };
      })
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
    this.#gathered = [];
    this.#memory = undefined;
    this.#filled = 0;
  }

  async #write(placed: readonly PlacedFile[], memory: Uint8Array<ArrayBuffer>): Promise<void> {
    const errors = await this.#writer.writeTogether(placed, memory);
    for (const [index, { item, claimed, length }] of placed.entries()) {
      const error = errors.get(index);
      claimed.state = error ? 'failed' : 'written';
      if (error) this.#tally.fail(item.path, error);
      else this.#tally.did('write', item.path, length);
    }
  }
}
