/** Two stores with the same files: what somebody sees who has both folders. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { padmeBytes } from '../../src/crypto/padme.ts';
import { SHARD_HEADER_BYTES, STORE_CONFIG_KEY, verifyShard } from '../../src/format/index.ts';
import { createStore } from '../../src/index.ts';
import { noise, text } from '../support/contents.ts';
import { filesOf, metadataPath, SEALED_OPTIONS } from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';
import { sharedWindows } from '../support/window-scan.ts';

const FILES = 1000;

/** A thousand files, tiny ones and larger ones, the same for a seed; of the same lengths for all seeds. */
function files(seed: number): { readonly key: string; readonly source: Uint8Array }[] {
  return Array.from({ length: FILES }, (_, index) => {
    const name = Buffer.from(noise(12, seed * FILES + index)).toString('hex');
    const length = index % 50 === 0 ? 20_000 : 40 + (index % 400);
    const source = index % 2 === 0 ? noise(length, seed * FILES + index) : text(`${name} `.repeat(length / 25 + 1));
    return { key: `files/${name}`, source: source.slice(0, length) };
  });
}

interface Seen {
  readonly names: readonly string[];
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Every value of every column of the metadata that is bytes. */
  readonly values: readonly Uint8Array[];
}

async function makeStore(seed: number, key: number): Promise<Seen> {
  const folder = await testFolder();
  const keys = { key: new Uint8Array(32).fill(key) };
  const store = closedAfterTest(await createStore(folder, { ...SEALED_OPTIONS, keys }));
  await store.namespaces.create('a tenant');
  const all = files(seed);
  for (let start = 0; start < FILES; start += 250) {
    const entries = start === 500 ? store.namespace('a tenant') : store;
    await entries.putMany(all.slice(start, start + 250));
  }
  await store.close();
  const blobs = new Map([...(await filesOf(folder))].filter(([name]) => !name.startsWith('.')));
  return { names: [...blobs.keys()], blobs, values: valuesOf(metadataPath(folder)) };
}

function valuesOf(file: string): readonly Uint8Array[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    const rows = tables.flatMap(({ name }) => database.prepare(`SELECT * FROM ${name}`).all());
    return rows.flatMap((row) => Object.values(row).filter((value) => value instanceof Uint8Array));
  } finally {
    database.close();
  }
}

/** Lengths in headers, which padding makes equal, are zeros for the most part; ids, content and keys never are. */
function isTelling(window: string): boolean {
  return [...window].filter((character) => character === '\0').length < window.length / 2;
}

describe('two sealed stores with the same thousand files', () => {
  it('share no name, no stored id and no window of bytes that two stores with other files would not share', async () => {
    const [one, other, elsewhere] = [await makeStore(1, 7), await makeStore(1, 7), await makeStore(2, 8)];
    expect(one.names.length).toBeGreaterThan(5);
    expect(one.names.filter((name) => other.names.includes(name))).toEqual([STORE_CONFIG_KEY]);
    const bytesOf = ({ blobs, values }: Seen): readonly Uint8Array[] => [...blobs.values(), ...values];
    expect(bytesOf(one).reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(500_000);
    const shared = [...sharedWindows(bytesOf(one), bytesOf(other), bytesOf(elsewhere))];
    expect(shared.filter(isTelling).map((window) => Buffer.from(window, 'latin1').toString('hex'))).toEqual([]);

    const isNoted = (bytes: Uint8Array): boolean => bytes.length >= 16;
    const ids = new Set(one.values.filter(isNoted).map((value) => Buffer.from(value).toString('hex')));
    const same = other.values.filter((value) => isNoted(value) && ids.has(Buffer.from(value).toString('hex')));
    expect(same).toEqual([]);
  });

  it('have packs of few sizes only: those of their padding', async () => {
    const { blobs } = await makeStore(3, 7);
    const packs = [...blobs].filter(([name]) => /^(packs|journal)/.test(name));
    expect(packs.length).toBeGreaterThan(3);
    for (const [name, blob] of packs) {
      const { data } = verifyShard(blob);
      expect(padmeBytes(data.length), name).toBe(data.length);
      expect(blob.length).toBeGreaterThan(SHARD_HEADER_BYTES + data.length);
    }
  });
});
