import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { samplePages } from '../../test/support/checkpoint-samples.ts';
import {
  FULL_ENTRY,
  packHeader,
  SAMPLE_CONFIG,
  SAMPLE_INNER,
  SAMPLE_LEAF,
  SAMPLE_PACKS,
  SAMPLE_RECORD,
} from '../../test/support/format-samples.ts';
import {
  buildSealed,
  ISOLATED,
  SAMPLE_KEY_PAGE,
  SAMPLE_SEALED_ENTRY,
  SAMPLE_SEALED_RECORD,
  SEALED_PACKS,
  sampleKey,
  sampleSchedule,
} from '../../test/support/sealed-samples.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { decodeCheckpointHead, decodeCheckpointPage, encodeCheckpointPage } from './checkpoint.ts';
import { decodeStoreConfig, encodeStoreConfig } from './config.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { decodeEntryRow } from './isolated-entry.ts';
import { decodeJournalRecord, encodeJournalRecord } from './journal.ts';
import { decodeKeyPage } from './key-page.ts';
import { decodeManifestNode, encodeManifestNode } from './manifest.ts';
import { PackBuilder } from './pack-builder.ts';
import { decodeDirectory } from './pack-directory.ts';
import { decodePackFooter } from './pack-footer.ts';
import { openRecord } from './pack-frame.ts';
import { decodePackHeader } from './pack-header.ts';
import { decodePack } from './pack-reader.ts';
import { encodeStripe, verifyShard } from './shard.ts';
import { decodeShardHeader } from './shard-header.ts';
import { decodeShardTrailer } from './shard-trailer.ts';

const HEADER = packHeader('data', 1);

function samplePack(): Uint8Array {
  const builder = new PackBuilder(HEADER);
  for (const record of SAMPLE_PACKS.data.records) builder.add(record);
  return builder.finish().bytes;
}

const PACK = samplePack();
const SEALED = SEALED_PACKS.data;
const SEALED_PACK = buildSealed(SEALED.header, SEALED.records).bytes;
const SEALED_IDENTITY = { ...SEALED.header, key: sampleKey(SEALED.header) };
const SCHEDULE = sampleSchedule();
const SAMPLES = [
  PACK,
  encodeStripe(PACK, { store: HEADER.store, pack: HEADER.pack, stripeId: HEADER.store }).shards[0],
  encodeJournalRecord(SAMPLE_RECORD),
  encodeEntry(FULL_ENTRY),
  encodeManifestNode(SAMPLE_LEAF),
  encodeManifestNode(SAMPLE_INNER),
  encodeStoreConfig(SAMPLE_CONFIG),
  SEALED_PACK,
  SAMPLE_SEALED_ENTRY,
  SAMPLE_KEY_PAGE,
  encodeJournalRecord(SAMPLE_SEALED_RECORD),
  ...samplePages(0).map((page) => encodeCheckpointPage(page, { sealed: false })),
];

/** Every function that is given bytes from a backend, and the code of what it throws for damaged ones. */
const PARSERS: readonly (readonly [string, (bytes: Uint8Array) => unknown, string])[] = [
  ['store config', decodeStoreConfig, 'CONFIG_CORRUPT'],
  ['entry', decodeEntry, 'ENTRY_CORRUPT'],
  ['journal record', decodeJournalRecord, 'JOURNAL_CORRUPT'],
  ['page of a checkpoint', (bytes) => decodeCheckpointPage(bytes, false), 'JOURNAL_CORRUPT'],
  ['head of a checkpoint', (bytes) => decodeCheckpointHead(bytes, false), 'JOURNAL_CORRUPT'],
  ['manifest node', decodeManifestNode, 'MANIFEST_CORRUPT'],
  ['pack header', decodePackHeader, 'PACK_CORRUPT'],
  ['pack footer', (bytes) => decodePackFooter(bytes, HEADER), 'PACK_CORRUPT'],
  ['pack directory', (bytes) => decodeDirectory(bytes, HEADER, footerFor(bytes)), 'PACK_CORRUPT'],
  ['record', (bytes) => openRecord(HEADER, positionFor(bytes), bytes), 'PACK_CORRUPT'],
  ['pack', (bytes) => decodePack(bytes), 'PACK_CORRUPT'],
  ['sealed pack footer', (bytes) => decodePackFooter(bytes, SEALED_IDENTITY), 'PACK_CORRUPT'],
  ['sealed pack directory', (bytes) => decodeDirectory(bytes, SEALED_IDENTITY, footerFor(bytes)), 'PACK_CORRUPT'],
  ['sealed record', (bytes) => openRecord(SEALED_IDENTITY, positionFor(bytes), bytes), 'PACK_CORRUPT'],
  ['sealed pack', (bytes) => decodePack(bytes, () => SEALED_IDENTITY.key), 'PACK_CORRUPT'],
  ['entry row', decodeEntryRow, 'ENTRY_CORRUPT'],
  ['key page', (bytes) => decodeKeyPage(bytes, ISOLATED, SCHEDULE), 'KEY_PAGE_CORRUPT'],
  ['shard header', decodeShardHeader, 'SHARD_CORRUPT'],
  ['shard trailer', (bytes) => decodeShardTrailer(bytes), 'SHARD_CORRUPT'],
  ['shard', verifyShard, 'SHARD_CORRUPT'],
];

function footerFor(bytes: Uint8Array) {
  return { directoryOffset: 217, directoryLength: bytes.length, recordCount: 2, itemCount: 3, paddingLength: 0 };
}

function positionFor(bytes: Uint8Array) {
  const storedLength = Math.max(0, bytes.length - 16);
  return { ordinal: 0, kind: 'chunk', offset: 128, codec: 0, plainLength: 31, storedLength } as const;
}

/** Pieces of good components, in any order, with noise between: much nearer to the formats than noise alone. */
const pieces = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.constantFrom(...SAMPLES),
  fc
    .tuple(
      fc.constantFrom(...SAMPLES),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([sample, from, to]) => sample.subarray(from * sample.length, to * sample.length)),
);

describe('any bytes', () => {
  it.each(PARSERS)('give a %s a value, its error, or one that asks for a newer version', (_, parse, code) => {
    const outcomes = [
      'no error',
      `corrupt/${code}`,
      'unsupported/FORMAT_UNSUPPORTED',
      'unsupported/OPERATION_UNSUPPORTED',
    ];
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 4 }), (parts) => {
        expect(outcomes).toContain(outcomeOf(() => parse(concatBytes(parts))));
      }),
      { numRuns: 300 },
    );
  });
});
