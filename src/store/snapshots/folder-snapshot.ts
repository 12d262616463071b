/**
 * A folder on disk becomes trees: files are read side by side while the scan goes on, and a folder becomes a tree when
 * all that is in it is there. What is unchanged since the last time is not read again.
 */
import { realpath } from 'node:fs/promises';
import { equalBytes, fromHex, toHex } from '../../bytes/bytes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import {
  openStatCache,
  readScannedFile,
  readSmallFile,
  type ScanItem,
  type ScannedNode,
  type StatCache,
  scanFolder,
} from '../../folders/index.ts';
import { buildTree, type FileChild, type TreeChild, type TreeName, treeName } from '../../objects/index.ts';
import { BufferPool } from '../../runtime/buffer-pool.ts';
import { Semaphore } from '../../runtime/semaphore.ts';
import { SmallFileReader } from '../../runtime/small-file-reader.ts';
import type { Engine } from '../engine.ts';
import type { ObjectWriter, WrittenObject } from '../objects/object-writer.ts';
import type { Scope } from '../scope.ts';
import { KnownObjects } from './known-objects.ts';
import { digestOfChildren, digestOfRemembered, listingOf, type Remembered } from './remembered.ts';
import { concernsOneFile, type SnapshotTally } from './snapshot-tally.ts';
import type { SnapshotOptions } from './snapshot-types.ts';

/** Files that are read at once: enough to share messages to the thread that reads small ones. */
const FILES_AT_ONCE = 32;
/** Files of this size and less are read whole. */
const SMALL_FILE_BYTES = 64 * 1024;
/** Files that are looked up together before any of them is read. */
const FILES_KNOWN_AT_ONCE = 2048;

/** A folder of the scan that was not left yet. */
interface OpenFolder {
  readonly node: ScannedNode;
  readonly children: (Remembered | Promise<TreeChild | undefined>)[];
}

/** The first name of a file that has several. */
interface FirstName {
  readonly path: TreeName;
  readonly child: Promise<FileChild | undefined>;
}

export interface FolderContext {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly writer: ObjectWriter;
  readonly tally: SnapshotTally;
}

/** The root of what was stored. */
export interface StoredFolder {
  readonly tree: string;
  readonly rootMode: number;
  readonly rootMtime: string;
}

/** The store lost what the stat cache remembers of a folder: then every file is looked up by itself. */
class ForgottenTree extends Error {}

/** A file that is stored; the scan may have seen it earlier than it was read, and what counts is what was read. */
interface PutFile {
  readonly facts: ScannedNode;
  readonly written: WrittenObject;
}

/** What a scan goes by. */
interface Parts {
  readonly options: SnapshotOptions;
  readonly cache: StatCache | undefined;
  /** Whether folders that seem unchanged are taken as a whole. */
  readonly trust: boolean;
}

class FolderSnapshot {
  readonly #root: string;
  readonly #options: SnapshotOptions;
  readonly #writer: ObjectWriter;
  readonly #tally: SnapshotTally;
  readonly #known: KnownObjects;
  readonly #cache: StatCache | undefined;
  readonly #files = new Semaphore(FILES_KNOWN_AT_ONCE);
  readonly #reads = new Semaphore(FILES_AT_ONCE);
  readonly #smallFiles = new SmallFileReader();
  readonly #buffers = new BufferPool({ bytes: SMALL_FILE_BYTES + 1, keptMax: FILES_AT_ONCE });
  readonly #trust: boolean;
  readonly #open: OpenFolder[] = [];
  readonly #firstNames = new Map<string, FirstName>();
  #onTheirWay = new Set<Promise<unknown>>();
  #rootChild: Remembered | Promise<TreeChild | undefined> | undefined;
  #failure: unknown;

  constructor(root: string, { engine, scope, writer, tally }: FolderContext, parts: Parts) {
    this.#root = root;
    this.#options = parts.options;
    this.#writer = writer;
    this.#tally = tally;
    this.#known = new KnownObjects(engine, scope);
    this.#cache = parts.cache;
    this.#trust = parts.trust && !parts.options.reread;
  }

