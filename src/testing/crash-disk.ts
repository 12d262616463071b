/**
 * What a disk holds for a file system in memory, and what is left of it when the power goes.
 *
 * Every file and every folder is there twice: as everybody sees it, and as it is on the disk. What lies between is a list
 * of changes that were not flushed. POSIX orders nothing among them: of two files, and of two names in one folder, either
 * may survive without the other. Only the changes of one name come one after the other, so that a name stands for one of
 * the things it stood for since the flush.
 *
 * Harsher than any real disk: content is torn in pieces smaller than a sector, and a rename may lose its old name, its new
 * one, neither or both. Not here: a disk that loses what it said it flushed.
 */
import type { SeededRandom } from './seeded-random.ts';

/** Content is kept or lost in pieces of so many bytes. Less than any sector, so that small files are torn, too. */
const PIECE_BYTES = 64;

interface Write {
  readonly position: number;
  readonly bytes: Uint8Array;
}

export interface CrashFile {
  readonly kind: 'file';
  readonly ino: number;
  /** As it is read. */
  bytes: Uint8Array;
  /** As it was flushed. */
  durable: Uint8Array;
  /** Written since. */
  unflushed: readonly Write[];
  /** A flush failed, and what it was about will not be flushed by a later one that succeeds. */
  isForgotten: boolean;
}

interface NameChange {
  readonly name: string;
  /** Absent: the name was removed. */
  readonly node: CrashNode | undefined;
}

export interface CrashFolder {
  readonly kind: 'folder';
  readonly ino: number;
  names: Map<string, CrashNode>;
  durable: Map<string, CrashNode>;
  unflushed: readonly NameChange[];
}

export type CrashNode = CrashFile | CrashFolder;

/** Something that was not flushed when the power went. */
export interface Unflushed {
  /** Tells it from all others of one moment. */
  readonly id: string;
  readonly is: 'content' | 'name';
  /** Changes of a name; pieces of a content. */
  readonly count: number;
}

/** What is left of a content: nothing new, the first pieces at the new end, or some pieces at the new length. */
export type ContentSurvival =
  | { readonly kept: 'none' | 'all' }
  | { readonly kept: 'first'; readonly bytes: number }
  | {
      readonly kept: 'some';
      has(piece: number): boolean;
      /** What stands where nothing was ever written: zeros, or what somebody else once wrote there. */
      readonly rest: 'zeros' | 'noise';
    };

/** Decides what survives. Asked once for each thing that can still be reached. */
export interface Survival {
  /** How many of the changes of a name survive: the first ones, from 0 to `count`. */
  name(what: Unflushed): number;
  /** @param bytes the new length */
  content(what: Unflushed, bytes: number): ContentSurvival;
}

/** Everything by chance: each thing all, not, or in part. */
export function survivalByChance(random: SeededRandom): Survival {
  return {
    name: ({ count }) => (random.integer(2) === 0 ? (count > 1 ? random.integer(count) : 0) : count),
    content: (_, bytes) => {
      const choice = random.integer(5);
      if (choice === 0) return { kept: 'none' };
      if (choice === 1) return { kept: 'all' };
      if (choice === 2) return { kept: 'first', bytes: random.integer(bytes + 1) };
      const draw = random.next();
      // The same answer for the same piece.
      const has = (piece: number): boolean => ((draw ^ Math.imul(piece + 1, 0x9e3779b1)) >>> 13) % 2 === 0;
      return { kept: 'some', has, rest: choice === 3 ? 'zeros' : 'noise' };
    },
  };
}

export function newFile(ino: number): CrashFile {
  const empty = new Uint8Array(0);
  return { kind: 'file', ino, bytes: empty, durable: empty, unflushed: [], isForgotten: false };
}

export function newFolder(ino: number): CrashFolder {
  return { kind: 'folder', ino, names: new Map(), durable: new Map(), unflushed: [] };
}

function written(content: Uint8Array, { position, bytes }: Write): Uint8Array {
  const grown = new Uint8Array(Math.max(content.length, position + bytes.length));
  grown.set(content);
  grown.set(bytes, position);
  return grown;
}

/** Writes a copy of the bytes. */
export function writeTo(file: CrashFile, position: number, bytes: Uint8Array): void {
  const write = { position, bytes: bytes.slice() };
  file.bytes = written(file.bytes, write);
  file.unflushed = [...file.unflushed, write];
}

/** @param node absent: removes the name */
export function setName(folder: CrashFolder, name: string, node: CrashNode | undefined): void {
  if (node) folder.names.set(name, node);
  else folder.names.delete(name);
  folder.unflushed = [...folder.unflushed, { name, node }];
}

/** What a flush makes durable: what an earlier one forgot is gone, and only what came later is in question. */
function flushedBytes(file: CrashFile): Uint8Array {
  return file.isForgotten ? file.unflushed.reduce(written, file.durable) : file.bytes;
}

