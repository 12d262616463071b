/**
 * One value of every layout, made of fixed inputs. The golden files of format version 1 are these, encoded: a change here
 * needs new file names there.
 */

import { concatBytes, utf8Encode } from '../../src/bytes/bytes.ts';
import {
  createPackId,
  type EntryValue,
  encodeEntry,
  encodeJournalRecord,
  encodeManifestNode,
  encodeObjectKey,
  type JournalRecord,
  type ManifestInner,
  type ManifestLeaf,
  type Operation,
  type PackClass,
  type PackDescriptor,
  type PackHeader,
  type PackRecord,
  SHARED_METADATA_FEATURE,
  type ShardHeader,
  type StoreConfig,
} from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';

/** Bytes without short periods that follow from length and seed. */
export function patternBytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, index) => (index * 167 + (index >> 8) * 59 + (index >> 16) * 101 + seed * 31) & 0xff,
  );
}

const SESSION = patternBytes(8, 1);
const INCARNATION = patternBytes(16, 2);

export const SAMPLE_STORE = patternBytes(16, 0);

export function packHeader(packClass: PackClass, ordinal: number): PackHeader {
  const pack = createPackId(SESSION, ordinal);
  return {
    store: SAMPLE_STORE,
    pack,
    session: SESSION,
    class: packClass,
    namespace: 0,
    epoch: 0,
    keyMode: 'plain',
  };
}

export function itemsOf(...parts: readonly Uint8Array[]): { readonly id: Uint8Array; readonly length: number }[] {
  return parts.map((part) => ({ id: blake3(part), length: part.length }));
}

export const SAMPLE_CHUNKS = [utf8Encode('Holdfast keeps '), utf8Encode('every byte once.')] as const;

/** 360 bytes as one zstd frame (RFC 8878), literal because another zstd may compress otherwise. */
export const SAMPLE_ZSTD_PLAIN = utf8Encode('holdfast '.repeat(40));
const SAMPLE_ZSTD = new Uint8Array(Buffer.from('28b52ffd60680085000048686f6c64666173742001005c54cb11', 'hex'));

export const STORED_RECORD: PackRecord = {
  kind: 'chunk',
  codec: 0,
  plainLength: 31,
  stored: utf8Encode('Holdfast keeps every byte once.'),
  items: itemsOf(...SAMPLE_CHUNKS),
};

export const ZSTD_RECORD: PackRecord = {
  kind: 'chunk',
  codec: 1,
  plainLength: 360,
  stored: SAMPLE_ZSTD,
  items: itemsOf(SAMPLE_ZSTD_PLAIN),
};

export const SAMPLE_LEAF: ManifestLeaf = {
  type: 'leaf',
  start: 70_000,
  lengths: [15, 16, 360],
  digests: concatBytes([...SAMPLE_CHUNKS, SAMPLE_ZSTD_PLAIN].map(blake3)),
};

export const SAMPLE_INNER: ManifestInner = {
  type: 'inner',
  level: 2,
  children: [
    { id: patternBytes(32, 10), bytes: 2 ** 41, chunks: 4_194_304, hash: patternBytes(32, 11) },
    { id: patternBytes(32, 12), bytes: 391, chunks: 3, hash: patternBytes(32, 13) },
  ],
};

export const EMPTY_ENTRY: EntryValue = {
  digest: blake3(new Uint8Array(0)),
  size: 0,
  chunkCount: 0,
  root: patternBytes(32, 20),
  attributes: {},
  manifest: { inline: encodeManifestNode({ type: 'leaf', start: 0, lengths: [], digests: new Uint8Array(0) }) },
};

export const FULL_ENTRY: EntryValue = {
  digest: patternBytes(32, 21),
  size: 2 ** 41 + 391,
  chunkCount: 4_194_307,
  root: patternBytes(32, 22),
  manifest: { id: blake3(encodeManifestNode(SAMPLE_INNER)) },
  contentType: 'text/plain; charset=utf-8',
  attributes: { author: 'Zoë 🦭', 'x-empty': '' },
  parent: patternBytes(32, 23),
};

export const DATA_DESCRIPTOR: PackDescriptor = {
  id: createPackId(SESSION, 1),
  class: 'data',
  packBytes: 70_000,
  storedBytes: 70_304,
  stripe: { id: patternBytes(16, 30), k: 1, m: 0, roots: patternBytes(32, 31) },
};

export const JOURNAL_DESCRIPTOR: PackDescriptor = {
  id: createPackId(SESSION, 258),
  class: 'journal',
  packBytes: 900,
  storedBytes: 2_300,
  stripe: { id: patternBytes(16, 32), k: 2, m: 1, roots: patternBytes(96, 33) },
  journal: { incarnation: INCARNATION, firstCommit: 38, lastCommit: 41 },
};

const KEY = utf8Encode('docs/report.pdf');
const OTHER_KEY = utf8Encode('docs/Zoë.pdf');