  async run(): Promise<StoredFolder> {
    const { excludes, excludeFiles, oneFileSystem, avoid, signal } = this.#options;
    const items = scanFolder(this.#root, {
      ...(excludes && { excludes }),
      ...(excludeFiles && { excludeFiles }),
      ...(oneFileSystem && { oneFileSystem }),
      ...(avoid && { avoid }),
      ...(signal && { signal }),
    });
    try {
      for await (const item of items) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#writer.isFull) await this.#commit();
        await this.#meet(item);
      }
      const root = this.#rootChild;
      const child = root && !(root instanceof Promise) ? await this.#recall(root) : await root;
      if (child?.type !== 'folder') throw this.#failure;
      return { tree: child.id, rootMode: child.mode, rootMtime: child.mtime };
    } finally {
      await Promise.allSettled(this.#onTheirWay);
      await this.#smallFiles.close();
    }
  }

  async #meet(item: ScanItem): Promise<void> {
    switch (item.kind) {
      case 'enter':
        this.#open.push({ node: item.node, children: [] });
        return;
      case 'leave':
        this.#leave();
        return;
      case 'file':
        await this.#meetFile(item.node);
        return;
      case 'link':
        this.#tally.links += 1;
        this.#open.at(-1)?.children.push({ kind: 'link', node: item.node, value: item.target });
        return;
      case 'skipped':
        this.#tally.skip(item.reason);
        return;
      case 'failed':
        this.#tally.fail(item.path.toString(), item.error);
        return;
    }
  }

  /** A child of the folder that is open; one that fails as a whole ends the snapshot at its next step. */
  #add(child: Promise<TreeChild | undefined>): void {
    const guarded = this.#track(child);
    this.#open.at(-1)?.children.push(guarded);
  }

  #track<T>(work: Promise<T>): Promise<T | undefined> {
    const guarded = work.catch((error: unknown) => {
      this.#failure ??= error;
      return undefined;
    });
    this.#onTheirWay.add(guarded);
    void guarded.finally(() => this.#onTheirWay.delete(guarded));
    return guarded;
  }

  #leave(): void {
    const folder = this.#open.pop() as OpenFolder;
    this.#tally.folders += 1;
    const left = this.#remembered(folder) ?? this.#track(this.#build(folder));
    const above = this.#open.at(-1);
    if (above) above.children.push(left);
    else this.#rootChild = left;
  }

  /** A folder that holds what it held when its tree was stored, all the way down. */
  #remembered({ node, children }: OpenFolder): Remembered | undefined {
    if (!this.#trust || !this.#cache) return undefined;
    const remembered = children.flatMap((child) => (child instanceof Promise ? [] : [child]));
    if (remembered.length < children.length) return undefined;
    const listing = this.#cache.lookup(listingOf(node));
    const tree = this.#cache.lookup(node);
    if (!tree || !listing || !equalBytes(listing, digestOfRemembered(remembered))) return undefined;
    return { kind: 'folder', node, value: tree };
  }

  async #build({ node, children }: OpenFolder): Promise<TreeChild | undefined> {
    const recalled = children.map((child) => (child instanceof Promise ? child : this.#recall(child)));
    const found = (await Promise.all(recalled)).filter((child) => child !== undefined);
    if (this.#failure !== undefined) return undefined;
    const id = await buildTree(found, (tree) => this.#putTree(tree));
    this.#cache?.record(node, fromHex(id) ?? new Uint8Array());
    this.#cache?.record(listingOf(node), digestOfChildren(found));
    return { ...treeName(node.name), type: 'folder', id, mode: node.mode, mtime: node.mtime };
  }

  /** What is remembered becomes a child, if the store has it: whoever refers to something knows that it is there. */
  async #recall({ kind, node, value }: Remembered): Promise<TreeChild | undefined> {
    if (kind === 'link') return linkChild(node, value);
    const id = toHex(value);
    const name = treeName(node.name);
    if (kind === 'folder') {
      // A tree that is there has all that is below it: a commit takes nothing that refers to what is not there.
      if (!(await this.#known.has({ type: 'tree', id }))) throw new ForgottenTree();
      return { ...name, type: 'folder', id, mode: node.mode, mtime: node.mtime };
    }
    if (await this.#known.has({ type: 'raw', id })) return fileChild(node, id, node.size);
    this.#tally.unchanged -= 1;
    this.#tally.files -= 1;
    this.#tally.bytes -= node.size;
    return await this.#ownFile(node);
  }

  async #putTree(tree: Parameters<ObjectWriter['put']>[0]): Promise<string> {
    return (await this.#writer.put(tree, { known: (one) => this.#known.has(one) })).reference.id;
  }

  async #meetFile(node: ScannedNode): Promise<void> {
    const isAlone = node.nlink === 1;
    const value = isAlone && !this.#options.reread ? this.#cache?.lookup(node) : undefined;
    if (value) {
      this.#tally.addFile(node.size, { unchanged: true });
      this.#open.at(-1)?.children.push({ kind: 'file', node, value });
      return;
    }
    await this.#files.acquire(1, this.#options.signal);
    const file = isAlone ? this.#ownFile(node) : this.#file(node);
    this.#add(file.finally(() => this.#files.release()));
  }

  async #file(node: ScannedNode): Promise<TreeChild | undefined> {
    const first = node.nlink > 1 ? this.#firstNames.get(`${node.dev}:${node.ino}`) : undefined;
    if (first) {
      const same = await first.child;
      // Where the first name failed, this one is read for itself.
      if (same) return await this.#sameFile(node, first.path, same);
    }
    const child = this.#ownFile(node);
    if (node.nlink > 1 && !first)
      this.#firstNames.set(`${node.dev}:${node.ino}`, {
        path: treeName(node.path),
        child: child.catch(() => undefined),
      });
    return await child;
  }

  async #sameFile(node: ScannedNode, { name, nameBytes }: TreeName, same: FileChild): Promise<FileChild> {
    const { sameAs: _, sameAsBytes: __, name: ___, nameBytes: ____, ...facts } = same;
    this.#tally.addFile(same.size, { unchanged: true });
    return {
      ...facts,
      ...treeName(node.name),
      sameAs: name,
      ...(nameBytes !== undefined && { sameAsBytes: nameBytes }),
    };
  }

  async #ownFile(node: ScannedNode): Promise<FileChild | undefined> {
    await this.#reads.acquire(1, this.#options.signal);
    try {
      return await this.#readFile(node);
    } catch (error) {
      if (this.#options.signal?.aborted || !concernsOneFile(error)) throw error;
      this.#tally.fail(node.path.toString(), error);
      return undefined;
    } finally {
      this.#reads.release();
    }
  }

  async #readFile(node: ScannedNode): Promise<FileChild> {
    const { signal } = this.#options;
    const { facts, written } = await (node.size <= SMALL_FILE_BYTES ? this.#putSmall(node) : this.#putStream(node));
    signal?.throwIfAborted();
    this.#tally.addFile(written.size, { unchanged: false });
    const { id } = written.reference;
    this.#cache?.record(facts, fromHex(id) ?? new Uint8Array());
    return fileChild(facts, id, written.size);
  }

  async #putSmall(node: ScannedNode): Promise<PutFile> {
    const buffer = this.#buffers.take();
    try {
      const { bytes, facts } = await readSmallFile(this.#root, node, { files: this.#smallFiles, buffer });
      return { facts, written: await this.#writer.putRaw(bytes) };
    } finally {
      // What is stored of it was copied by now.
      this.#buffers.give(buffer);
    }
  }

  async #putStream(node: ScannedNode): Promise<PutFile> {
    const { signal } = this.#options;
    let facts = node;
    const content = async function* (root: string): AsyncGenerator<Uint8Array> {
      const pieces = readScannedFile(root, node, signal && { signal });
      for (;;) {
        const next = await pieces.next();
        if (next.done) {
          facts = next.value;
          return;
        }
        yield next.value;
      }
    };
    const written = await this.#writer.putRaw(content(this.#root), { signal });
    return { facts, written };
  }

  /** Everything that was begun is in it: what refers to something is put after it. */
  async #commit(): Promise<void> {
    await Promise.all(this.#onTheirWay);
    if (this.#failure !== undefined) throw this.#failure;
    await this.#writer.commitIfFull();
  }
}

