/** Compares what a chunkstore keeps beside its manifests with the manifests. They decide; the rest is only told. */
import { isStoreError } from '../errors/store-error.ts';
import { CHUNKSTORE_LIST_BYTES_MAX, KIB } from '../limits.ts';
import { COUNTS, INDEX, isChunkName, MANIFESTS, parseCount, parseIndex, plainId } from './chunkstore-layout.ts';
import type { Listed } from './listed.ts';
import type { SourceFolder } from './source-folder.ts';

/** Something of a chunkstore that does not agree with its manifests. Nothing of an entry depends on it. */
export interface ChunkstoreDifference {
  readonly kind: /** An index is missing, or is no list of texts. */
    | 'index-missing'
    | 'index-corrupt'
    /** An index does not name what is there, names what is not, or names it in another spelling. */
    | 'index-lacks'
    | 'index-extra'
    | 'index-spelling'
    /** A count is missing, no number, another one than the manifests make, or of a chunk that none lists. */
    | 'count-missing'
    | 'count-corrupt'
    | 'count-wrong'
    | 'count-extra'
    /** A chunk that no manifest lists; a file that is no part of the layout, as an interrupted write leaves. */
    | 'chunk-unlisted'
    | 'file-unknown';
  /** Of the file, below the folder. */
  readonly path: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
}

type Found = Listed<ChunkstoreDifference>;

/** A small file, or `undefined` when it is not there or cannot be read as one. */
async function readIfAny(folder: SourceFolder, name: string, bytesMax: number): Promise<Uint8Array | undefined> {
  try {
    return await folder.bytes(name, bytesMax, undefined);
  } catch (error) {
    if (isStoreError(error, 'SOURCE_NOT_FOUND')) return undefined;
    // A link, a folder, something huge: no index and no count, which is what is told then.
    if (isStoreError(error, 'SOURCE_INVALID', 'PERMISSION_DENIED')) return new Uint8Array();
    throw error;
  }
}

/** An index, or `undefined` when there is none that can be read, which is told. */
export async function readIndex(
  folder: SourceFolder,
  of: typeof MANIFESTS | typeof COUNTS,
  differences: Found,
): Promise<readonly string[] | undefined> {
  const path = `${of}/${INDEX}`;
  const bytes = await readIfAny(folder, path, CHUNKSTORE_LIST_BYTES_MAX);
  const index = bytes && parseIndex(bytes);
  if (index === undefined) differences.add({ kind: bytes === undefined ? 'index-missing' : 'index-corrupt', path });
  return index;
}

/** Tells where an index and the names that are there differ. */
export function compareIndex(
  index: readonly string[],
  names: ReadonlySet<string>,
  context: { readonly of: typeof MANIFESTS | typeof COUNTS; readonly differences: Found },
): void {
  const { of, differences } = context;
  const listed = new Set<string>();
  for (const name of index) {
    const plain = plainId(name);
    listed.add(plain);
    const path = `${of}/${plain}`;
    if (!names.has(plain)) differences.add({ kind: 'index-extra', path, actual: name });
    else if (plain !== name) differences.add({ kind: 'index-spelling', path, expected: plain, actual: name });
  }
  for (const name of names) {
    if (!listed.has(name)) differences.add({ kind: 'index-lacks', path: `${of}/${name}` });
  }
}

/** Tells where the counts of a chunkstore differ from how often its manifests list each chunk. */
export async function compareCounts(
  folder: SourceFolder,
  counts: ReadonlyMap<string, number>,
  context: { readonly differences: Found; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { differences, signal } = context;
  for (const [digest, expected] of counts) {
    signal?.throwIfAborted();
    const path = `${COUNTS}/${digest}`;
    const bytes = await readIfAny(folder, path, KIB);
    const actual = bytes && parseCount(bytes);
    if (bytes === undefined) differences.add({ kind: 'count-missing', path, expected });
    else if (actual === undefined) differences.add({ kind: 'count-corrupt', path, expected });
    else if (actual !== expected) differences.add({ kind: 'count-wrong', path, expected, actual });
  }
  const there = new Set<string>();
  for await (const name of folder.names(COUNTS)) {
    if (name === INDEX) continue;
    if (!isChunkName(name)) differences.add({ kind: 'file-unknown', path: `${COUNTS}/${name}` });
    else if (!counts.has(name)) differences.add({ kind: 'count-extra', path: `${COUNTS}/${name}` });
    if (isChunkName(name)) there.add(name);
  }
  const index = await readIndex(folder, COUNTS, differences);
  if (index) compareIndex(index, there, { of: COUNTS, differences });
}

/** Tells what lies at the root and is listed by no manifest. */
export async function findUnlisted(
  folder: SourceFolder,
  counts: ReadonlyMap<string, number>,
  context: { readonly differences: Found; readonly signal: AbortSignal | undefined },
): Promise<void> {
  for await (const name of folder.names('.')) {
    context.signal?.throwIfAborted();
    if (name === MANIFESTS || name === COUNTS || counts.has(name)) continue;
    context.differences.add({ kind: isChunkName(name) ? 'chunk-unlisted' : 'file-unknown', path: name });
  }
}
