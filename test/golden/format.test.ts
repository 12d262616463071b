import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../../src/bytes/bytes.ts';
import {
  decodeEntry,
  decodeEntryRow,
  decodeJournalRecord,
  decodeKeyPage,
  decodeManifestNode,
  decodeMigrationMark,
  decodeMovedMark,
  decodePack,
  decodeStoreConfig,
  openIsolatedEntry,
  openRecord,
  RECORD_TRAILER_BYTES,
  verifyShard,
} from '../../src/format/index.ts';
import {
  EMPTY_ENTRY,
  FULL_ENTRY,
  patternBytes,
  SAMPLE_CONFIG,
  SAMPLE_INNER,
  SAMPLE_LEAF,
  SAMPLE_MIGRATION_MARK,
  SAMPLE_MOVED_MARK,
  SAMPLE_NAMED_RECORD,
  SAMPLE_PACKS,
  SAMPLE_RECORD,
  SAMPLE_STRIPE_ID,
  SAMPLE_ZSTD_PLAIN,
  SHARED_CONFIG,
  shardHeader,
} from '../support/format-samples.ts';
import {
  ISOLATED,
  RING,
  SAMPLE_SEALED_NAMED_RECORD,
  SAMPLE_SEALED_RECORD,
  SEALED_PACKS,
  sampleSchedule,
  TENANT,
} from '../support/sealed-samples.ts';
import { GOLDEN_FILES, GOLDEN_FOLDER, parseHex } from './format-files.ts';
import {
  type Ring,
  readCbor,
  readConfigCheck,
  readIsolatedEntry,
  readKeyPage,
  readPack,
  readScopedOperation,
  readScopedPage,
  readShard,
} from './stranger-reader.ts';

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

const KEY_PAGE_SECRET = patternBytes(32, 65);
const STRANGER_RING: Ring = {
  store: RING.store,
  epochs: new Map(RING.epochs.map(({ number, secret }) => [number, secret])),
  namespaces: new Map([
    ...RING.namespaces.map(({ number, secret }) => [number, secret] as const),
    [ISOLATED, KEY_PAGE_SECRET],
  ]),
};

