/**
 * A folder on disk becomes trees: files are read side by side while the scan goes on, and a folder becomes a tree when
 * all that is in it is there. What is unchanged since the last time is not read again.
 */
import { realpath } from 'node:fs/promises';
import { equalBytes, fromHex, toHex } from '../../bytes/bytes.ts';
import { invariant, isStoreError } from '../../errors/store-error.ts';
import {
  formatTimeNs,
  openStatCache,
  readScannedFile,
  readSmallFiles,
  type ScanItem,
  type ScannedNode,
  type StatCache,
  scanFolder,
} from '../../folders/index.ts';
import { buildTree, type FileChild, type TreeChild, type TreeName, treeName } from '../../objects/index.ts';
import { Semaphore } from '../../runtime/semaphore.ts';
import { SmallFileReader } from '../../runtime/small-file-reader.ts';
import type { Engine } from '../engine.ts';
import type { ObjectWriter, WrittenObject } from '../objects/object-writer.ts';
import type { Scope } from '../scope.ts';
import { FileBatch, type NodeOnItsWay } from './file-batch.ts';
import { KnownObjects } from './known-objects.ts';
import { digestOfListing, listingOf, type StoredNode } from './remembered.ts';
import { concernsOneFile, type SnapshotTally } from './snapshot-tally.ts';
import type { SnapshotOptions } from './snapshot-types.ts';

/** Large files that are read at once. */
const FILES_AT_ONCE = 32;
/** Batches of small files on their way: one is read while the one before is stored. */
const BATCHES_AT_ONCE = 2;

/** A folder of the scan that was not left yet. What is remembered of its children is not known to be in the store yet. */
interface OpenFolder {
  readonly node: ScannedNode;
  readonly children: (StoredNode | NodeOnItsWay)[];
}

/** The first name of a file that has several. */
interface FirstName {
  readonly path: TreeName;
  readonly child: NodeOnItsWay;
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
  readonly #reads = new Semaphore(FILES_AT_ONCE);
  readonly #smallFiles = new SmallFileReader();
  #batch = new FileBatch();
  readonly #batchesOnTheirWay: Promise<unknown>[] = [];
  readonly #trust: boolean;
  readonly #open: OpenFolder[] = [];
  readonly #firstNames = new Map<string, FirstName>();
  #onTheirWay = new Set<Promise<unknown>>();
  #rootChild: StoredNode | NodeOnItsWay | undefined;
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
      for await (const some of items) {
        for (const item of some) {
          if (this.#failure !== undefined) throw this.#failure;
          if (this.#writer.isFull) await this.#commit();
          const waiting = this.#meet(item);
          if (waiting) await waiting;
        }
      }
      await this.#sendBatch();
      const root = this.#rootChild && (await this.#storedOf([this.#rootChild]))[0];
      if (root?.kind !== 'folder') throw this.#failure;
      return { tree: toHex(root.value), rootMode: root.node.mode, rootMtime: formatTimeNs(root.node.mtimeNs) };
    } finally {
      // Whoever waits for files that nobody will read is told.
      this.#batch.settle();
      await Promise.allSettled(this.#onTheirWay);
      await this.#smallFiles.close();
    }
  }

  /** @returns what to wait for before the next item */
  #meet(item: ScanItem): Promise<void> | undefined {
    switch (item.kind) {
      case 'enter':
        this.#open.push({ node: item.node, children: [] });
        return undefined;
      case 'leave':
        this.#leave();
        return undefined;
      case 'file':
        return this.#meetFile(item.node);
      case 'link':
        this.#tally.links += 1;
        this.#add({ kind: 'link', node: item.node, value: item.target });
        return undefined;
      case 'skipped':
        this.#tally.skip(item.reason);
        return undefined;
      case 'failed':
        this.#tally.fail(item.path.toString(), item.error);
        return undefined;
    }
  }