/** Every operation there is. */
export const SAMPLE_RECORD: JournalRecord = {
  commit: 42,
  previous: patternBytes(32, 40),
  incarnation: INCARNATION,
  time: 1_767_225_600_123,
  operations: [
    { type: 'incarnation', previous: undefined },
    { type: 'incarnation', previous: patternBytes(16, 41) },
    { type: 'entry-put', key: KEY, entry: encodeEntry(EMPTY_ENTRY), modified: 1_767_225_600_000 },
    { type: 'entry-rename', from: KEY, to: OTHER_KEY },
    { type: 'entry-copy', from: OTHER_KEY, to: KEY, modified: 1_767_225_600_001 },
    { type: 'entry-delete', key: OTHER_KEY },
    { type: 'pack-add', pack: DATA_DESCRIPTOR },
    {
      type: 'pack-merge',
      added: [DATA_DESCRIPTOR, JOURNAL_DESCRIPTOR],
      dropped: [createPackId(SESSION, 3), createPackId(SESSION, 4)],
      stale: [patternBytes(32, 42)],
    },
    { type: 'pack-merge', added: [], dropped: [], stale: [] },
  ],
};

const OBJECT_KEY = encodeObjectKey({ namespace: 0, objectClass: 'structured', digest: patternBytes(32, 44) });

/** What came to version 1 later; the record above stays the one it was. */
export const SAMPLE_NAMED_RECORD: JournalRecord = {
  ...SAMPLE_RECORD,
  operations: [
    { type: 'object-put', key: OBJECT_KEY, objectType: 'snapshot', entry: encodeEntry(EMPTY_ENTRY) },
    ...(['blob', 'bundle', 'tree'] as const).map((objectType, index): Operation => {
      const key = encodeObjectKey({ namespace: 0, objectClass: 'raw', digest: patternBytes(32, 45 + index) });
      return { type: 'object-put', key, objectType, entry: encodeEntry(EMPTY_ENTRY) };
    }),
    { type: 'ref-set', key: utf8Encode('photos/été'), target: OBJECT_KEY, message: 'first of 2026 📷' },
    { type: 'ref-set', key: utf8Encode('photos/été'), target: undefined, message: '' },
    { type: 'history-forget', history: 'version', key: KEY, numbers: [1, 2, 4_294_967_296] },
    { type: 'history-forget', history: 'move', key: utf8Encode('photos/été'), numbers: [] },
    { type: 'relation-set', child: KEY, parent: OTHER_KEY },
    { type: 'relation-set', child: KEY, parent: undefined },
    { type: 'version-keep', key: KEY, first: 7 },
    { type: 'family-delete', key: OTHER_KEY },
    { type: 'policy-set', namespace: 0, policy: { last: 3, forMs: 86_400_000 } },
    { type: 'policy-set', namespace: 0, policy: {} },
    { type: 'policy-set', namespace: 0, policy: undefined },
  ],
};

const ENCODED_RECORD = encodeJournalRecord(SAMPLE_RECORD);
const ENCODED_LEAF = encodeManifestNode(SAMPLE_LEAF);

export const MANIFEST_RECORD: PackRecord = {
  kind: 'manifest',
  codec: 0,
  plainLength: ENCODED_LEAF.length,
  stored: ENCODED_LEAF,
  items: itemsOf(ENCODED_LEAF),
};

export const JOURNAL_RECORD: PackRecord = {
  kind: 'journal',
  codec: 0,
  plainLength: ENCODED_RECORD.length,
  stored: ENCODED_RECORD,
  items: itemsOf(ENCODED_RECORD),
};

/** What goes into one pack of each class. */
export const SAMPLE_PACKS = {
  data: { header: packHeader('data', 1), records: [STORED_RECORD, ZSTD_RECORD] },
  meta: { header: packHeader('meta', 2), records: [MANIFEST_RECORD] },
  journal: { header: packHeader('journal', 258), records: [JOURNAL_RECORD, STORED_RECORD] },
} as const satisfies Record<
  Exclude<PackClass, 'checkpoint'>,
  { readonly header: PackHeader; readonly records: readonly PackRecord[] }
>;

export const SAMPLE_STRIPE_ID = patternBytes(16, 50);

/** Header of one of `k + m` shards of a pack of so many bytes. */
export function shardHeader(shape: {
  readonly packBytes: number;
  readonly index?: number;
  readonly k?: number;
  readonly m?: number;
}): ShardHeader {
  const { packBytes, index = 0, k = 1, m = 0 } = shape;
  return {
    store: SAMPLE_STORE,
    pack: createPackId(SESSION, 1),
    stripeId: SAMPLE_STRIPE_ID,
    matrix: k === 1 ? 0 : 1,
    index,
    k,
    m,
    packBytes,
    shardBytes: Math.ceil(packBytes / k),
  };
}

export const SAMPLE_CONFIG: StoreConfig = {
  format: 1,
  features: { compatible: ['some-hint'], readOnlyCompatible: [], incompatible: [] },
  storeId: Buffer.from(SAMPLE_STORE).toString('hex'),
  created: '2026-01-01T00:00:00.123Z',
  digest: 'blake3',
  chunking: 'fastcdc:16384:65536:262144:2',
  compression: { codec: 'zstd', level: 1 },
  redundancy: 'none',
  keys: 'none',
  generation: 1,
};
export const SAMPLE_MIGRATION_MARK = { storeId: SAMPLE_CONFIG.storeId, verifiedTo: 'packs/0a/00.0' };
export const SAMPLE_MOVED_MARK = { storeId: SAMPLE_CONFIG.storeId, to: 's3://bucket/prefix' };
/** Of a store whose metadata several machines share. */
export const SHARED_CONFIG: StoreConfig = {
  ...SAMPLE_CONFIG,
  features: { compatible: [], readOnlyCompatible: [], incompatible: [SHARED_METADATA_FEATURE] },
};