export function flush(node: CrashNode): void {
  if (node.kind === 'file') {
    node.durable = flushedBytes(node);
    node.unflushed = [];
    return;
  }
  for (const change of node.unflushed) applyName(node.durable, change);
  node.unflushed = [];
}

/**
 * A flush that failed: the system keeps showing what was written, and takes it for flushed from now on
 * (https://wiki.postgresql.org/wiki/Fsync_Errors).
 */
export function forget(node: CrashNode): void {
  node.unflushed = [];
  if (node.kind === 'file') node.isForgotten = node.durable !== node.bytes;
}

function applyName(names: Map<string, CrashNode>, { name, node }: NameChange): void {
  if (node) names.set(name, node);
  else names.delete(name);
}

/** Everything that can be reached and was not flushed. */
export function* unflushedIn(root: CrashFolder): Generator<Unflushed> {
  const seen = new Set<CrashNode>();
  const waiting: CrashNode[] = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.kind === 'file') {
      if (node.unflushed.length > 0) yield contentOf(node);
      continue;
    }
    for (const [name, changes] of changesByName(node)) yield nameOf(node, name, changes.length);
    waiting.push(...node.names.values(), ...node.durable.values());
    for (const { node: target } of node.unflushed) if (target) waiting.push(target);
  }
}

function contentOf(file: CrashFile): Unflushed {
  return { id: `${file.ino}`, is: 'content', count: Math.ceil(file.bytes.length / PIECE_BYTES) };
}

function nameOf(folder: CrashFolder, name: string, count: number): Unflushed {
  return { id: `${folder.ino}/${name}`, is: 'name', count };
}

function changesByName(folder: CrashFolder): ReadonlyMap<string, readonly NameChange[]> {
  return Map.groupBy(folder.unflushed, ({ name }) => name);
}

/** The same things in the same state, nothing of them shared but bytes. */
export function copyOf(root: CrashFolder): CrashFolder {
  return copyNode(root, new Map()) as CrashFolder;
}

function copyNode(node: CrashNode, seen: Map<CrashNode, CrashNode>): CrashNode {
  const known = seen.get(node);
  if (known) return known;
  if (node.kind === 'file') {
    const file = { ...node };
    seen.set(node, file);
    return file;
  }
  const folder = newFolder(node.ino);
  seen.set(node, folder);
  for (const [name, item] of node.names) folder.names.set(name, copyNode(item, seen));
  for (const [name, item] of node.durable) folder.durable.set(name, copyNode(item, seen));
  folder.unflushed = node.unflushed.map(({ name, node: item }) => ({ name, node: item && copyNode(item, seen) }));
  return folder;
}

/** What the disk holds when the power is back: all of it flushed. */
export function survivorOf(root: CrashFolder, survival: Survival): CrashFolder {
  return survivor(root, survival, new Map()) as CrashFolder;
}

function survivor(node: CrashNode, survival: Survival, seen: Map<CrashNode, CrashNode>): CrashNode {
  const known = seen.get(node);
  if (known) return known;
  if (node.kind === 'file') {
    const bytes = survivingBytes(node, survival);
    const file: CrashFile = { ...newFile(node.ino), bytes, durable: bytes };
    seen.set(node, file);
    return file;
  }
  const folder = newFolder(node.ino);
  seen.set(node, folder);
  const left = new Map(node.durable);
  for (const [name, changes] of changesByName(node)) {
    const kept = survival.name(nameOf(node, name, changes.length));
    for (const change of changes.slice(0, kept)) applyName(left, change);
  }
  for (const [name, item] of left) folder.names.set(name, survivor(item, survival, seen));
  folder.durable = new Map(folder.names);
  return folder;
}

function survivingBytes(file: CrashFile, survival: Survival): Uint8Array {
  if (file.unflushed.length === 0) return file.durable;
  const all = flushedBytes(file);
  const left = survival.content(contentOf(file), all.length);
  switch (left.kept) {
    case 'none':
      return file.durable;
    case 'all':
      return all;
    case 'first':
      return all.slice(0, left.bytes);
    default:
      return piecesOf(file.durable, all, left);
  }
}

function piecesOf(
  durable: Uint8Array,
  all: Uint8Array,
  left: Extract<ContentSurvival, { readonly kept: 'some' }>,
): Uint8Array {
  const bytes = new Uint8Array(all.length);
  if (left.rest === 'noise') for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 131 + 89) & 0xff;
  bytes.set(durable.subarray(0, all.length));
  for (let start = 0, piece = 0; start < all.length; start += PIECE_BYTES, piece += 1) {
    if (left.has(piece)) bytes.set(all.subarray(start, start + PIECE_BYTES), start);
  }
  return bytes;
}
