/** What journal and metadata say of entries: values, manifests, records, operations, and the keys that name things. */

import { BinaryWriter } from '../../../src/bytes/binary-writer.ts';
import { EMPTY_BYTES, utf8Encode } from '../../../src/bytes/bytes.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../../../src/crypto/envelope.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../../src/format/cbor.ts';
import { failWith } from '../../../src/format/damage.ts';
import {
  decodeEntry,
  decodeEntryRow,
  decodeJournalRecord,
  decodeManifestNode,
  type EntryValue,
  encodeEntry,
  encodeJournalRecord,
  encodeManifestNode,
  encodeObjectKey,
  entryVersion,
  isScopedKey,
  messageHeadKey,
  messagePartKey,
  openIsolatedEntry,
  openOperation,
  parseInboxKey,
  parseObjectKey,
  parseShardKey,
  scopeKey,
  shardKey,
  unscopeKey,
} from '../../../src/format/index.ts';
import { operationToCbor } from '../../../src/format/operation.ts';
import { blake3Keyed } from '../../../src/hash/index.ts';
import {
  EMPTY_ENTRY,
  FULL_ENTRY,
  JOURNAL_DESCRIPTOR,
  patternBytes,
  SAMPLE_INNER,
  SAMPLE_LEAF,
  SAMPLE_NAMED_RECORD,
  SAMPLE_RECORD,
} from '../../support/format-samples.ts';
import {
  countingRandom,
  ISOLATED,
  SAMPLE_NAMED_OPERATIONS,
  SAMPLE_SEALED_ENTRY,
  SAMPLE_SEALED_NAMED_RECORD,
  SAMPLE_SEALED_RECORD,
  sampleSchedule,
  TENANT,
} from '../../support/sealed-samples.ts';
import { mustBeBytes, mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { CBOR_MUTATIONS } from '../mutations/cbor.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';
import { newerCbor } from './frames.ts';

const fail = failWith('JOURNAL_CORRUPT', 'value');
const RECORDS = [SAMPLE_RECORD, SAMPLE_NAMED_RECORD, SAMPLE_SEALED_RECORD, SAMPLE_SEALED_NAMED_RECORD];
const ENTRIES = [EMPTY_ENTRY, FULL_ENTRY].map(encodeEntry);
const NODES = [SAMPLE_LEAF, SAMPLE_INNER].map((node) => encodeManifestNode(node));

const cbor = fuzzTarget({
  name: 'cbor',
  samples: () => [
    ...RECORDS.map(encodeJournalRecord),
    ...ENTRIES,
    ...NODES,
    encodeCbor(new Map([['é', [null, -7, 2 ** 53 - 1]]])),
  ],
  mutations: CBOR_MUTATIONS,
  read: (input) => decodeCbor(input, fail),
  check: (value, input) => mustBeBytes(encodeCbor(value as CborValue), input, 'the value'),
  errors: ['JOURNAL_CORRUPT'],
});

const entry = fuzzTarget({
  name: 'entry',
  samples: () => ENTRIES,
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: decodeEntry,
  check: (value, input) => mustBeBytes(encodeEntry(value), input, 'the entry'),
  errors: ['ENTRY_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const row = fuzzTarget({
  name: 'entry-row',
  samples: () => [...ENTRIES, SAMPLE_SEALED_ENTRY],
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: decodeEntryRow,
  check: (value, input) => {
    if ('value' in value) return mustBeBytes(encodeEntry(value.value), input, 'the entry');
    const { namespace, version, size, sealed } = value.isolated;
    mustBeBytes(encodeCbor([2, namespace, version, size, sealed]), input, 'the isolated entry');
  },
  errors: ['ENTRY_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const SCHEDULE = sampleSchedule();

/** Seals bytes as the value of an isolated entry, showing what they say where they are one. */
function isolated(plain: Uint8Array) {
  let shown: EntryValue = FULL_ENTRY;
  try {
    shown = decodeEntry(plain);
  } catch {
    // Shown is what another one says: whoever opens it must notice.
  }
  const version = blake3Keyed(SCHEDULE.isolatedVersionKey(ISOLATED), entryVersion(shown));
  const label = utf8Encode('holdfast isolated entry v1');
  const aad = new BinaryWriter(label.length + 44).put(label).u32(ISOLATED).put(version).u64(shown.size).bytes;
  const sealer = new EnvelopeSealer(SCHEDULE.isolatedEntryKey(ISOLATED), countingRandom(1));
  return { namespace: ISOLATED, version, size: shown.size, sealed: sealer.seal(plain, aad) };
}

const isolatedEntry = fuzzTarget({
  name: 'isolated-entry',
  samples: () => ENTRIES,
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: (input) => openIsolatedEntry(isolated(input), SCHEDULE),
  check: (value, input) => mustBeBytes(encodeEntry(value), input, 'the entry'),
  errors: ['ENTRY_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const manifest = fuzzTarget({
  name: 'manifest-node',
  samples: () => [...NODES, encodeManifestNode({ type: 'leaf', start: 0, lengths: [], digests: EMPTY_BYTES })],
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: decodeManifestNode,
  check: (value, input) => mustBeBytes(encodeManifestNode(value), input, 'the node'),
  errors: ['MANIFEST_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const record = fuzzTarget({
  name: 'journal-record',
  samples: () => RECORDS.map(encodeJournalRecord),
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: decodeJournalRecord,
  check: (value, input) => mustBeBytes(encodeJournalRecord(value), input, 'the record'),
  errors: ['JOURNAL_CORRUPT', 'FORMAT_UNSUPPORTED', 'OPERATION_UNSUPPORTED'],
});

/** Records of one operation each: what is changed is nearly always the operation. */
const operation = fuzzTarget({
  name: 'journal-operation',
  samples: () =>
    RECORDS.flatMap((one) =>
      one.operations.map((operation) => encodeJournalRecord({ ...one, operations: [operation] })),
    ),
  mutations: CBOR_MUTATIONS,
  newer: (sample, random) => {
    const values = decodeCbor(sample, fail) as readonly CborValue[];
    const [first] = values[5] as readonly (readonly CborValue[])[];
    return encodeCbor([...values.slice(0, 5), [[17 + random.integer(1000), ...(first ?? []).slice(1)]]]);
  },
  read: decodeJournalRecord,
  check: (value, input) => mustBeBytes(encodeJournalRecord(value), input, 'the record'),
  errors: ['JOURNAL_CORRUPT', 'FORMAT_UNSUPPORTED', 'OPERATION_UNSUPPORTED'],
});

const SCOPED_KEY = SCHEDULE.operationKey(TENANT);
const SCOPED_PLACE = { version: 2, namespace: TENANT } as const;

const scoped = fuzzTarget({
  name: 'scoped-operation',
  samples: () => SAMPLE_NAMED_OPERATIONS.map((one) => encodeCbor(operationToCbor(one, SCOPED_PLACE))),
  mutations: CBOR_MUTATIONS,
  newer: (sample, random) =>
    encodeCbor([17 + random.integer(1000), ...(decodeCbor(sample, fail) as readonly CborValue[]).slice(1)]),
  read: (input) => {
    const label = utf8Encode('holdfast scoped operation v1');
    const aad = new BinaryWriter(label.length + 4).put(label).u32(TENANT).bytes;
    const sealed = new EnvelopeSealer(SCOPED_KEY, countingRandom(1)).seal(input, aad);
    return openOperation({ type: 'scoped', namespace: TENANT, sealed }, new EnvelopeOpener(SCOPED_KEY));
  },
  check: (value, input) => mustBeBytes(encodeCbor(operationToCbor(value, SCOPED_PLACE)), input, 'the operation'),
  errors: ['JOURNAL_CORRUPT', 'OPERATION_UNSUPPORTED'],
});

const OBJECT_KEYS = [0, TENANT].flatMap((namespace) =>
  (['raw', 'structured'] as const).map((objectClass) =>
    encodeObjectKey({ namespace, objectClass, digest: patternBytes(32, 1) }),
  ),
);

const objectKey = fuzzTarget({
  name: 'object-key',
  samples: () => OBJECT_KEYS,
  mutations: BYTE_MUTATIONS,
  read: parseObjectKey,
  check: (name, input) => {
    // A scope of namespace 0 is one that nobody writes.
    if (name && !(name.namespace === 0 && input[0] === 0xff))
      mustBeBytes(encodeObjectKey(name), input, 'the object key');
    mustHold(name === undefined || name.namespace !== 0 || input[0] !== 0xff, 'an object key is spelt in two ways');
  },
  errors: [],
});

const scopedKey = fuzzTarget({
  name: 'scoped-key',
  samples: () => [utf8Encode('docs/é'), scopeKey(TENANT, utf8Encode('docs/é')), scopeKey(0xffff_ffff, utf8Encode('x'))],
  mutations: BYTE_MUTATIONS,
  read: (input) => (isScopedKey(input) ? unscopeKey(input) : undefined),
  check: (value, input) => {
    if (value) mustBeBytes(scopeKey(value.namespace, value.key), input, 'the scoped key');
  },
  errors: [],
});

const shardName = fuzzTarget({
  name: 'shard-key',
  samples: () =>
    [shardKey({ id: patternBytes(16, 3), class: 'data' }, 0), shardKey(JOURNAL_DESCRIPTOR, 2)].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseShardKey(inputText(input)),
  check: (name, input) => {
    if (!name) return;
    const pack = name.pack.class === 'journal' ? name.pack : { id: name.pack.id, class: 'data' as const };
    mustHold(shardKey(pack, name.index) === inputText(input), 'a shard has two keys');
  },
  errors: [],
});

const inboxName = fuzzTarget({
  name: 'inbox-key',
  samples: () =>
    [
      messageHeadKey('0f'.repeat(16)),
      messagePartKey('0f'.repeat(16), 0),
      messagePartKey('a0'.repeat(16), 4_294_967_294),
    ].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseInboxKey(inputText(input)),
  check: (name, input) => {
    if (!name) return;
    const key = name.part === undefined ? messageHeadKey(name.message) : messagePartKey(name.message, name.part);
    mustHold(key === inputText(input), 'a part has two keys');
  },
  errors: [],
});

export const ENTRY_TARGETS: readonly FuzzTarget[] = [
  ...[cbor, entry, row, isolatedEntry, manifest, record, operation, scoped],
  ...[objectKey, scopedKey, shardName, inboxName],
];