  #add(child: StoredNode | NodeOnItsWay): void {
    this.#open.at(-1)?.children.push(child);
  }

  /** What a name will stand for once it is stored; work that fails as a whole ends the snapshot at its next step. */
  #onItsWay(work: Promise<StoredNode | undefined>): NodeOnItsWay {
    const node: { stored: StoredNode | undefined; ready: Promise<unknown> } = { stored: undefined, ready: work };
    node.ready = this.#track(
      work.then((stored) => {
        node.stored = stored;
      }),
    );
    return node;
  }

  /** Never rejects. */
  #track(work: Promise<unknown>): Promise<unknown> {
    const guarded = work.catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#onTheirWay.add(guarded);
    void guarded.finally(() => this.#onTheirWay.delete(guarded));
    return guarded;
  }

  #leave(): void {
    const folder = this.#open.pop() as OpenFolder;
    this.#tally.folders += 1;
    const left = this.#remembered(folder) ?? this.#onItsWay(this.#build(folder));
    if (this.#open.length > 0) this.#add(left);
    else this.#rootChild = left;
  }

  /** A folder that holds what it held when its tree was stored, all the way down. */
  #remembered({ node, children }: OpenFolder): StoredNode | undefined {
    if (!this.#trust || !this.#cache) return undefined;
    const remembered = children.filter(isRemembered);
    if (remembered.length < children.length) return undefined;
    const listing = this.#cache.lookup(listingOf(node));
    const tree = this.#cache.lookup(node);
    if (!tree || !listing || !equalBytes(listing, digestOfListing(remembered))) return undefined;
    return { kind: 'folder', node, value: tree };
  }

  async #build({ node, children }: OpenFolder): Promise<StoredNode | undefined> {
    const stored = await this.#storedOf(children);
    if (this.#failure !== undefined) return undefined;
    const value = fromHex(await buildTree(stored.map(toChild), (tree) => this.#putTree(tree)));
    invariant(value, 'an id is hex');
    this.#cache?.record(node, value);
    this.#cache?.record(listingOf(node), digestOfListing(stored));
    return { kind: 'folder', node, value };
  }

  /** Waits for what is on its way, and looks up what is remembered; without what could not be stored. */
  async #storedOf(children: readonly (StoredNode | NodeOnItsWay)[]): Promise<readonly StoredNode[]> {
    // Files of one batch are ready at once.
    await Promise.all(new Set(children.map((child) => ('ready' in child ? child.ready : undefined))));
    const stored = children.map((child) => ('ready' in child ? child.stored : this.#recall(child)));
    return (await Promise.all(stored)).filter((child) => child !== undefined);
  }

  /** What is remembered is stored, if the store has it: whoever refers to something knows that it is there. */
  async #recall(remembered: StoredNode): Promise<StoredNode | undefined> {
    const { kind, node, value } = remembered;
    if (kind === 'link') return remembered;
    const id = toHex(value);
    if (kind === 'folder') {
      // A tree that is there has all that is below it: a commit takes nothing that refers to what is not there.
      if (!(await this.#known.has({ type: 'tree', id }))) throw new ForgottenTree();
      return remembered;
    }
    if (await this.#known.has({ type: 'raw', id })) return remembered;
    this.#tally.unchanged -= 1;
    this.#tally.files -= 1;
    this.#tally.bytes -= node.size;
    await this.#reads.acquire(1, this.#options.signal);
    return await this.#ownFile(node);
  }

  async #putTree(tree: Parameters<ObjectWriter['put']>[0]): Promise<string> {
    return (await this.#writer.put(tree, { known: (one) => this.#known.has(one) })).reference.id;
  }

  #meetFile(node: ScannedNode): Promise<void> | undefined {
    const isAlone = node.nlink === 1;
    const value = isAlone && !this.#options.reread ? this.#cache?.lookup(node) : undefined;
    if (value) {
      this.#tally.addFile(node.size, { unchanged: true });
      this.#add({ kind: 'file', node, value });
      return undefined;
    }
    if (!isAlone || !this.#isSmall(node) || !this.#batch.hasRoomFor(node)) return this.#startFile(node);
    this.#add(this.#batch.add(node));
    return undefined;
  }

  #isSmall({ size }: ScannedNode): boolean {
    return this.#writer.takesSmall(size);
  }

  /** Starts to store a file; waits while many are on their way. */
  async #startFile(node: ScannedNode): Promise<void> {
    const inode = node.nlink > 1 ? `${node.dev}:${node.ino}` : undefined;
    const first = inode === undefined ? undefined : this.#firstNames.get(inode);
    const child = first ? this.#onItsWay(this.#sameFile(node, first)) : await this.#putLater(node);
    if (inode !== undefined && !first) this.#firstNames.set(inode, { path: treeName(node.path), child });
    this.#add(child);
  }

  async #putLater(node: ScannedNode): Promise<NodeOnItsWay> {
    if (!this.#isSmall(node)) {
      await this.#reads.acquire(1, this.#options.signal);
      return this.#onItsWay(this.#ownFile(node));
    }
    if (!this.#batch.hasRoomFor(node)) await this.#sendBatch();
    return this.#batch.add(node);
  }

  async #sameFile(node: ScannedNode, first: FirstName): Promise<StoredNode | undefined> {
    await first.child.ready;
    const same = first.child.stored;
    if (same) {
      this.#tally.addFile(same.node.size, { unchanged: true });
      return { ...same, node: { ...same.node, name: node.name }, sameAs: first.path };
    }
    // Where the first name failed, this one is read for itself.
    await this.#reads.acquire(1, this.#options.signal);
    return await this.#ownFile(node);
  }

  async #ownFile(node: ScannedNode): Promise<StoredNode | undefined> {
    try {
      return await this.#putStream(node);
    } catch (error) {
      this.#failFile(node, error);
      return undefined;
    } finally {
      this.#reads.release();
    }
  }

  /** A file that cannot be stored is told, and the others go on. @throws what is about more than the file */
  #failFile(node: ScannedNode, error: unknown): void {
    if (this.#options.signal?.aborted || !concernsOneFile(error)) throw error;
    this.#tally.fail(node.path.toString(), error);
  }

  /** @param facts what the file was when it was read, which the scan may have seen earlier */
  #storedFile(facts: ScannedNode, { size, digest }: WrittenObject): StoredNode {
    this.#tally.addFile(size, { unchanged: false });
    this.#cache?.record(facts, digest);
    return { kind: 'file', node: facts, value: digest };
  }

  async #putStream(node: ScannedNode): Promise<StoredNode> {
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
    signal?.throwIfAborted();
    return this.#storedFile(facts, written);
  }

  /** Starts to read and store the small files that have gathered; waits while two batches are on their way. */
  async #sendBatch(): Promise<void> {
    const batch = this.#batch;
    if (batch.nodes.length === 0) return;
    this.#batch = new FileBatch();
    if (this.#batchesOnTheirWay.length === BATCHES_AT_ONCE) await this.#batchesOnTheirWay.shift();
    this.#batchesOnTheirWay.push(this.#track(this.#putBatch(batch)));
  }

  async #putBatch(batch: FileBatch): Promise<void> {
    try {
      this.#options.signal?.throwIfAborted();
      const { files, release } = await readSmallFiles(this.#root, batch.nodes, this.#smallFiles);
      for (const [index, file] of files.entries()) {
        const node = batch.nodes[index] as ScannedNode;
        if (file instanceof Error) this.#failFile(node, file);
        else batch.store(index, this.#storedFile(file.facts, this.#writer.putSmall(file.bytes)));
        if (this.#writer.isCrowded) await this.#writer.drain();
        this.#options.signal?.throwIfAborted();
      }
      release();
    } finally {
      batch.settle();
    }
  }

  /** Everything that was begun is in it: what refers to something is put after it. */
  async #commit(): Promise<void> {
    await this.#sendBatch();
    await Promise.all(this.#onTheirWay);
    if (this.#failure !== undefined) throw this.#failure;
    await this.#writer.commitIfFull();
  }
}

function isRemembered(child: StoredNode | NodeOnItsWay): child is StoredNode {
  return !('ready' in child);
}

/** As the tree of its folder tells it. */
function toChild({ kind, node, value, sameAs }: StoredNode): TreeChild {
  const { mode, size, sparse } = node;
  const name = treeName(node.name);
  const mtime = formatTimeNs(node.mtimeNs);
  switch (kind) {
    case 'link': {
      const { name: target, nameBytes: targetBytes } = treeName(value);
      return { ...name, type: 'link', target, ...(targetBytes !== undefined && { targetBytes }), mtime };
    }
    case 'folder':
      return { ...name, type: 'folder', id: toHex(value), mode, mtime };
    case 'file': {
      const file: FileChild = { ...name, type: 'file', id: toHex(value), size, mode, mtime };
      const holes = sparse ? ({ sparse } as const) : {};
      if (!sameAs) return { ...file, ...holes };
      const { name: first, nameBytes } = sameAs;
      return { ...file, ...holes, sameAs: first, ...(nameBytes !== undefined && { sameAsBytes: nameBytes }) };
    }
  }
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
