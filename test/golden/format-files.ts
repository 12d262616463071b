/**
 * The golden files of the byte layouts, and how each is made today. Files of a format version are only ever added to:
 * they stand for what is on people's disks. A layout that changes gets another version and a folder beside this one, and
 * its old file stays readable.
 *
 * To add a file: add a line here, then `HOLDFAST_GOLDEN=write npx vitest run test/golden`; it writes what is not there
 * yet and never touches what is.
 */

import path from 'node:path';
import { concatBytes, utf8Decode } from '../../src/bytes/bytes.ts';
import {
  encodeEntry,
  encodeJournalRecord,
  encodeManifestNode,
  encodeMigrationMark,
  encodeMovedMark,
  encodeShard,
  encodeStoreConfig,
  encodeStripe,
  PackBuilder,
  shardRoot,
} from '../../src/format/index.ts';
import { blockDigests } from '../../src/format/shard-digests.ts';
import { plainCheckpoint, sealedCheckpoint } from '../support/checkpoint-samples.ts';
import {
  EMPTY_ENTRY,
  FULL_ENTRY,
  SAMPLE_CONFIG,
  SAMPLE_INNER,
  SAMPLE_LEAF,
  SAMPLE_MIGRATION_MARK,
  SAMPLE_MOVED_MARK,
  SAMPLE_NAMED_RECORD,
  SAMPLE_PACKS,
  SAMPLE_RECORD,
  SAMPLE_STORE,
  SAMPLE_STRIPE_ID,
  SHARED_CONFIG,
  shardHeader,
} from '../support/format-samples.ts';
import {
  buildSealed,
  SAMPLE_KEY_PAGE,
  SAMPLE_SEALED_ENTRY,
  SAMPLE_SEALED_NAMED_RECORD,
  SAMPLE_SEALED_RECORD,
  SEALED_PACKS,
} from '../support/sealed-samples.ts';

export const GOLDEN_FOLDER = path.resolve(import.meta.dirname, 'v1/format');

const HEX_DIGITS_PER_LINE = 64;

/** Bytes as text that a review can read: hex, 32 bytes a line. */
export function formatHex(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  const lines = hex.match(new RegExp(`.{1,${HEX_DIGITS_PER_LINE}}`, 'g')) ?? [];
  return `${lines.join('\n')}\n`;
}

export function parseHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
}

export function samplePack(name: keyof typeof SAMPLE_PACKS): Uint8Array {
  const { header, records } = SAMPLE_PACKS[name];
  const builder = new PackBuilder(header);
  for (const record of records) builder.add(record);
  return new Uint8Array(builder.finish().bytes);
}

export function sealedPack(name: keyof typeof SEALED_PACKS): Uint8Array {
  const { header, records } = SEALED_PACKS[name];
  return new Uint8Array(buildSealed(header, records).bytes);
}

/** The data pack as the stripe 1+0. */
function singleShard(): Uint8Array {
  const identity = { store: SAMPLE_STORE, pack: SAMPLE_PACKS.data.header.pack, stripeId: SAMPLE_STRIPE_ID };
  return encodeStripe(samplePack('data'), identity).shards[0];
}

/** The second of two copies of the data pack. */
function copyShard(): Uint8Array {
  const pack = samplePack('data');
  const headers = [0, 1].map((index) => shardHeader({ packBytes: pack.length, m: 1, index }));
  const roots = concatBytes(headers.map((header) => shardRoot(header, blockDigests(pack))));
  return encodeShard(shardHeader({ packBytes: pack.length, m: 1, index: 1 }), pack, roots);
}

/** Text of every golden file of format version 1 as this version of the code writes it, by file name. */
export const GOLDEN_FILES: Readonly<Record<string, () => string>> = {
  'data-pack.hex': () => formatHex(samplePack('data')),
  'meta-pack.hex': () => formatHex(samplePack('meta')),
  'journal-pack.hex': () => formatHex(samplePack('journal')),
  'checkpoint-pack.hex': () => formatHex(plainCheckpoint().bytes),
  'sealed-checkpoint-pack.hex': () => formatHex(sealedCheckpoint().bytes),
  'single-shard.hex': () => formatHex(singleShard()),
  'copy-shard.hex': () => formatHex(copyShard()),
  'journal-record.hex': () => formatHex(encodeJournalRecord(SAMPLE_RECORD)),
  'journal-record-named.hex': () => formatHex(encodeJournalRecord(SAMPLE_NAMED_RECORD)),
  'entry-empty.hex': () => formatHex(encodeEntry(EMPTY_ENTRY)),
  'entry-full.hex': () => formatHex(encodeEntry(FULL_ENTRY)),
  'manifest-leaf.hex': () => formatHex(encodeManifestNode(SAMPLE_LEAF)),
  'manifest-inner.hex': () => formatHex(encodeManifestNode(SAMPLE_INNER)),
  'sealed-data-pack.hex': () => formatHex(sealedPack('data')),
  'sealed-meta-pack.hex': () => formatHex(sealedPack('meta')),
  'sealed-journal-pack.hex': () => formatHex(sealedPack('journal')),
  'sealed-journal-record.hex': () => formatHex(encodeJournalRecord(SAMPLE_SEALED_RECORD)),
  'sealed-journal-record-named.hex': () => formatHex(encodeJournalRecord(SAMPLE_SEALED_NAMED_RECORD)),
  'entry-isolated.hex': () => formatHex(SAMPLE_SEALED_ENTRY),
  'key-page.hex': () => formatHex(SAMPLE_KEY_PAGE),
  'store-config.txt': () => utf8Decode(encodeStoreConfig(SAMPLE_CONFIG)),
  'migration-mark.txt': () => utf8Decode(encodeMigrationMark(SAMPLE_MIGRATION_MARK)),
  'moved-mark.txt': () => utf8Decode(encodeMovedMark(SAMPLE_MOVED_MARK)),
  'store-config-shared.txt': () => utf8Decode(encodeStoreConfig(SHARED_CONFIG)),
};
