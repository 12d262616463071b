/** What a store for trying things holds: documents, pictures, source, measurements, with some history. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BatchWriter, Store } from '../../index.ts';
import { madeNoise, madePdf, madePng, madeTable } from './made-files.ts';

/** The folder of the package, whether its sources run or what is built of them. */
const PACKAGE = path.resolve(import.meta.dirname, '../../..');
/** The folder of this file's modules. */
const MODULES = path.resolve(import.meta.dirname, '../..');
/** Some of the modules to look at: their sources, or the types of what was built of them. */
const SHOWN_MODULES = ['erasure', 'merkle', 'server', 'chunking'];
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'LICENSE'];

const VERSIONS_KEPT = 10;
const PICTURES = 6;
/** Of each version: measurements are added to. */
const TABLE_ROWS = [3000, 6000, 9000, 12_000];
const LEASE = [
  '# Lease',
  'The roof is mended by the owner.',
  'The garden belongs to everybody.',
  'Rent is due in May.',
];
const IMAGE_BYTES = 3 * 1024 * 1024;
const QUOTA_BYTES = 64 * 1024 * 1024;

const text = (contentType: string) => ({ contentType: `text/${contentType}; charset=utf-8` });

async function putSource(batch: BatchWriter): Promise<void> {
  for (const folder of SHOWN_MODULES) {
    const found = await readdir(path.join(MODULES, folder), { recursive: true });
    for (const name of found.filter((one) => one.endsWith('.ts')).sort()) {
      const key = ['source', folder, ...name.split(path.sep)].join('/');
      await batch.put(key, { path: path.join(MODULES, folder, name) }, text('plain'));
    }
  }
}

async function putPictures(batch: BatchWriter): Promise<void> {
  for (let number = 1; number <= PICTURES; number += 1) {
    const [large, small] = [`pictures/waves-${number}.png`, `pictures/small/waves-${number}.png`];
    const attributes = { author: number % 2 ? 'Ann' : 'Ben', camera: 'arithmetic' };
    await batch.put(large, madePng({ width: 480, height: 320, seed: number }), {
      contentType: 'image/png',
      attributes,
    });
    await batch.put(small, madePng({ width: 96, height: 64, seed: number }), { contentType: 'image/png' });
    batch.relate(small, large);
  }
}

async function putDocuments(batch: BatchWriter): Promise<void> {
  for (const name of DOCUMENTS) {
    // Whoever packs the package anew may leave one out.
    const content = await readFile(path.join(PACKAGE, name)).catch(() => undefined);
    if (content) await batch.put(`documents/${name}`, content, text(name.endsWith('.md') ? 'markdown' : 'plain'));
  }
  const page = ['A demonstration of Holdfast', '', 'Every byte of this page was verified', 'before it was sent.'];
  await batch.put('documents/welcome.pdf', madePdf(page), { contentType: 'application/pdf' });
}

/** A large file and its copy of the day after, which differ a little: together they take hardly more than one. */
async function putImages(batch: BatchWriter): Promise<void> {
  const image = madeNoise(IMAGE_BYTES, 1);
  await batch.put('backups/monday.img', image);
  const changed = Buffer.concat([image.subarray(0, 1_000_000), madeNoise(5000, 2), image.subarray(1_000_000)]);
  await batch.put('backups/tuesday.img', changed);
}

/** A document that changes from day to day, with letters about it and a snapshot of each. */
async function putDrafts(store: Store): Promise<void> {
  for (const count of LEASE.keys()) {
    const attributes = { author: count % 2 ? 'Ben' : 'Ann', state: count + 1 < LEASE.length ? 'draft' : 'signed' };
    const letter = `documents/letters/${count + 1}.txt`;
    await store.batch(async (batch) => {
      const lease = `${LEASE.slice(0, count + 1).join('\n\n')}\n`;
      await batch.put('documents/lease.md', lease, { ...text('markdown'), attributes });
      await batch.put(letter, `Dear Ben,\n\nplease look at draft ${count + 1}.\n\nAnn\n`, text('plain'));
      batch.relate(letter, 'documents/lease.md');
      await batch.put('measurements.csv', madeTable(TABLE_ROWS[count] ?? 0), text('csv'));
    });
    await store.snapshots.create({ prefix: 'documents/' }, { ref: 'daily', message: `draft ${count + 1}` });
  }
}

async function putCustomer(store: Store): Promise<void> {
  await store.namespaces.create('customer-17', { quotaBytes: QUOTA_BYTES });
  await store.namespace('customer-17').putMany([
    { key: 'orders/2026-001.txt', source: Buffer.from('two chairs, one table\n'), ...text('plain') },
    { key: 'orders/2026-002.txt', source: Buffer.from('one lamp\n'), ...text('plain') },
  ]);
}

/** Fills a new, sealed store. */
export async function putDemoContent(store: Store): Promise<void> {
  await store.versions.setPolicy({ last: VERSIONS_KEPT });
  await store.batch(async (batch) => {
    await putDocuments(batch);
    await putPictures(batch);
    await putImages(batch);
    await putSource(batch);
  });
  await putDrafts(store);
  await putCustomer(store);
}
