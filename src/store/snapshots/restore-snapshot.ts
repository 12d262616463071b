/** A snapshot, or a part of it, becomes a folder or an archive again. */
import { type TarItem, writeTar } from '../../archive/index.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { type RestoreItem, type RestoreReport, restoreInto } from '../../folders/index.ts';
import type { TreeChild } from '../../objects/index.ts';
import type { Engine } from '../engine.ts';
import { ObjectReader } from '../objects/object-reader.ts';
import type { FoundAddress } from '../objects/object-types.ts';
import type { Scope } from '../scope.ts';
import { type RestoredFile, withContents } from './restored-contents.ts';
import {
  type SnapshotFailure,
  type SnapshotRestoreOptions,
  type SnapshotRestoreReport,
  toFailure,
} from './snapshot-types.ts';
import { pathBytes, textBytes, walkTree } from './tree-items.ts';

/** Where objects are read from. */
export interface ReadingContext {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly signal?: AbortSignal | undefined;
}

/** Times and modes of a root of which nothing is known: that of an archive without one. */
const ROOT = { mode: 0o755, mtime: '1970-01-01T00:00:00.000000000Z' } as const;
const SLASH = Buffer.from('/');

/** What an address leads to, as the root of a restore: a folder of names, or one file or link. */
type Root =
  | { readonly kind: 'folder'; readonly tree: string; readonly mode: number; readonly mtime: string }
  | { readonly kind: 'child'; readonly child: TreeChild };

async function rootOf(reader: ObjectReader, { reference, child }: FoundAddress): Promise<Root> {
  if (child?.type === 'folder') return { kind: 'folder', tree: child.id, mode: child.mode, mtime: child.mtime };
  if (child) return { kind: 'child', child };
  if (reference.type === 'tree') return { kind: 'folder', tree: reference.id, ...ROOT };
  const [object] = reference.type === 'snapshot' ? await reader.load([reference]) : [];
  if (isStoreError(object)) throw object;
  const content = object?.type === 'snapshot' ? object.content : undefined;
  if (content?.tree === undefined) {
    throw storeError('OBJECT_WRONG_TYPE', `object ${reference.id} holds no folder`, {
      details: { object: reference.id, actual: reference.type },
    });
  }
  const { tree, rootMode: mode = ROOT.mode, rootMtime: mtime = ROOT.mtime } = content;
  return { kind: 'folder', tree, mode, mtime };
}

function splitPath(path: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash === -1 ? path.length : slash;
    parts.push(path.subarray(start, end));
    start = end + 1;
  }
  return parts;
}

/** @returns `undefined` for what is no part of a folder: entries and named objects */
function toFile(path: readonly Buffer[], child: TreeChild): RestoredFile | undefined {
  switch (child.type) {
    case 'folder':
      return { item: { path, type: 'folder', mode: child.mode, mtime: child.mtime } };
    case 'link': {
      const target = textBytes(child.target, child.targetBytes);
      return { item: { path, type: 'link', mode: 0o777, mtime: child.mtime, target } };
    }
    case 'file': {
      const { id, mode, mtime, size, sameAs, sameAsBytes, sparse } = child;
      const same = sameAs === undefined ? {} : { sameAs: splitPath(textBytes(sameAs, sameAsBytes)) };
      return { id, item: { path, type: 'file', mode, mtime, size, ...same, ...(sparse && { sparse }) } };
    }
    default:
      return undefined;
  }
}

