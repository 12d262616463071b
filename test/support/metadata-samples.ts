/** Changes, packs and journal packs for tests of the metadata: bytes that mean nothing, in the right shapes. */
import { concatBytes, toHex, utf8Encode } from '../../src/bytes/bytes.ts';
import {
  createPackId,
  type DirectoryItem,
  encodeEntry,
  type PackClass,
  type PackDescriptor,
} from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import type { Change, CommitRequest, InlineRecord } from '../../src/metadata/contract.ts';

/** 32 bytes that follow from a label. */
export function idOf(label: string | number): Uint8Array {
  return blake3(utf8Encode(`id ${label}`));
}

export function idsOf(...labels: readonly (string | number)[]): Uint8Array {
  return concatBytes(labels.map(idOf));
}

export interface EntryShape {
  readonly size?: number;
  readonly contentType?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** An encoded entry whose version follows from label and shape. */
export function entryOf(label: string | number, shape: EntryShape = {}): Uint8Array {
  const { size = 10, contentType, attributes = {} } = shape;
  return encodeEntry({
    digest: idOf(`content ${label}`),
    size,
    chunkCount: size === 0 ? 0 : 1,
    root: idOf(`root ${label}`),
    manifest: { inline: utf8Encode(`manifest ${label}`) },
    attributes,
    ...(contentType !== undefined && { contentType }),
  });
}

type Put = Extract<Change, { type: 'put' }>;

export function put(
  key: string,
  label: string | number = key,
  more: Partial<Put> & { readonly shape?: EntryShape } = {},
): Put {
  const { shape, ...change } = more;
  return { type: 'put', key: utf8Encode(key), entry: entryOf(label, shape), modified: 1000, ...change };
}

export function rename(from: string, to: string, replace = false): Change {
  return { type: 'rename', from: utf8Encode(from), to: utf8Encode(to), replace };
}

export function copy(from: string, to: string, more: { replace?: boolean; modified?: number } = {}): Change {
  const { replace = false, modified = 1000 } = more;
  return { type: 'copy', from: utf8Encode(from), to: utf8Encode(to), replace, modified };
}

export function remove(key: string, version?: Uint8Array): Change {
  return { type: 'delete', key: utf8Encode(key), ...(version && { condition: { version } }) };
}

export function request(...changes: readonly Change[]): CommitRequest {
  return { changes, inline: [] };
}

export const CHUNK_LENGTH = 100;

/** A record of chunks that rides in a commit. */
export function inlineOf(...labels: readonly (string | number)[]): InlineRecord {
  return {
    codec: 1,
    plainLength: labels.length * CHUNK_LENGTH,
    stored: utf8Encode(`stored ${labels.join()}`),
    items: labels.map((label) => ({ id: idOf(label), length: CHUNK_LENGTH })),
  };
}

export interface SamplePack {
  readonly pack: PackDescriptor;
  readonly items: readonly DirectoryItem[];
}

const SESSION = idOf('session').slice(0, 8);

/** A pack with this ordinal that holds one record for each id; `packBytes` follows from their number. */
export function packOf(
  ordinal: number,
  ids: readonly Uint8Array[],
  packClass: PackClass = 'data',
  journal?: PackDescriptor['journal'],
): SamplePack {
  const id = createPackId(SESSION, ordinal);
  const packBytes = 1000 + ids.length * 80;
  const stripe = { id: idOf(`stripe ${ordinal}`).slice(0, 16), k: 1, m: 0, roots: idOf(`roots ${ordinal}`) };
  const kind = packClass === 'meta' ? 'manifest' : 'chunk';
  const pack = { id, class: packClass, packBytes, storedBytes: packBytes + 300, stripe, ...(journal && { journal }) };
  const items = ids.map((item, index) => ({
    ...{ id: item, kind, ordinal: index, offset: 64 + index * 80, storedLength: 64, plainLength: CHUNK_LENGTH },
    ...{ codec: 1, inner: 0, length: CHUNK_LENGTH },
  })) as DirectoryItem[];
  return { pack, items };
}

/** The pack as a stripe of k+m shards, at these places or at unknown ones. */
export function striped(sample: SamplePack, k: number, places: readonly number[] | number): SamplePack {
  const shards = typeof places === 'number' ? places : places.length;
  const roots = concatBytes(Array.from({ length: shards }, (_, index) => idOf(`root ${hexId(sample)}/${index}`)));
  const stripe = { ...sample.pack.stripe, k, m: shards - k, roots };
  const { places: _, ...pack } = sample.pack;
  return { ...sample, pack: { ...pack, stripe, ...(typeof places !== 'number' && { places }) } };
}

export function packAdd(sample: SamplePack): Change {
  return { type: 'pack-add', ...sample };
}

export function packMerge(added: readonly SamplePack[], dropped: readonly SamplePack[]): Change {
  return { type: 'pack-merge', added, dropped: dropped.map(({ pack }) => pack.id) };
}

export function hexId(sample: SamplePack): string {
  return toHex(sample.pack.id);
}