describe('the golden files of format version 1', () => {
  it('are all listed, and all there', () => {
    expect(readdirSync(GOLDEN_FOLDER).sort()).toEqual(Object.keys(GOLDEN_FILES).sort());
  });

  it.each(Object.entries(GOLDEN_FILES))('are what is still written: %s', (name, make) => {
    expect(make()).toBe(goldenText(name));
  });

  it('hold the values they were made of', () => {
    expect(decodeJournalRecord(golden('journal-record.hex'))).toEqual(SAMPLE_RECORD);
    expect(decodeJournalRecord(golden('journal-record-named.hex'))).toEqual(SAMPLE_NAMED_RECORD);
    expect(decodeEntry(golden('entry-empty.hex'))).toEqual(EMPTY_ENTRY);
    expect(decodeEntry(golden('entry-full.hex'))).toEqual(FULL_ENTRY);
    expect(decodeManifestNode(golden('manifest-leaf.hex'))).toEqual(SAMPLE_LEAF);
    expect(decodeManifestNode(golden('manifest-inner.hex'))).toEqual(SAMPLE_INNER);
    expect(decodeStoreConfig(utf8Encode(goldenText('store-config.txt')))).toEqual(SAMPLE_CONFIG);
    expect(decodeStoreConfig(utf8Encode(goldenText('store-config-shared.txt')))).toEqual(SHARED_CONFIG);
    expect(decodeMigrationMark(utf8Encode(goldenText('migration-mark.txt')))).toEqual(SAMPLE_MIGRATION_MARK);
    expect(decodeMovedMark(utf8Encode(goldenText('moved-mark.txt')))).toEqual(SAMPLE_MOVED_MARK);
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

  it.each(['data', 'meta', 'journal'] as const)('hold the records of the sealed %s pack', (name) => {
    const bytes = golden(`sealed-${name}-pack.hex`);
    const { header, identity, items } = decodePack(bytes, (pack) => sampleSchedule().packKey(pack));
    expect(header).toEqual(SEALED_PACKS[name].header);
    const records = SEALED_PACKS[name].records.flatMap((record) => record.items.map((item) => ({ record, item })));
    expect(items.map(({ id, length }) => ({ id, length }))).toEqual(records.map(({ item }) => item));
    for (const [index, position] of items.entries()) {
      const end = position.offset + position.storedLength + RECORD_TRAILER_BYTES;
      const stored = openRecord(identity, position, bytes.subarray(position.offset, end));
      expect(stored).toEqual(records[index]?.record.stored);
    }
  });

  it('hold what else is sealed', () => {
    expect(decodeJournalRecord(golden('sealed-journal-record.hex'))).toEqual(SAMPLE_SEALED_RECORD);
    expect(decodeJournalRecord(golden('sealed-journal-record-named.hex'))).toEqual(SAMPLE_SEALED_NAMED_RECORD);
    const row = decodeEntryRow(golden('entry-isolated.hex'));
    expect('isolated' in row && openIsolatedEntry(row.isolated, sampleSchedule())).toEqual(FULL_ENTRY);
    expect(decodeKeyPage(golden('key-page.hex'), ISOLATED, sampleSchedule())).toEqual(KEY_PAGE_SECRET);
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

  it('reads every item of every sealed pack, with the secrets of the ring', () => {
    const plain = (codec: number, stored: Uint8Array) => (codec === 1 ? zstdDecompressSync(stored) : stored);
    for (const name of ['data', 'meta', 'journal'] as const) {
      const items = readPack(golden(`sealed-${name}-pack.hex`), plain, STRANGER_RING);
      const expected = SEALED_PACKS[name].records.flatMap((record) => [...record.items]);
      expect(items.map(({ id }) => id)).toEqual(expected.map(({ id }) => Buffer.from(id).toString('hex')));
      const unsealed = readPack(golden(`${name}-pack.hex`), plain);
      if (name !== 'journal') expect(items.map((item) => item.plain)).toEqual(unsealed.map((item) => item.plain));
    }
  });

  it.each([
    ['checkpoint-pack.hex', 1, undefined],
    ['sealed-checkpoint-pack.hex', 2, STRANGER_RING],
  ] as const)('reads the checkpoint in %s: a head, and the pages that it names', (name, version, ring) => {
    const items = readPack(golden(name), (_, stored) => stored, ring);
    const [head, ...pages] = items.toReversed().map(({ plain }) => readCbor(Buffer.from(plain)) as readonly unknown[]);
    expect(head?.slice(0, 3)).toEqual([version, 0, 300]);
    const names = items.slice(0, -1).map(({ id }) => id);
    expect((head?.[6] as Buffer).toString('hex')).toBe(names.join(''));
    const tables = pages.toReversed().map(([, table, namespace]) => [table, namespace]);
    const inOrder = [2, 3, 4, 5, 6, 7, 8];
    expect(tables).toEqual([
      ...[1, ...inOrder, 9, ...(ring ? [10] : [])].map((table) => [table, 0]),
      ...(ring ? inOrder.map((table) => [table, TENANT]) : []),
    ]);
    const refs = pages.find(([, table, namespace]) => table === 5 && namespace === 0)?.[3] as Buffer[][];
    expect(refs[0]?.[0]).toEqual(Buffer.from('main'));
    const scoped = pages.find(([, table, namespace]) => table === 5 && namespace === TENANT);
    if (!ring) return expect(scoped).toBeUndefined();
    const [ref] = readScopedPage(scoped as never, ring) as Buffer[][];
    expect(ref?.[0]).toEqual(Buffer.from([0xff, 0, 0, 0, TENANT, ...Buffer.from('main')]));
  });

  it('opens scoped operations, isolated entries and key pages', () => {
    const [, , , , , operations] = readCbor(Buffer.from(golden('sealed-journal-record.hex'))) as Buffer[][];
    const scoped = operations?.find(([code]) => code === (8 as never));
    const tenantKey = Buffer.from([0xff, 0, 0, 0, TENANT, ...Buffer.from('docs/report.pdf')]);
    expect(readScopedOperation(scoped as never, STRANGER_RING)).toEqual([3, tenantKey]);
    const value = readIsolatedEntry(golden('entry-isolated.hex'), STRANGER_RING);
    expect(value.equals(golden('entry-full.hex'))).toBe(true);
    const page = readKeyPage(golden('key-page.hex'), STRANGER_RING);
    expect(page).toEqual({ namespace: ISOLATED, secret: Buffer.from(KEY_PAGE_SECRET) });
  });

  it('reads what is named, in the open and scoped', () => {
    const operationsOf = (name: string) => (readCbor(Buffer.from(golden(name))) as unknown[][])[5] as unknown[][];
    const codes = operationsOf('journal-record-named.hex').map(([code]) => code);
    expect(codes).toEqual([10, 10, 10, 10, 11, 11, 12, 12, 13, 13, 14, 15, 16, 16, 16]);
    const [object, , , blob, ref, noRef, forget] = operationsOf('journal-record-named.hex');
    const digest = Buffer.from(patternBytes(32, 44));
    const entry = Buffer.from(golden('entry-empty.hex'));
    expect(object).toEqual([10, Buffer.from([2, ...digest]), 4, entry]);
    expect((blob?.[1] as Buffer | undefined)?.[0]).toBe(1);
    expect(ref).toEqual([11, Buffer.from('photos/été'), Buffer.from([2, ...digest]), 'first of 2026 📷']);
    expect(noRef?.slice(2)).toEqual([null, '']);
    expect(forget).toEqual([12, 1, Buffer.from('docs/report.pdf'), [1, 2, 2 ** 32]]);
    const scope = [0xff, 0, 0, 0, TENANT];
    const opened = operationsOf('sealed-journal-record-named.hex')
      .filter(([code]) => code === 8)
      .map((scoped) => readScopedOperation(scoped as never, STRANGER_RING) as unknown[]);
    expect(opened.map(([code]) => code)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(opened[0]).toEqual([10, Buffer.from([...scope, 2, ...digest]), 3, entry]);
    expect(opened[5]).toEqual([15, Buffer.from([...scope, ...Buffer.from('docs/report.pdf')])]);
  });

  it('reads both shards', () => {
    const pack = Buffer.from(golden('data-pack.hex'));
    const stripeId = Buffer.from(SAMPLE_STRIPE_ID).toString('hex');
    expect(readShard(golden('single-shard.hex'))).toMatchObject({ stripeId, index: 0, k: 1, m: 0, data: pack });
    expect(readShard(golden('copy-shard.hex'))).toMatchObject({ stripeId, index: 1, k: 1, m: 1, data: pack });
  });

  it('checks the store config', () => {
    expect(readConfigCheck(goldenText('store-config.txt'))).toBe(true);
    expect(readConfigCheck(goldenText('store-config-shared.txt'))).toBe(true);
    expect(readConfigCheck(goldenText('store-config.txt').replace('none', 'some'))).toBe(false);
  });
});
