/**
 * A put on its way: options checked, content stored, the change that will name it. One put and many go through here.
 */

import { equalBytes, toHex } from '../bytes/bytes.ts';
import type { ChunkingSpec } from '../chunking/index.ts';
import { parseRedundancy, type Redundancy } from '../erasure/index.ts';
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { type EntryValue, encodeEntry, entryVersion } from '../format/index.ts';
import type { Change } from '../metadata/contract.ts';
import type { Source } from '../pipeline/source.ts';
import { randomId } from '../runtime/random.ts';
import { checkAttributes, checkContentType, parseVersion } from './arguments.ts';
import type { Engine } from './engine.ts';
import { entryNotFound } from './entry-content.ts';
import { digestText, keyText } from './entry-info.ts';
import { type IngestedContent, ingest } from './ingest.ts';
import type { Isolations } from './isolations.ts';
import type { OperationWriter, Tally } from './operation-writer.ts';
import type { Scope } from './scope.ts';
import type { DeleteOptions, PutOptions, PutResult, StagedPut } from './types.ts';
import { checkKeepVersions } from './version-arguments.ts';

type PutChange = Extract<Change, { type: 'put' }>;

/** Where a put goes. */
export interface PutTarget {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly isolations: Isolations;
}

/** A put whose arguments are known to be good. */
export interface PutRequest {
  /** Scoped. */
  readonly key: Uint8Array | undefined;
  readonly source: Source;
  readonly chunking: ChunkingSpec;
  readonly verifyExisting: boolean;
  readonly name: 'digest' | 'uuid';
  readonly isolated: boolean;
  /** Absent: that of the store. */
  readonly redundancy: Redundancy | undefined;
  readonly contentType: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parent: Uint8Array | undefined;
  readonly condition: PutChange['condition'];
  readonly keep: PutChange['keep'];
  readonly relations: PutRelations;
}

/** Scoped keys. */
interface PutRelations {
  readonly parent: Uint8Array | undefined;
  readonly children: readonly Uint8Array[];
}

/** Content that is stored, and the changes that make it an entry. `tally` is final once the writer has finished. */
export interface StoredPut {
  /** In their order: the put, then its relations. */
  readonly changes: readonly Change[];
  readonly staged: StagedPut;
  readonly tally: Tally;
}

/** @throws `TypeError`, `RangeError`, `invalid/*` */
export function checkPut(
  scope: Scope,
  item: { readonly key: string | null; readonly source: Source; readonly options: PutOptions },
): PutRequest {
  const { options } = item;
  const { name = 'digest' } = options;
  if (name !== 'digest' && name !== 'uuid') throw argumentRangeError('name', "'digest' or 'uuid'", name);
  if (options.ifAbsent && options.ifMatch !== undefined)
    throw argumentRangeError('ifMatch', 'left out beside ifAbsent', options.ifMatch);
  if (options.isolation !== undefined && options.isolation !== 'entry')
    throw argumentRangeError('isolation', "'entry' or left out", options.isolation);
  return {
    key: item.key === null ? undefined : scope.key(item.key),
    source: item.source,
    chunking: scope.chunking(options.chunking),
    verifyExisting: options.verifyExisting === true,
    name,
    isolated: options.isolation === 'entry',
    redundancy: options.redundancy === undefined ? undefined : parseRedundancy(options.redundancy),
    contentType: options.contentType === undefined ? undefined : checkContentType(options.contentType),
    attributes: options.attributes === undefined ? {} : checkAttributes(options.attributes),
    parent: options.parent === undefined ? undefined : parseVersion(options.parent, 'parent'),
    condition: conditionOf(options),
    keep: options.keepVersions === undefined ? undefined : checkKeepVersions(options.keepVersions, 'keepVersions'),
    relations: relationsOf(scope, options.relations),
  };
}

/** @throws `TypeError`, `RangeError`, `invalid/*` */
export function checkDelete(
  scope: Scope,
  key: string,
  options: Omit<DeleteOptions, 'signal'>,
): Extract<Change, { type: 'delete' }> {
  const { ifMatch, children, keepVersions } = options;
  if (children !== undefined && children !== 'release' && children !== 'delete')
    throw argumentRangeError('children', "'release', 'delete' or left out", children);
  const version = ifMatch === undefined ? undefined : parseVersion(ifMatch, 'ifMatch');
  return {
    type: 'delete',
    key: scope.key(key),
    ...(version && { condition: { version } }),
    ...(children && { children }),
    ...(keepVersions !== undefined && { keep: checkKeepVersions(keepVersions, 'keepVersions') }),
  };
}

function relationsOf(scope: Scope, relations: PutOptions['relations'] = {}): PutRelations {
  const { parent, children = [] } = relations;
  if (!Array.isArray(children)) throw argumentTypeError('relations.children', 'an array of keys', children);
  return {
    parent: parent === undefined ? undefined : scope.key(parent, 'relations.parent'),
    children: children.map((child) => scope.key(child, 'relations.children')),
  };
}

function conditionOf(options: PutOptions): PutChange['condition'] {
  if (options.ifAbsent) return { absent: true };
  return options.ifMatch === undefined ? undefined : { version: parseVersion(options.ifMatch, 'ifMatch') };
}

