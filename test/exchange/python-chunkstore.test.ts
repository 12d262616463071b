/** What was exported, in the hands of chunkstore itself: only where its Python package can be imported. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { exportChunkstore, importChunkstore } from '../../src/index.ts';
import { noise, text } from '../support/contents.ts';
import { memoryStore, testFolder } from '../support/stores.ts';
import { filesBelow, GOLDEN_FILES, sha256 } from './chunkstore-folder.ts';

const OPENED = `
import sys
from chunkstore import ChunkStore, FilesystemBackend
store = ChunkStore.open(FilesystemBackend(sys.argv[1]))
def stats(): return [store.stats().total_bytes, store.stats().stored_bytes]
`;

function python(script: string, ...args: string[]): string {
  return execFileSync('python3', ['-c', script, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function isThere(): boolean {
  try {
    python('import chunkstore');
    return true;
  } catch {
    console.warn(
      'skipped: chunkstore itself; get it with `pip install --target FOLDER chunkstore==0.3.0` and set PYTHONPATH=FOLDER',
    );
    return false;
  }
}

describe.runIf(isThere())('chunkstore itself', () => {
  it('reads, counts and deletes what was exported, and adds to it', async () => {
    const [store, folder] = [await memoryStore(), await testFolder()];
    const large = noise(9_000_000);
    await store.put('large', large);
    await store.put('copy/of/large', large);
    await store.put('empty', '');
    await store.put('é 😀 "q"', 'hello world');
    await exportChunkstore(store, folder);
    const out = python(
      `${OPENED}
import hashlib, json
print(json.dumps([
  stats(), hashlib.sha256(store.read('large')).hexdigest(), len(store.read('empty')),
  store.read('é 😀 "q"').decode(), len(store.file_digests('copy/of/large')),
]))
store.delete('large')
print(json.dumps([stats(), hashlib.sha256(store.read('copy/of/large')).hexdigest()]))
store.delete('copy/of/large')
store.ingest('new', b'hello world')
print(json.dumps(stats()))
`,
      folder,
    );
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      [[18_000_011, 9_000_011], sha256(large), 0, 'hello world', 3],
      [[9_000_011, 9_000_011], sha256(large)],
      [22, 11],
    ]);
    const back = await memoryStore();
    expect(await importChunkstore(back, folder)).toMatchObject({ imported: 3, failed: 0, differences: [] });
    expect(await back.get('new')).toEqual(text('hello world'));
  });

  it('writes the golden layout', async () => {
    const folder = await testFolder();
    python(
      `${OPENED}
store.ingest('doc_v1', b'hello world')
store.ingest('doc_v2', b'hello world')
store.ingest('empty', b'')
store.ingest_fixed('dir/x', b'abcdefghij', 4)
`,
      folder,
    );
    expect(await filesBelow(folder)).toEqual(GOLDEN_FILES);
  });
});
