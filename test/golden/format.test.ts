import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../../src/bytes/bytes.ts';
import {
  decodeEntry,
  decodeJournalRecord,
  decodeManifestNode,
  decodePack,
  decodeStoreConfig,
  openRecord,
  RECORD_TRAILER_BYTES,
  verifyShard,
} from '../../src/format/index.ts';
import {
  EMPTY_ENTRY,
  FULL_ENTRY,
  SAMPLE_CONFIG,
  SAMPLE_INNER,
  SAMPLE_LEAF,
  SAMPLE_PACKS,
  SAMPLE_RECORD,
  SAMPLE_STRIPE_ID,
  SAMPLE_ZSTD_PLAIN,
  shardHeader,
} from '../support/format-samples.ts';
import { GOLDEN_FILES, GOLDEN_FOLDER, parseHex } from './format-files.ts';
import { readConfigCheck, readPack, readShard } from './stranger-reader.ts';

if (process.env.HOLDFAST_GOLDEN === 'write') {
  mkdirSync(GOLDEN_FOLDER, { recursive: true });
  for (const [name, make] of Object.entries(GOLDEN_FILES)) {
    const file = path.join(GOLDEN_FOLDER, name);
    if (!existsSync(file)) writeFileSync(file, make());
  }
}

function goldenText(name: string): string {
  return readFileSync(path.join(GOLDEN_FOLDER, name), 'utf8');
}

function golden(name: string): Uint8Array {
  return parseHex(goldenText(name));
}

describe('the golden files of format version 1', () => {
  it('are all listed, and all there', () => {
    expect(readdirSync(GOLDEN_FOLDER).sort()).toEqual(Object.keys(GOLDEN_FILES).sort());
  });

  it.each(Object.entries(GOLDEN_FILES))('are what is still written: %s', (name, make) => {
    expect(make()).toBe(goldenText(name));
  });

  it('hold the values they were made of', () => {
    expect(decodeJournalRecord(golden('journal-record.hex'))).toEqual(SAMPLE_RECORD);
    expect(decodeEntry(golden('entry-empty.hex'))).toEqual(EMPTY_ENTRY);
    expect(decodeEntry(golden('entry-full.hex'))).toEqual(FULL_ENTRY);
    expect(decodeManifestNode(golden('manifest-leaf.hex'))).toEqual(SAMPLE_LEAF);
    expect(decodeManifestNode(golden('manifest-inner.hex'))).toEqual(SAMPLE_INNER);
    expect(decodeStoreConfig(utf8Encode(goldenText('store-config.txt')))).toEqual(SAMPLE_CONFIG);
  });

  it.each(['data', 'meta', 'journal'] as const)('hold the records of the %s pack', (name) => {
    const bytes = golden(`${name}-pack.hex`);
    const { header, items } = decodePack(bytes);
    expect(header).toEqual(SAMPLE_PACKS[name].header);
    const records = SAMPLE_PACKS[name].records.flatMap((record) => record.items.map((item) => ({ record, item })));
    expect(items.map(({ id, length }) => ({ id, length }))).toEqual(records.map(({ item }) => item));
    for (const [index, position] of items.entries()) {
      const end = position.offset + position.storedLength + RECORD_TRAILER_BYTES;
      const stored = openRecord(header, position, bytes.subarray(position.offset, end));
      expect(stored).toEqual(records[index]?.record.stored);
    }
  });

  it('hold a pack as one shard, and as the second of two copies', () => {
    const pack = golden('data-pack.hex');
    const single = verifyShard(golden('single-shard.hex'));
    expect(single).toMatchObject({ header: shardHeader({ packBytes: pack.length }), data: pack });
    const copy = verifyShard(golden('copy-shard.hex'));
    expect(copy).toMatchObject({ header: shardHeader({ packBytes: pack.length, m: 1, index: 1 }), data: pack });
    expect(copy.roots).toHaveLength(64);
  });
});

describe('a reader written from docs/format.md alone', () => {
  it('reads every item of every pack', () => {
    const plain = (codec: number, stored: Uint8Array) => (codec === 1 ? zstdDecompressSync(stored) : stored);
    for (const name of ['data', 'meta', 'journal'] as const) {
      const items = readPack(golden(`${name}-pack.hex`), plain);
      const { items: expected } = decodePack(golden(`${name}-pack.hex`));
      expect(items.map(({ id, plain: bytes }) => ({ id, length: bytes.length }))).toEqual(
        expected.map(({ id, length }) => ({ id: Buffer.from(id).toString('hex'), length })),
      );
    }
    const zstd = readPack(golden('data-pack.hex'), plain)[2];
    expect(Buffer.from(zstd?.plain ?? []).equals(SAMPLE_ZSTD_PLAIN)).toBe(true);
  });

  it('reads both shards', () => {
    const pack = Buffer.from(golden('data-pack.hex'));
    const stripeId = Buffer.from(SAMPLE_STRIPE_ID).toString('hex');
    expect(readShard(golden('single-shard.hex'))).toMatchObject({ stripeId, index: 0, k: 1, m: 0, data: pack });
    expect(readShard(golden('copy-shard.hex'))).toMatchObject({ stripeId, index: 1, k: 1, m: 1, data: pack });
  });

  it('checks the store config', () => {
    expect(readConfigCheck(goldenText('store-config.txt'))).toBe(true);
    expect(readConfigCheck(goldenText('store-config.txt').replace('none', 'some'))).toBe(false);
  });
});
