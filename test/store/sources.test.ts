import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FILE_CUTTER_BYTES_MIN, MIB } from '../../src/limits.ts';
import { noise, pieces, sameBytes, text } from '../support/contents.ts';
import { folderStore, SOUND, sharedStore, testFolder } from '../support/stores.ts';

const shared = sharedStore();
const CONTENT = noise(3 * MIB + 17);

describe('put takes', () => {
  const sources: [string, (file: string) => unknown][] = [
    ['bytes', () => CONTENT],
    ['a Buffer', () => Buffer.from(CONTENT)],
    ['a path', (file) => ({ path: file })],
    ['a Node stream', (file) => createReadStream(file)],
    ['a web stream', () => Readable.toWeb(Readable.from(pieces(CONTENT, 70_001)))],
    ['a Blob stream', () => new Blob([CONTENT as Uint8Array<ArrayBuffer>]).stream()],
    ['an iterable', () => [CONTENT.subarray(0, 5), CONTENT.subarray(5)]],
    ['an async iterable', () => pieces(CONTENT, 333_333)],
    [
      'an async iterable of one byte and the rest',
      () => [CONTENT.subarray(0, 1), new Uint8Array(0), CONTENT.subarray(1)],
    ],
  ];

  it.each(sources)('%s', async (_, sourceOf) => {
    const file = path.join(await testFolder(), 'file');
    await writeFile(file, CONTENT);
    const { store } = shared;
    const put = await store.put('key', sourceOf(file) as Uint8Array);
    expect(put.size).toBe(CONTENT.length);
    expect(sameBytes(await store.get('key'), CONTENT)).toBe(true);
  });

  it('text, stored as UTF-8 and never taken for a path', async () => {
    const { store } = shared;
    const put = await store.put('key', '/etc/passwd – ünï 🦭');
    expect(await store.get('key')).toEqual(text('/etc/passwd – ünï 🦭'));
    expect(put.size).toBe(Buffer.byteLength('/etc/passwd – ünï 🦭'));
  });

  it.each([
    ['bytes', new Uint8Array(0)],
    ['text', ''],
    ['an iterable', []],
    ['an iterable of nothing', [new Uint8Array(0)]],
  ])('empty content as %s', async (_, source) => {
    const { store } = shared;
    const put = await store.put('key', source);
    expect(put).toMatchObject({ size: 0, chunks: 0, newBytes: 0, storedBytes: 0 });
    expect(await store.get('key')).toEqual(new Uint8Array(0));
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('a large file, as the same content from memory, and cuts it there too', async () => {
    const content = noise(FILE_CUTTER_BYTES_MIN + 54_321, 5);
    const file = path.join(await testFolder(), 'large');
    await writeFile(file, content);
    const { store } = shared;
    const inMemory = await store.put('memory', content);
    const done: number[] = [];
    const put = await store.put('file', { path: file }, { onProgress: (progress) => done.push(progress.bytes) });
    expect(put).toMatchObject({ version: inMemory.version, digest: inMemory.digest, newBytes: 0 });
    expect([put.chunks, done.at(-1)]).toEqual([inMemory.chunks, content.length]);
    expect(sameBytes(await store.get('file'), content)).toBe(true);
  });

  it('an empty file', async () => {
    const file = path.join(await testFolder(), 'empty');
    await writeFile(file, '');
    const { store } = shared;
    expect(await store.put('key', { path: file })).toMatchObject({ size: 0, chunks: 0 });
  });

  it('the same version whatever the source was', async () => {
    const { store } = shared;
    const versions = new Set<string>();
    for (const source of [CONTENT, pieces(CONTENT, 4096), [CONTENT]])
      versions.add((await store.put('k', source)).version);
    expect(versions.size).toBe(1);
  });
});

describe('a caller keeps its array', () => {
  it('unchanged, and may change it once put has settled', async () => {
    const { store } = shared;
    const mine = CONTENT.slice();
    await store.put('key', mine);
    expect(sameBytes(mine, CONTENT)).toBe(true);
    mine.fill(0);
    expect(sameBytes(await store.get('key'), CONTENT)).toBe(true);
  });

  it.each([
    'default',
    'given',
  ])('when a source gives every piece in the same buffer (chunking %s)', async (chunking) => {
    const { store } = shared;
    function* reusing(): Iterable<Uint8Array> {
      const buffer = Buffer.alloc(1000);
      for (let value = 1; value <= 200; value += 1) yield buffer.fill(value);
    }
    await store.put('key', reusing(), { chunking });
    const read = await store.get('key');
    expect(read.every((byte, index) => byte === Math.floor(index / 1000) + 1)).toBe(true);
  });
});

describe('a bad source', () => {
  it.each([
    ['a number', 5, TypeError],
    ['null', null, TypeError],
    ['nothing', undefined, TypeError],
    ['an object', { file: 'x' }, TypeError],
    ['pieces of text', ['a', 'b'], TypeError],
    ['a stream of text', Readable.from(['a']).setEncoding('utf8'), TypeError],
    ['an array of numbers', [1, 2, 3], TypeError],
  ])('%s is a TypeError that names the parameter', async (_, source, type) => {
    const { store } = shared;
    const failure = store.put('never', source as unknown as Uint8Array);
    await expect(failure).rejects.toBeInstanceOf(type);
    await expect(failure).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'source' });
    expect(await store.has('never')).toBe(false);
  });

  it('is a path of nothing, of a folder, of a device or of a pipe', async () => {
    const folder = await testFolder();
    const { store } = shared;
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const put = (file: string) => store.put('never', { path: file });
    const absent = path.join(folder, 'absent');
    await expect(put(absent)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', details: { path: absent } });
    await expect(put(path.join(absent, 'deeper'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(put(folder)).rejects.toMatchObject({ code: 'SOURCE_INVALID', details: { path: folder } });
    await expect(put('/dev/zero')).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    await expect(put(pipe)).rejects.toMatchObject({ code: 'SOURCE_INVALID', details: { path: pipe } });
    expect(await store.has('never')).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0)('is a file that may not be read (not for root, who may)', async () => {
    const file = path.join(await testFolder(), 'secret');
    await writeFile(file, 'x', { mode: 0o000 });
    const { store } = shared;
    await expect(store.put('key', { path: file })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('is a file that changes while it is read, and the old entry stays', async () => {
    const file = path.join(await testFolder(), 'growing');
    await writeFile(file, CONTENT);
    const { store } = shared;
    await store.put('key', 'old');
    let grown: Promise<void> | undefined;
    const onProgress = (): void => {
      grown ??= appendFile(file, 'more');
    };
    await expect(store.put('key', { path: file }, { onProgress })).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      details: { path: file },
    });
    await grown;
    expect(await store.get('key')).toEqual(text('old'));
    expect((await store.put('key', { path: file })).size).toBe(CONTENT.length + 4);
  });

  it('is a large file that changes, or whose reading is aborted, and the old entry stays', async () => {
    const file = path.join(await testFolder(), 'growing');
    await writeFile(file, noise(FILE_CUTTER_BYTES_MIN, 6));
    const { store } = shared;
    await store.put('key', 'old');
    let grown: Promise<void> | undefined;
    const onProgress = (): void => {
      grown ??= appendFile(file, 'more');
    };
    await expect(store.put('key', { path: file }, { onProgress })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await grown;
    const abort = new AbortController();
    const { signal } = abort;
    const aborting = store.put('key', { path: file }, { signal, onProgress: () => abort.abort(new Error('enough')) });
    await expect(aborting).rejects.toThrow('enough');
    expect(await store.get('key')).toEqual(text('old'));
    expect((await store.put('key', { path: file })).size).toBe(FILE_CUTTER_BYTES_MIN + 4);
  });

  it('is a file that a folder replaced', async () => {
    const file = path.join(await testFolder(), 'thing');
    await writeFile(file, 'x');
    const { store } = shared;
    await store.put('key', { path: file });
    await rm(file);
    await mkdir(file);
    await expect(store.put('key', { path: file })).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    expect(await store.get('key')).toEqual(text('x'));
  });

  it('fails with its own error, nothing is named, and what was cut so far does no harm', async () => {
    const { store } = await folderStore();
    const broken = new Error('the network went away');
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield* pieces(CONTENT, 100_000);
      throw broken;
    }
    await expect(store.put('key', breaking())).rejects.toBe(broken);
    expect(await store.has('key')).toBe(false);
    await store.put('key', CONTENT);
    expect(sameBytes(await store.get('key'), CONTENT)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});
