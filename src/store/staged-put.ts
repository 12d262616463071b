/** A put on its way: options checked, content stored, the change that will name it. One put and many go through here. */

import { toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { type ChunkingSpec, parseChunking } from '../chunking/index.ts';
import { argumentRangeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { encodeEntry, entryVersion } from '../format/index.ts';
import type { Change } from '../metadata/contract.ts';
import type { Source } from '../pipeline/source.ts';
import { randomId } from '../runtime/random.ts';
import { checkAttributes, checkContentType, encodeKey, parseVersion } from './arguments.ts';
import type { Engine } from './engine.ts';
import { digestText } from './entry-info.ts';
import { ingest } from './ingest.ts';
import type { OperationWriter, Tally } from './operation-writer.ts';
import type { PutOptions, PutResult, StagedPut } from './types.ts';

type PutChange = Extract<Change, { type: 'put' }>;

/** A put whose arguments are known to be good. */
export interface PutRequest {
  readonly key: Uint8Array | undefined;
  readonly source: Source;
  readonly chunking: ChunkingSpec;
  readonly verifyExisting: boolean;
  readonly name: 'digest' | 'uuid';
  readonly contentType: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parent: Uint8Array | undefined;
  readonly condition: PutChange['condition'];
}

/** Content that is stored, and the change that makes it an entry. `tally` is final once the writer has finished. */
export interface StoredPut {
  readonly change: PutChange;
  readonly staged: StagedPut;
  readonly tally: Tally;
}

/** @throws `TypeError`, `RangeError`, `invalid/*` */
export function checkPut(
  engine: Engine,
  item: { readonly key: string | null; readonly source: Source; readonly options: PutOptions },
): PutRequest {
  const { options } = item;
  const { name = 'digest' } = options;
  if (name !== 'digest' && name !== 'uuid') throw argumentRangeError('name', "'digest' or 'uuid'", name);
  if (options.ifAbsent && options.ifMatch !== undefined)
    throw argumentRangeError('ifMatch', 'left out beside ifAbsent', options.ifMatch);
  return {
    key: item.key === null ? undefined : encodeKey(item.key),
    source: item.source,
    chunking: options.chunking === undefined ? engine.chunking : parseChunking(options.chunking),
    verifyExisting: options.verifyExisting === true,
    name,
    contentType: options.contentType === undefined ? undefined : checkContentType(options.contentType),
    attributes: options.attributes === undefined ? {} : checkAttributes(options.attributes),
    parent: options.parent === undefined ? undefined : parseVersion(options.parent, 'parent'),
    condition: conditionOf(options),
  };
}

function conditionOf(options: PutOptions): PutChange['condition'] {
  if (options.ifAbsent) return { absent: true };
  return options.ifMatch === undefined ? undefined : { version: parseVersion(options.ifMatch, 'ifMatch') };
}

/**
 * Refuses what the commit would refuse, before anything is stored. The commit decides again: others write meanwhile.
 * @throws `conflict/ENTRY_EXISTS`, `conflict/PRECONDITION_FAILED`
 */
export async function checkCondition(engine: Engine, { key, condition }: PutRequest): Promise<void> {
  if (key === undefined || condition === undefined) return;
  const [row] = await engine.metadata.getEntries([key]);
  const text = utf8Decode(key);
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
  engine: Engine,
  request: PutRequest,
  options: { readonly writer: OperationWriter } & Pick<PutOptions, 'signal' | 'onProgress'>,
): Promise<StoredPut> {
  const { writer, signal, onProgress } = options;
  const { chunking, verifyExisting, contentType, attributes, parent } = request;
  const content = await ingest(request.source, writer, { chunking, verifyExisting, signal, onProgress });
  const { digest, size, chunkCount, root, manifest, tally } = content;
  const value = {
    digest,
    size,
    chunkCount,
    root,
    manifest,
    attributes,
    ...(contentType !== undefined && { contentType }),
    ...(parent && { parent }),
  };
  const key = request.key ?? utf8Encode(request.name === 'uuid' ? randomId() : digestText(digest));
  return {
    change: {
      type: 'put',
      key,
      entry: encodeEntry(value),
      modified: engine.clock.now(),
      ...(request.condition && { condition: request.condition }),
    },
    staged: {
      key: utf8Decode(key),
      version: toHex(entryVersion(value)),
      digest: digestText(digest),
      size,
      chunks: chunkCount,
    },
    tally,
  };
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