/**
 * Refuses what the commit would refuse, before anything is stored. The commit decides again: others write meanwhile.
 * @throws `conflict/ENTRY_EXISTS`, `conflict/PRECONDITION_FAILED`, `not-found/ENTRY_NOT_FOUND`
 */
export async function checkConditions(engine: Engine, request: PutRequest): Promise<void> {
  await checkCondition(engine, request);
  const { parent, children } = request.relations;
  // An entry named as its own relative is no reason here: it is there when the commit looks, and a cycle.
  const others = (parent ? [parent, ...children] : children).filter((key) => !isSameKey(key, request.key));
  if (others.length === 0) return;
  const rows = await engine.metadata.getEntries(others);
  for (const [index, key] of others.entries()) if (!rows[index]) throw entryNotFound(keyText({ key }));
}

function isSameKey(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && equalBytes(one, other);
}

async function checkCondition(engine: Engine, { key, condition }: PutRequest): Promise<void> {
  if (key === undefined || condition === undefined) return;
  const [row] = await engine.metadata.getEntries([key]);
  const text = keyText({ key });
  if ('absent' in condition) {
    if (row)
      throw storeError('ENTRY_EXISTS', `there is an entry ${JSON.stringify(text)} already`, { details: { key: text } });
    return;
  }
  if (row && toHex(row.version) === toHex(condition.version)) return;
  throw storeError(
    'PRECONDITION_FAILED',
    `entry ${JSON.stringify(text)} is not at version ${toHex(condition.version)}`,
    {
      details: { key: text, expected: toHex(condition.version), actual: row ? toHex(row.version) : 'absent' },
    },
  );
}

/** Stores the content of a put through `writer`. Nothing refers to it until the returned change is committed. */
export async function storeContent(
  target: PutTarget,
  request: PutRequest,
  options: { readonly writer: OperationWriter } & Pick<PutOptions, 'signal' | 'onProgress'>,
): Promise<StoredPut> {
  const { engine, scope, isolations } = target;
  const { signal, onProgress } = options;
  const { files } = engine;
  if (!request.isolated) {
    const own = request.redundancy && engine.createWriter(scope, request.redundancy);
    const read = (writer: OperationWriter): Promise<IngestedContent> =>
      ingest(request.source, writer, { ...request, files, signal, onProgress });
    const content = own ? await finishing(own, read) : await read(options.writer);
    const value = toValue(request, content);
    return toStoredPut(target, request, { content, entry: encodeEntry(value), version: entryVersion(value) });
  }
  const isolated = await engine.scopes.isolate();
  isolations.add(isolated);
  try {
    // Cut as in its namespace, so that what the caller chose holds; but with the seed of its own key.
    const chunking = isolated.scope.chunkingFrom(scope, request.chunking);
    const content = await finishing(engine.createWriter(isolated.scope, request.redundancy), (writer) =>
      ingest(request.source, writer, { ...request, files, signal, onProgress, chunking }),
    );
    return toStoredPut(target, request, { content, ...isolated.seal(toValue(request, content)) });
  } finally {
    isolated.release();
  }
}

/** Stores through a writer that is for this content alone, and needs nothing of the commit. */
async function finishing(
  writer: OperationWriter,
  store: (writer: OperationWriter) => Promise<IngestedContent>,
): Promise<IngestedContent> {
  try {
    const content = await store(writer);
    await writer.finish();
    return content;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

function toValue({ attributes, contentType, parent }: PutRequest, content: IngestedContent): EntryValue {
  const { digest, size, chunkCount, root, manifest } = content;
  return {
    ...{ digest, size, chunkCount, root, manifest, attributes },
    ...(contentType !== undefined && { contentType }),
    ...(parent && { parent }),
  };
}

function toStoredPut(
  { engine, scope }: PutTarget,
  request: PutRequest,
  stored: { readonly content: IngestedContent; readonly entry: Uint8Array; readonly version: Uint8Array },
): StoredPut {
  const { content, entry, version } = stored;
  const { digest, size, chunkCount, tally } = content;
  const key = request.key ?? scope.key(request.name === 'uuid' ? randomId() : digestText(digest));
  const { condition, keep, relations } = request;
  const change: PutChange = {
    type: 'put',
    key,
    entry,
    modified: engine.clock.now(),
    ...(condition && { condition }),
    ...(keep && { keep }),
  };
  return {
    changes: [change, ...relationChanges(key, relations)],
    staged: {
      key: keyText({ key }),
      version: toHex(version),
      digest: digestText(digest),
      size,
      chunks: chunkCount,
    },
    tally,
  };
}

function relationChanges(key: Uint8Array, { parent, children }: PutRelations): readonly Change[] {
  const beneath = children.map((child): Change => ({ type: 'relation-set', child, parent: key }));
  return parent ? [{ type: 'relation-set', child: key, parent }, ...beneath] : beneath;
}

/** What the caller learns of a put that is committed. */
export function toPutResult(engine: Engine, put: StoredPut): PutResult {
  const { staged, tally } = put;
  const { counts } = engine.telemetry;
  counts.puts += 1;
  counts.bytesIn += staged.size;
  counts.chunksNew += tally.chunksNew;
  counts.chunksKnown += tally.chunksKnown;
  // Shares of records are fractions: what was counted and taken back leaves a hair, on either side of zero.
  return Object.freeze({
    ...staged,
    newBytes: tally.newBytes,
    storedBytes: Math.max(0, Math.round(tally.storedBytes)),
  });
}