function linkChild(node: ScannedNode, target: Uint8Array): TreeChild {
  const { name, nameBytes } = treeName(target);
  const bytes = nameBytes === undefined ? {} : { targetBytes: nameBytes };
  return { ...treeName(node.name), type: 'link', target: name, ...bytes, mtime: node.mtime };
}

function fileChild(node: ScannedNode, id: string, size: number): FileChild {
  const { mode, mtime, sparse } = node;
  return { ...treeName(node.name), type: 'file', id, size, mode, mtime, ...(sparse && { sparse: true as const }) };
}

/**
 * Stores a folder through the writer; its root is to be committed by the caller.
 * @throws `not-found/SOURCE_NOT_FOUND`, `invalid/SOURCE_INVALID` for the folder itself; what storing throws
 */
export async function storeFolder(
  folder: string,
  context: FolderContext,
  options: SnapshotOptions,
): Promise<{ readonly stored: StoredFolder; readonly remember: () => Promise<void> }> {
  const cache = options.statCache === undefined ? undefined : await openCache(folder, options.statCache, context);
  const stored = await storeTrusting(folder, context, { options, cache });
  return { stored, remember: () => remember(context, cache) };
}

/** The snapshot is there by now: it is no failure of it that the next one has to read more. */
async function remember({ engine }: FolderContext, cache: StatCache | undefined): Promise<void> {
  try {
    await cache?.save();
  } catch (error) {
    if (!isStoreError(error)) throw error;
    engine.telemetry.logger?.warn(error.message, { ...error.details });
  }
}

async function storeTrusting(
  folder: string,
  context: FolderContext,
  parts: Pick<Parts, 'options' | 'cache'>,
): Promise<StoredFolder> {
  try {
    return await new FolderSnapshot(folder, context, { ...parts, trust: true }).run();
  } catch (error) {
    if (!(error instanceof ForgottenTree)) throw error;
    context.tally.reset();
    return await new FolderSnapshot(folder, context, { ...parts, trust: false }).run();
  }
}

async function openCache(folder: string, statCache: string, { engine, scope }: FolderContext): Promise<StatCache> {
  // Where the folder is gone the scan says so.
  const root = await realpath(folder).catch(() => folder);
  const storeId = `${engine.config.storeId}/${scope.namespace}`;
  const { cache, unreadable } = await openStatCache({ folder: statCache, storeId, root, clock: engine.clock });
  if (isStoreError(unreadable)) engine.telemetry.logger?.warn(unreadable.message, { ...unreadable.details });
  return cache;
}
