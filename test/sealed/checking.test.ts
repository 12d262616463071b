/** What only the check of a sealed store can tell: things around its rows and records. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFsBackend } from '../../src/backend/index.ts';
import { concatBytes } from '../../src/bytes/bytes.ts';
import {
  decodePackHeader,
  decodeStoreConfig,
  encodePackHeader,
  encodeStoreConfig,
  encodeStripe,
  KEY_PAGES_PREFIX,
  PACK_HEADER_BYTES,
  PACKS_PREFIX,
  STORE_CONFIG_KEY,
  type StoreConfig,
  verifyShard,
} from '../../src/format/index.ts';
import { type CheckReport, createStore, openStore, type Store } from '../../src/index.ts';
import { FaultyBackend, makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { noise } from '../support/contents.ts';
import {
  filesOf,
  makeSampleStore,
  metadataPath,
  SEALED_OPTIONS,
  StoreImage,
  TENANT_NAME,
} from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

let folder: TemporaryFolder;
let image: StoreImage;
/** Open since before anything was changed. */
let store: Store;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  await makeSampleStore(folder.path, 1, ['many', 'packed']);
  image = await StoreImage.of(folder.path);
  ({ store } = await image.open());
});

afterAll(async () => {
  await image.close();
  await folder.remove();
});

function checkedWith(changed: Readonly<Record<string, Uint8Array | undefined>>): Promise<CheckReport> {
  return image.with(changed, () => store.maintenance.check());
}

describe('a check of an open store', () => {
  it('finds nothing wrong with one that is whole', async () => {
    expect(await checkedWith({})).toMatchObject({ outcome: 'ok', problems: [] });
  });

  it.each<[string, (config: StoreConfig, bytes: Uint8Array) => Uint8Array | undefined]>([
    ['is gone', () => undefined],
    ['has a flipped bit', (_, bytes) => bytes.map((byte, at) => (at === 100 ? byte ^ 1 : byte))],
    ['is cut short', (_, bytes) => bytes.subarray(0, -10)],
    ['is of an older generation', (config) => encodeStoreConfig({ ...config, generation: 1 } as StoreConfig)],
    ['is of a newer generation', (config) => encodeStoreConfig({ ...config, generation: 99 } as StoreConfig)],
    [
      'says something else',
      (config) => encodeStoreConfig({ ...config, chunking: 'fastcdc:64:256:1024' } as StoreConfig),
    ],
    ['is that of a plain store', (config) => plainConfig(config)],
  ])('tells that the config on the backend %s', async (_, change) => {
    const bytes = image.blob(STORE_CONFIG_KEY);
    const report = await checkedWith({ [STORE_CONFIG_KEY]: change(decodeStoreConfig(bytes), bytes) });
    expect(report).toMatchObject({ outcome: 'damaged', problemCount: 1, problems: [{ code: 'CONFIG_CORRUPT' }] });
  });

  it.each<[string, object]>([
    ['an epoch', { epoch: 99 }],
    ['a namespace', { namespace: 99 }],
  ])('tells of a pack that claims %s which there is not, and goes on', async (_, claim) => {
    const [key = ''] = image.keys(PACKS_PREFIX);
    const { header, data } = verifyShard(image.blob(key));
    const forged = encodePackHeader({ ...decodePackHeader(data), ...claim });
    const { store: storeId, pack, stripeId } = header;
    const bytes = concatBytes([forged, data.subarray(PACK_HEADER_BYTES)]);
    const report = await checkedWith({ [key]: encodeStripe(bytes, { store: storeId, pack, stripeId }).shards[0] });
    expect(report).toMatchObject({ outcome: 'damaged', entries: 7 });
    expect(report.problems.map(({ packId }) => packId)).toContain(key.replace(/.*\/|\.0$/g, ''));
  });

  it('tells of entries of one key in two namespaces, both of which have lost their content', async () => {
    const damaged = await testFolder();
    const open = closedAfterTest(await createStore(damaged, SEALED_OPTIONS));
    await open.namespaces.create(TENANT_NAME);
    for (const entries of [open, open.namespace(TENANT_NAME)]) await entries.put('same', noise(66_000, 5));
    const packs = path.join(damaged, PACKS_PREFIX);
    expect(await readdir(packs)).not.toEqual([]);
    await rm(packs, { recursive: true });
    const { problems } = await open.maintenance.check();
    const lost = { code: 'CHUNK_MISSING', packId: expect.any(String) };
    expect(problems).toEqual([
      { ...lost, message: expect.any(String) },
      { ...lost, message: expect.any(String), namespace: TENANT_NAME },
      { ...lost, message: expect.any(String), digest: expect.any(String), key: 'same' },
      { ...lost, message: expect.any(String), digest: expect.any(String), key: 'same', namespace: TENANT_NAME },
    ]);
  });

  it('does not take for damage what is shredded or replaced while it looks', async () => {
    const busy = await testFolder();
    const other = closedAfterTest(await createStore(busy, SEALED_OPTIONS));
    // The key of an empty entry is needed for the entry alone: when it is, all entries are listed already.
    await other.put('a', '', { isolation: 'entry' });
    const [page = ''] = [...(await filesOf(busy)).keys()].filter((key) => key.startsWith(KEY_PAGES_PREFIX));
    await other.put('b', noise(500, 1), { isolation: 'entry' });
    await other.put('c', noise(500, 2), { isolation: 'entry' });
    const backend = new FaultyBackend(await openFsBackend(busy, { reserveBytes: 0 }));
    const location = { backend, metadata: metadataPath(busy) };
    const open = closedAfterTest(await openStore(location, { keys: SEALED_OPTIONS.keys }));
    const changed = Promise.withResolvers<void>();
    backend.fail({ call: 'get', how: 'wait', prefix: page, until: changed.promise });
    const report = open.maintenance.check();
    await vi.waitFor(() => expect(backend.trace).toContain(`get ${page}`));
    await other.delete('a');
    await other.delete('b');
    await other.put('c', noise(500, 3), { isolation: 'entry' });
    changed.resolve();
    expect(await report).toMatchObject({ outcome: 'ok', problems: [] });
  });
});

describe('a check of a store with isolated entries', () => {
  it('counts key pages that have no entry, as an interrupted put leaves them', async () => {
    const left = await testFolder();
    const open = closedAfterTest(await createStore(left, SEALED_OPTIONS));
    await open.namespaces.create(TENANT_NAME);
    await open.put('a', '', { isolation: 'entry' });
    await open.namespace(TENANT_NAME).put('b', noise(500, 1), { isolation: 'entry' });
    expect(await open.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 0, bytes: 0 } });
    const name = `${KEY_PAGES_PREFIX}80000001`;
    await writeFile(path.join(left, name), new Uint8Array(100));
    expect(await open.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 1, bytes: 100 } });
  });
});

function plainConfig(config: StoreConfig): Uint8Array {
  const { features, storeId, created, digest, chunking, compression, redundancy, generation } = config;
  const base = { features, storeId, created, digest, chunking, compression, redundancy, generation };
  return encodeStoreConfig({ format: 1, ...base, keys: 'none' });
}