/** What is to be restored, in order. Names of files that lie elsewhere in the snapshot mean nothing in a part of it. */
async function* filesOf(
  root: Root,
  reader: ObjectReader,
  {
    name,
    whole,
    signal,
  }: { readonly name: Buffer; readonly whole: boolean; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<RestoredFile, void, undefined> {
  if (root.kind === 'child') {
    const file = toFile([name], root.child);
    if (file) yield withoutSame(file, whole);
    return;
  }
  yield { item: { path: [], type: 'folder', mode: root.mode, mtime: root.mtime } };
  for await (const { path, child } of walkTree(root.tree, reader.load, { recursive: true, signal })) {
    const file = toFile(pathBytes(path), child);
    if (file) yield withoutSame(file, whole);
  }
}

function withoutSame({ id, item }: RestoredFile, whole: boolean): RestoredFile {
  if (whole || item.sameAs === undefined) return { item, ...(id !== undefined && { id }) };
  const { sameAs: _, ...alone } = item;
  return { item: alone, ...(id !== undefined && { id }) };
}

/** See `Snapshots.restore`. */
export async function restoreSnapshot(
  context: ReadingContext,
  found: FoundAddress,
  { target, ...options }: SnapshotRestoreOptions & { readonly target: string },
): Promise<SnapshotRestoreReport> {
  const { engine, scope, signal } = context;
  const reader = new ObjectReader(engine, scope, signal);
  const root = await rootOf(reader, found);
  const { onProgress, onEvent, ...restoring } = options;
  let [done, bytes] = [0, 0];
  const report = await restoreInto(target, withContents(filesOf(root, reader, partOf(found, signal)), reader), {
    ...restoring,
    onEvent: (event) => {
      done += 1;
      bytes += event.bytes ?? 0;
      onProgress?.({ phase: 'restore', done, bytes });
      onEvent?.(event);
    },
  });
  return toReport(found.base.id, target, report);
}

/** Of one file its own name; whether all of a snapshot is meant. */
function partOf(found: FoundAddress, signal: AbortSignal | undefined) {
  const { child } = found;
  const name = child
    ? Buffer.from(textBytes(child.name, 'nameBytes' in child ? child.nameBytes : undefined))
    : Buffer.alloc(0);
  return { name, whole: child === undefined, signal };
}

function toReport(id: string, target: string, report: RestoreReport): SnapshotRestoreReport {
  const { dryRun, files, folders, links, hardLinks, bytes, unchanged, removed, removalSkipped, failed } = report;
  const failures = report.failures.map(({ path, error }) => toFailure(path.toString(), error));
  return Object.freeze({
    ...{ id, target, dryRun, files: files + hardLinks, folders, links, bytes, unchanged, removed, removalSkipped },
    ...{ failed, failures: Object.freeze(failures) },
  });
}

/** See `Snapshots.exportTar`. */
export async function* snapshotAsTar(
  context: ReadingContext,
  found: FoundAddress,
  options: {
    readonly compression?: 'none' | 'gzip' | 'zstd' | undefined;
    readonly onRefused?: ((failure: SnapshotFailure) => void) | undefined;
  },
): AsyncGenerator<Uint8Array> {
  const { engine, scope, signal } = context;
  const reader = new ObjectReader(engine, scope, signal);
  const root = await rootOf(reader, found);
  const items = tarItems(withContents(filesOf(root, reader, partOf(found, signal)), reader));
  const { compression, onRefused } = options;
  yield* writeTar(items, {
    ...(compression && { compression }),
    ...(onRefused && { onRefused: ({ path, error }) => onRefused(toFailure(Buffer.from(path).toString(), error)) }),
  });
}

async function* tarItems(items: AsyncIterable<RestoreItem>): AsyncGenerator<TarItem> {
  for await (const { path, type, mode, mtime, size = 0, content, target, sameAs } of items) {
    const stream =
      content &&
      async function* read() {
        yield* content();
      };
    yield {
      path: joined(path),
      ...{ type, mode, mtime, size },
      ...(stream && { content: stream }),
      ...(target && { target }),
      ...(sameAs && { sameAs: joined(sameAs) }),
    };
  }
}

function joined(path: readonly Buffer[]): Buffer {
  return Buffer.concat(path.flatMap((part, index) => (index === 0 ? [part] : [SLASH, part])));
}
