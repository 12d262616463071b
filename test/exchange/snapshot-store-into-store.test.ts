/** A folder of snapshot-store, as its own texts of SEEDS 4.4 make one, becomes objects and refs of a store. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { toHex, utf8Encode } from '../../src/bytes/bytes.ts';
import { blake3 } from '../../src/hash/index.ts';
import { importSnapshotStore } from '../../src/index.ts';
import { memoryStore, testFolder } from '../support/stores.ts';

async function oldObject(folder: string, text: string): Promise<string> {
  const id = toHex(blake3(utf8Encode(text)));
  await mkdir(path.join(folder, 'objects', id.slice(0, 2)), { recursive: true });
  await writeFile(path.join(folder, 'objects', id.slice(0, 2), id), text);
  return id;
}

it('is imported with its names, and can be again', async () => {
  const folder = await testFolder();
  const blob = await oldObject(folder, '{"content":"SGVsbG8sIFdvcmxkIQ==","type":"blob"}');
  const bundle = await oldObject(folder, '{"content":{"operations":[],"sequence":1},"type":"bundle"}');
  const tree = await oldObject(
    folder,
    `{"content":{"children":["${blob}"]},"metadata":{"names":{"${blob}":"hello.txt"}},"type":"tree"}`,
  );
  const snapshot = await oldObject(folder, `{"content":{"bundles":["${bundle}"]},"type":"snapshot"}`);
  await mkdir(path.join(folder, 'snapshots'));
  await writeFile(path.join(folder, 'snapshots/first'), snapshot);

  const store = await memoryStore();
  const report = await importSnapshotStore(store, folder);
  expect(report).toMatchObject({ objects: { blob: 1, bundle: 1, tree: 1, snapshot: 1 }, refs: 1, failed: 0 });
  const idOf = (old: string): string => report.ids.get(old)?.id ?? '';
  expect(idOf(bundle)).toBe(bundle);
  expect(Buffer.from(await store.objects.getBlob(idOf(blob))).toString()).toBe('Hello, World!');
  expect(await store.objects.getTree(idOf(tree))).toMatchObject({
    content: { entries: [{ name: 'hello.txt', type: 'raw', id: idOf(blob) }] },
  });
  expect(await store.refs.get('first')).toMatchObject({ id: idOf(snapshot), type: 'snapshot' });
  const again = await importSnapshotStore(store, folder);
  expect([...again.ids]).toEqual([...report.ids]);
});
