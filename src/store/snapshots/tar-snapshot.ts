/**
 * A tar archive becomes trees. An archive has its items in any order, and the same path more than once: names and facts
 * are held until its end, contents are stored as they come.
 */
import { readTar, type TarItem } from '../../archive/index.ts';
import { compareBytes } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import { ARCHIVE_ITEMS_MAX } from '../../limits.ts';
import { buildTree, type FileChild, type SnapshotContent, type TreeChild, treeName } from '../../objects/index.ts';
import type { FolderContext } from './folder-snapshot.ts';
import type { SnapshotOptions } from './snapshot-types.ts';

interface Folder {
  mode: number;
  mtime: string;
  readonly children: Map<string, Folder | Exclude<TreeChild, { readonly type: 'folder' }>>;
}

/** Of folders that the archive does not name, and of its root. */
const UNNAMED = { mode: 0o755, mtime: '1970-01-01T00:00:00.000000000Z' } as const;
const SLASH = 0x2f;

function newFolder(): Folder {
  return { ...UNNAMED, children: new Map() };
}

function isFolder(child: Folder | TreeChild | undefined): child is Folder {
  return child !== undefined && 'children' in child;
}

/** Names are bytes: as text of one byte a character they keep their order and what they are. */
function partsOf(path: Uint8Array): string[] {
  const text = Buffer.from(path).toString('latin1');
  return text === '' ? [] : text.split(String.fromCharCode(SLASH));
}

class ArchiveTree {
  readonly #root = newFolder();
  #items = 0;

  /** What is put in the place of something else replaces it, as an archive that is unpacked does. */
  put(path: Uint8Array, child: Folder | Exclude<TreeChild, { readonly type: 'folder' }>): void {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) return;
    this.#items += 1;
    if (this.#items > ARCHIVE_ITEMS_MAX) {
      throw storeError('ARCHIVE_INVALID', `the archive cannot be read: it has more than ${ARCHIVE_ITEMS_MAX} items`);
    }
    this.#folder(parts).children.set(name, child);
  }

  /** The folder of a path, made where it is not there. */
  folder(path: Uint8Array): Folder {
    return this.#folder(partsOf(path));
  }

  find(path: Uint8Array): Folder | TreeChild | undefined {
    let at: Folder | TreeChild | undefined = this.#root;
    for (const name of partsOf(path)) at = isFolder(at) ? at.children.get(name) : undefined;
    return at;
  }

  #folder(parts: readonly string[]): Folder {
    let folder = this.#root;
    for (const name of parts) {
      const there = folder.children.get(name);
      const next = isFolder(there) ? there : newFolder();
      if (next !== there) folder.children.set(name, next);
      folder = next;
    }
    return folder;
  }
}

interface Building {
  readonly folder: Folder;
  readonly names: readonly string[];
  readonly done: TreeChild[];
  next: number;
}

/** Builds the tree of a folder, those of the folders in it first; without recursion, as paths may be deep. */
async function store(root: Folder, context: FolderContext): Promise<string> {
  const { writer, tally } = context;
  const put = async (tree: Parameters<typeof writer.put>[0]): Promise<string> => {
    await writer.commitIfFull();
    return (await writer.put(tree)).reference.id;
  };
  const open: Building[] = [begin(root)];
  for (;;) {
    const top = open.at(-1) as Building;
    const name = top.names[top.next];
    if (name === undefined) {
      const id = await buildTree(top.done, put);
      tally.folders += 1;
      open.pop();
      const above = open.at(-1);
      if (!above) return id;
      const { mode, mtime } = top.folder;
      above.done.push({ ...nameOf(above.names[above.next] as string), type: 'folder', id, mode, mtime });
      above.next += 1;
      continue;
    }
    const child = top.folder.children.get(name);
    if (isFolder(child)) open.push(begin(child));
    else {
      if (child) top.done.push(child);
      top.next += 1;
    }
  }
}

function begin(folder: Folder): Building {
  const names = [...folder.children.keys()].sort((a, b) =>
    compareBytes(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')),
  );
  return { folder, names, done: [], next: 0 };
}

function nameOf(name: string): ReturnType<typeof treeName> {
  return treeName(Buffer.from(name, 'latin1'));
}

function lastName(path: Uint8Array): ReturnType<typeof treeName> {
  return treeName(path.subarray(path.lastIndexOf(SLASH) + 1));
}

async function meet(item: TarItem, tree: ArchiveTree, context: FolderContext, options: SnapshotOptions): Promise<void> {
  const { writer, tally } = context;
  const { path, mode, mtime } = item;
  if (item.type === 'folder') {
    Object.assign(tree.folder(path), { mode, mtime });
    return;
  }
  if (item.type === 'link') {
    const { name: target, nameBytes } = treeName(item.target ?? new Uint8Array());
    const bytes = nameBytes === undefined ? {} : { targetBytes: nameBytes };
    tree.put(path, { ...lastName(path), type: 'link', target, ...bytes, mtime });
    tally.links += 1;
    return;
  }
  if (item.sameAs) {
    tree.put(path, sameFile(path, item.sameAs, tree));
    tally.addFile(item.size, { unchanged: true });
    return;
  }
  await writer.commitIfFull();
  const { signal } = options;
  const content = item.content?.() ?? new Uint8Array();
  const written = await writer.putRaw(content, { signal });
  tally.addFile(written.size, { unchanged: false });
  tree.put(path, { ...lastName(path), type: 'file', id: written.reference.id, size: written.size, mode, mtime });
}

function sameFile(path: Uint8Array, sameAs: Uint8Array, tree: ArchiveTree): FileChild {
  const first = tree.find(sameAs);
  if (first === undefined || isFolder(first) || first.type !== 'file') {
    const text = Buffer.from(path).toString();
    throw storeError('ARCHIVE_INVALID', `the archive cannot be read: ${text} is another name of what is not there`);
  }
  const { id, size, mode, mtime } = first;
  const { name, nameBytes } = treeName(sameAs);
  const bytes = nameBytes === undefined ? {} : { sameAsBytes: nameBytes };
  return { ...lastName(path), type: 'file', id, size, mode, mtime, sameAs: name, ...bytes };
}

/**
 * Stores what an archive holds through the writer; its root is to be committed by the caller.
 * @throws `invalid/ARCHIVE_INVALID`, and what the stream throws
 */
export async function storeArchive(
  archive: AsyncIterable<Uint8Array>,
  context: FolderContext,
  options: SnapshotOptions,
): Promise<SnapshotContent> {
  const tree = new ArchiveTree();
  for await (const item of readTar(archive)) {
    options.signal?.throwIfAborted();
    if (item.type === 'refused') context.tally.fail(Buffer.from(item.path).toString(), item.error);
    else await meet(item, tree, context, options);
  }
  const root = tree.folder(new Uint8Array());
  return { tree: await store(root, context), rootMode: root.mode, rootMtime: root.mtime };
}
