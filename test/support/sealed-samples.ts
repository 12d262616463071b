/**
 * Samples of sealed stores, made of fixed secrets and salts. The golden files of sealed layouts are these, encoded: a
 * change here needs new file names there.
 */

import { utf8Encode } from '../../src/bytes/bytes.ts';
import { EnvelopeSealer } from '../../src/crypto/envelope.ts';
import {
  encodeEntry,
  encodeJournalRecord,
  encodeKeyPage,
  encodeObjectKey,
  type FinishedPack,
  itemId,
  type JournalRecord,
  KeySchedule,
  keyedIds,
  type NamespacedOperation,
  PackBuilder,
  type PackClass,
  type PackDescriptor,
  type PackHeader,
  type PackRecord,
  type RingSecrets,
  scopeKey,
  sealIsolatedEntry,
  sealOperation,
} from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import type { RandomBytes } from '../../src/runtime/random.ts';
import {
  DATA_DESCRIPTOR,
  EMPTY_ENTRY,
  FULL_ENTRY,
  JOURNAL_DESCRIPTOR,
  packHeader,
  patternBytes,
  SAMPLE_CHUNKS,
  SAMPLE_NAMED_RECORD,
  SAMPLE_PACKS,
  SAMPLE_RECORD,
  SAMPLE_ZSTD_PLAIN,
} from './format-samples.ts';

/** A tenant's namespace, and the namespace of one of an isolated entry. */
export const TENANT = 7;
export const ISOLATED = 0x9abc_def0;
export const EPOCH = 2;

export const RING: RingSecrets = {
  store: patternBytes(32, 60),
  epochs: [
    { number: 1, secret: patternBytes(32, 61) },
    { number: 2, secret: patternBytes(32, 62) },
  ],
  namespaces: [
    { number: 0, secret: patternBytes(32, 63) },
    { number: TENANT, secret: patternBytes(32, 64) },
  ],
};

/** The keys of the sample store, the isolated entry's included. */
export function sampleSchedule(): KeySchedule {
  const schedule = new KeySchedule(RING);
  schedule.learn(ISOLATED, patternBytes(32, 65));
  return schedule;
}

/** "Randomness" that counts: the same in every run, and never the same twice. */
export function countingRandom(seed: number): RandomBytes {
  let calls = seed;
  return (length) => {
    calls += 1;
    return patternBytes(length, calls);
  };
}

export function sealedHeader(
  packClass: PackClass,
  ordinal: number,
  change: { readonly namespace?: number; readonly epoch?: number; readonly salt?: Uint8Array } = {},
): PackHeader {
  const seal = { namespace: 0, epoch: EPOCH, salt: patternBytes(32, 70 + ordinal), ...change };
  return { ...packHeader(packClass, ordinal), ...seal, keyMode: 'sealed' };
}

/** The key of a sealed pack of the sample store. */
export function sampleKey(header: PackHeader, schedule = sampleSchedule()): Uint8Array {
  return schedule.packKey({ ...header, salt: header.salt ?? new Uint8Array(0) });
}

/** What seals one and the same pack, were it of this namespace and epoch. @throws `denied/*` as `packKey` */
export function packKeyIn(schedule: KeySchedule, namespace: number, epoch: number): Uint8Array {
  return sampleKey(sealedHeader('data', 1, { namespace, epoch }), schedule);
}

export function buildSealed(header: PackHeader, records: readonly PackRecord[], key = sampleKey(header)): FinishedPack {
  const builder = new PackBuilder(header, { key });
  for (const record of records) builder.add(record);
  return builder.finish();
}

/** The same records with the ids they have in a sealed store. */
function withKeyedIds(records: readonly PackRecord[], namespace: number): PackRecord[] {
  const ids = keyedIds(sampleSchedule().idKey(namespace));
  return records.map((record) => {
    const { kind } = record;
    return { ...record, items: record.items.map(({ id, length }) => ({ id: itemId(ids, kind, id), length })) };
  });
}

export const SAMPLE_SEALED_ENTRY = sealIsolatedEntry(FULL_ENTRY, {
  namespace: ISOLATED,
  schedule: sampleSchedule(),
  random: countingRandom(80),
}).entry;

export const SAMPLE_KEY_PAGE = encodeKeyPage(
  { namespace: ISOLATED, secret: patternBytes(32, 65) },
  sampleSchedule(),
  countingRandom(85),
);

