import { copyFile, readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, inlineOf, packAdd, put, request } from '../../test/support/metadata-samples.ts';
import { keyOf, putIn, ringOf, sealedPackOf, TENANT } from '../../test/support/sealed-metadata.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { EnvelopeSealer } from '../crypto/envelope.ts';
import { decodeEntry } from '../format/entry.ts';
import { KeySchedule } from '../format/key-schedule.ts';
import type { Metadata } from './contract.ts';

/** Salt and counter of every envelope: the one decides its key, the other is its nonce. */
const pairs: string[] = [];

let file: MetadataFile;

beforeEach(async () => {
  const seal = EnvelopeSealer.prototype.seal;
  vi.spyOn(EnvelopeSealer.prototype, 'seal').mockImplementation(function (this: EnvelopeSealer, plain, aad) {
    const envelope = seal.call(this, plain, aad);
    pairs.push(Buffer.from(envelope.subarray(0, 24)).toString('latin1'));
    return envelope;
  });
  file = await MetadataFile.make('sealed');
});

afterEach(async () => {
  vi.restoreAllMocks();
  pairs.length = 0;
  await file.remove();
});

const SIZE = 0x12_3456_789a;
const MODIFIED = 0x0191_2345_6789;

const name = (index: number): string => `a folder of secrets/the name of file number ${index}.txt`;
const shape = {
  size: SIZE,
  contentType: 'application/x-known-type',
  attributes: { 'name of an attribute': 'value of an attribute' },
};

async function fill(metadata: Metadata, round: number): Promise<void> {
  const indices = Array.from({ length: 100 }, (_, index) => 100 * round + index);
  await metadata.commit([
    request(...indices.map((index) => put(name(index), index, { modified: MODIFIED, shape }))),
    request(...indices.map((index) => putIn(TENANT, name(index), shape))),
    request(packAdd(sealedPackOf(round + 1, [idOf(`x${round}`)]))),
    { changes: [], inline: [inlineOf(`inline ${round}`)] },
  ]);
}

/** Everything that lies in the folder now. */
async function bytesOf(): Promise<Buffer> {
  const names = await file.names();
  return Buffer.concat(await Promise.all(names.map((one) => readFile(`${file.folder}/${one}`))));
}

/** A number as any encoding here might write it. */
function numberForms(value: number): readonly Uint8Array[] {
  const [big, little, double] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)];
  big.writeBigUInt64BE(BigInt(value));
  little.writeBigUInt64LE(BigInt(value));
  double.writeDoubleLE(value);
  return [big.subarray(3), little.subarray(0, 5), double, utf8Encode(String(value))];
}

const holds = (bytes: Buffer, part: Uint8Array): boolean => bytes.includes(Buffer.from(part));

function* windowsOf(bytes: Uint8Array, length = 16): Generator<Uint8Array> {
  for (let at = 0; at + length <= bytes.length; at += 1) yield bytes.subarray(at, at + length);
}

/** What nobody without keys may find: plain digests are those inside of entries, raw and in hex. */
function secrets(): readonly Uint8Array[] {
  const value = decodeEntry(put(name(7), 7, { shape }).entry);
  const digests = [value.digest, value.root];
  const texts = [name(7), 'application/x-known-type', 'name of an attribute', 'value of an attribute'].map(utf8Encode);
  const schedule = new KeySchedule(ringOf());
  const ring = ringOf();
  const keys = [schedule.metadataKey(1), schedule.lookupKey(), schedule.tableSumKey(), ring.store];
  keys.push(...ring.epochs.map(({ secret }) => secret), ...ring.namespaces.map(({ secret }) => secret));
  const hex = digests.map((digest) => utf8Encode(toHex(digest)));
  return [...digests, ...hex, ...texts, ...keys, inlineOf('inline 0').stored];
}

describe('the files of sealed metadata', () => {
  it('hold no name, attribute, size, time, plain digest or key, while open and when closed', async () => {
    const metadata = await file.open({ create: true });
    for (let round = 0; round < 3; round += 1) await fill(metadata, round);
    expect((await metadata.listEntries({ limit: 300 })).length).toBe(300);
    const open = await bytesOf();
    await file.closeAll();
    for (const bytes of [open, await bytesOf()]) {
      expect(bytes.length).toBeGreaterThan(100_000);
      for (const secret of secrets()) {
        const found = [...windowsOf(secret, Math.min(12, secret.length))].filter((window) => holds(bytes, window));
        expect(found).toEqual([]);
      }
      for (const form of [...numberForms(SIZE), ...numberForms(MODIFIED)]) expect(holds(bytes, form)).toBe(false);
    }
  });

  it('are found out when they do (what this test looks for is there in plain metadata)', async () => {
    const metadata = await file.openLocked({ create: true, sealed: false });
    await metadata.commit([request(put(name(7), 7, { modified: MODIFIED, shape }))]);
    const bytes = await bytesOf();
    const value = decodeEntry(put(name(7), 7, { shape }).entry);
    for (const secret of [utf8Encode(name(7)), value.digest, utf8Encode('value of an attribute')]) {
      expect(holds(bytes, secret)).toBe(true);
    }
    for (const number of [SIZE, MODIFIED]) expect(numberForms(number).some((form) => holds(bytes, form))).toBe(true);
  });

  it('tell little by the lengths of rows', async () => {
    const metadata = await file.open({ create: true });
    const names = Array.from({ length: 40 }, (_, index) => 'x'.repeat(1 + index));
    await metadata.commit([
      request(...names.map((one, index) => put(one, index, { shape: { size: 7 ** (index % 18) } }))),
    ]);
    const rows = file.query('SELECT DISTINCT length(sealed) AS length FROM entries');
    expect(rows.length).toBeLessThanOrEqual(2);
    expect(rows.every(({ length }) => (Number(length) - 44) % 64 === 0)).toBe(true);
  });

  it('show a key of two namespaces under different lookups', async () => {
    const metadata = await file.open({ create: true });
    await metadata.commit([request(put('a'), putIn(TENANT, 'a'))]);
    const lookups = file.query('SELECT lookup FROM entries').map(({ lookup }) => toHex(lookup as Uint8Array));
    expect(new Set(lookups).size).toBe(2);
    for (const key of [put('a').key, keyOf('a')]) expect(lookups).not.toContain(toHex(key));
  });
});

describe('the nonces of sealed metadata', () => {
  it('are never used twice under one key: by two connections, after reopening and after a rollback', async () => {
    const [first, second] = [await file.open({ create: true }), await file.open()];
    const fails = request(put('late'), packAdd(sealedPackOf(99, [])), packAdd(sealedPackOf(99, [])));
    for (const one of [first, second, first, second]) {
      expect(await one.commit([fails, request(put('passes'))])).toMatchObject([{ ok: false }, { ok: true }]);
    }
    await file.closeAll();
    const again = await file.open();
    // Enough for the index to move names from its log to its trees.
    for (let round = 0; round < 6; round += 1) await fill(again, round);
    while (file.query('SELECT number FROM names_nodes').length === 0) await again.head();
    expect(pairs.length).toBeGreaterThan(2000);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it('differ in a copy of the file that goes on by itself', async () => {
    await fill(await file.open({ create: true }), 0);
    await file.closeAll();
    await copyFile(file.path, `${file.path}.copy`);
    await fill(await file.open(), 1);
    await fill(await file.open({ path: `${file.path}.copy` }), 1);
    expect(new Set(pairs).size).toBe(pairs.length);
  });
});
