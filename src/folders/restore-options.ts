import type { StoreError } from '../errors/store-error.ts';
import type { FolderSystem } from '../runtime/folder-system.ts';
import type { TargetNature } from './target-nature.ts';

/** One thing to restore. Folders come before what is in them. */
export interface RestoreItem {
  /** Components below the target; none for the target itself, which is then a folder. */
  readonly path: readonly Buffer[];
  readonly type: 'file' | 'folder' | 'link';
  /** Permission bits; of links they are not set. */
  readonly mode: number;
  /** As `formatTimeNs` writes it. */
  readonly mtime: string;
  /** Of files: bytes that `content` gives, which is checked. */
  readonly size?: number;
  /** Of files: opened when its turn comes, and only if it is written. Pieces are used before the next is asked for. */
  readonly content?: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /**
   * Of small files, beside `content`: all of it at once, where it can be had so. Asked for once; the bytes hold until the next
   * item is asked for.
   */
  readonly whole?: () => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Of links: where it points, never looked at. */
  readonly target?: Buffer;
  /** Of files: path of an item whose file this is another name of. Where that was not restored, `content` is. */
  readonly sameAs?: readonly Buffer[];
  /** Of files: leave holes where there are long runs of zeros. */
  readonly sparse?: boolean;
}

/** What happened to an item, or would in a dry run; `remove` is something that no item is about. */
export interface RestoreEvent {
  readonly action: 'write' | 'keep' | 'folder' | 'link' | 'hard-link' | 'remove' | 'failed';
  /** Below the target, components separated by `/`. */
  readonly path: Buffer;
  readonly bytes?: number;
}

export interface RestoreOptions {
  /**
   * What becomes of files and links that are there: refused (`never`, the default), written anew unless size and time
   * are those of the item (`changed`), or written anew (`always`). A folder is never replaced but with `delete`.
   */
  readonly overwrite?: 'never' | 'changed' | 'always';
  /**
   * Makes the folders that came as items hold what the items say and nothing else. Only when no item failed; a folder
   * in the place of a file, or a link in the place of a folder, goes at once. Default false.
   */
  readonly delete?: boolean;
  /** Looks and tells, and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** Sets the bits setuid and setgid, which make a program run as its owner. Default false. */
  readonly specialModes?: boolean;
  /**
   * When files are flushed: `end`, all of them after the last (default); `file`, each before it gets its name, so that
   * a crash in the middle leaves no file that is empty, at twice the time or more; `none`.
   */
  readonly sync?: 'end' | 'file' | 'none';
  /** Paths that are neither replaced nor removed, as the store's. */
  readonly avoid?: readonly string[];
  /** How the target compares names; default: tried out there. */
  readonly nature?: TargetNature;
  readonly onEvent?: (event: RestoreEvent) => void;
  readonly signal?: AbortSignal;
  readonly system?: FolderSystem;
}

/** What a restore did, or would do. */
export interface RestoreReport {
  readonly dryRun: boolean;
  /** Files written, with content. */
  readonly files: number;
  readonly bytes: number;
  /** Folders made. */
  readonly folders: number;
  readonly links: number;
  readonly hardLinks: number;
  /** Files and links that were there already as they should be. */
  readonly unchanged: number;
  readonly removed: number;
  /** True when `delete` was asked for and not done, because something failed. */
  readonly removalSkipped: boolean;
  /** Items whose time is off by less than a microsecond: see `storableTimeNs`. */
  readonly timesRounded: number;
  /** Items whose setuid or setgid bit was left away. */
  readonly specialModesDropped: number;
  /** Items that were not restored, or not completely; the first of them. */
  readonly failed: number;
  readonly failures: readonly { readonly path: Buffer; readonly error: StoreError }[];
}