const TENANT_KEY = scopeKey(TENANT, utf8Encode('docs/report.pdf'));

/** A record of a sealed store, with the operations that plain ones have not. */
export const SAMPLE_SEALED_RECORD: JournalRecord = {
  ...SAMPLE_RECORD,
  sealed: true,
  operations: [
    ...SAMPLE_RECORD.operations.slice(0, 2),
    { type: 'entry-put', key: utf8Encode('secret'), entry: SAMPLE_SEALED_ENTRY, modified: 1_767_225_600_000 },
    sealOperation(
      { type: 'entry-delete', key: TENANT_KEY },
      {
        namespace: TENANT,
        sealer: new EnvelopeSealer(sampleSchedule().operationKey(TENANT), countingRandom(90)),
      },
    ),
    { type: 'pack-add', pack: withSeal(DATA_DESCRIPTOR, TENANT) },
    { type: 'pack-merge', added: [withSeal(JOURNAL_DESCRIPTOR, 0)], dropped: [patternBytes(16, 43)], stale: [] },
    { type: 'namespace-drop', namespace: ISOLATED },
  ],
};

function withSeal(pack: PackDescriptor, namespace: number): PackDescriptor {
  return { ...pack, seal: { namespace, epoch: EPOCH, salt: patternBytes(32, 71) } };
}

const TENANT_OBJECT = encodeObjectKey({ namespace: TENANT, objectClass: 'structured', digest: patternBytes(32, 44) });
const TENANT_REF = scopeKey(TENANT, utf8Encode('photos/été'));

/** What names objects, refs, histories and relations of a namespace. */
export const SAMPLE_NAMED_OPERATIONS: readonly NamespacedOperation[] = [
  { type: 'object-put', key: TENANT_OBJECT, objectType: 'tree', entry: encodeEntry(EMPTY_ENTRY) },
  { type: 'ref-set', key: TENANT_REF, target: TENANT_OBJECT, message: 'first' },
  { type: 'history-forget', history: 'move', key: TENANT_REF, numbers: [1] },
  { type: 'relation-set', child: TENANT_KEY, parent: scopeKey(TENANT, utf8Encode('docs')) },
  { type: 'version-keep', key: TENANT_KEY, first: 1 },
  { type: 'family-delete', key: TENANT_KEY },
];

const NAMED_SEALER = new EnvelopeSealer(sampleSchedule().operationKey(TENANT), countingRandom(100));

/** What came to version 2 later. */
export const SAMPLE_SEALED_NAMED_RECORD: JournalRecord = {
  ...SAMPLE_NAMED_RECORD,
  sealed: true,
  operations: [
    ...SAMPLE_NAMED_RECORD.operations,
    ...SAMPLE_NAMED_OPERATIONS.map((one) => sealOperation(one, { namespace: TENANT, sealer: NAMED_SEALER })),
    { type: 'policy-set', namespace: TENANT, policy: { forMs: 0 } },
  ],
};

const ENCODED_RECORD = encodeJournalRecord(SAMPLE_SEALED_RECORD);
const SEALED_JOURNAL_RECORD: PackRecord = {
  kind: 'journal',
  codec: 0,
  plainLength: ENCODED_RECORD.length,
  stored: ENCODED_RECORD,
  items: [{ id: blake3(ENCODED_RECORD), length: ENCODED_RECORD.length }],
};

/** What goes into one sealed pack of each class: a tenant's chunks, its nodes, and the journal of the store. */
export const SEALED_PACKS = {
  data: {
    header: sealedHeader('data', 1, { namespace: TENANT }),
    records: withKeyedIds(SAMPLE_PACKS.data.records, TENANT),
  },
  meta: { header: sealedHeader('meta', 2), records: withKeyedIds(SAMPLE_PACKS.meta.records, 0) },
  journal: {
    header: sealedHeader('journal', 258),
    records: [SEALED_JOURNAL_RECORD, ...withKeyedIds(SAMPLE_PACKS.journal.records.slice(1), 0)],
  },
} as const satisfies Record<
  Exclude<PackClass, 'checkpoint'>,
  { readonly header: PackHeader; readonly records: readonly PackRecord[] }
>;

/** Plain bytes that no sealed byte may show. */
export const SEALED_PLAINTEXTS: readonly Uint8Array[] = [...SAMPLE_CHUNKS, SAMPLE_ZSTD_PLAIN];
