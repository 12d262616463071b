import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../errors/store-error.ts';
import { WorkerClient } from './worker-rpc.ts';

const ENTRY = new URL('../../test/support/answering-worker.ts', import.meta.url);
let worker: WorkerClient;

beforeEach(() => {
  worker = new WorkerClient(ENTRY, 'test');
});

afterEach(() => worker.terminate());

const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe('a call into a worker', () => {
  it('carries values there and back, shared parts still shared', async () => {
    const shared = { bytes: new Uint8Array([1, 2, 3]) };
    const value = { text: 'x', list: [shared, shared, undefined, null, 2n], nested: { a: new Map([[1, 2]]) } };
    const answer = (await worker.call('echo', [value])) as typeof value;
    expect(answer).toEqual(value);
    expect(answer.list[0]).toBe(answer.list[1]);
  });

  it('copies the part of a buffer that a view shows, and leaves it to the caller', async () => {
    const view = new Uint8Array(1_000_000).subarray(5, 105).fill(7);
    expect(await worker.call('bytesOf', [view])).toBeLessThanOrEqual(256);
    expect(await worker.call('echo', [Buffer.from('pooled')])).toEqual(new Uint8Array(Buffer.from('pooled')));
    expect(view).toEqual(new Uint8Array(100).fill(7));
    const part = (await worker.call('part', [])) as Uint8Array;
    expect(part.length).toBe(100);
    expect(part.buffer.byteLength).toBeLessThanOrEqual(256);
  });

  it('carries many small arrays in few buffers', async () => {
    const given = Array.from({ length: 1000 }, (_, index) => new Uint8Array(index % 257).fill(index));
    const answer = (await worker.call('echo', [given])) as Uint8Array[];
    expect(answer).toEqual(given);
    expect(new Set(answer.map(({ buffer }) => buffer)).size).toBeLessThan(40);
    expect(Math.max(...answer.map(({ buffer }) => buffer.byteLength))).toBeLessThanOrEqual(4096);
  });

  it('moves buffers there and back where it is told to', async () => {
    const given = new Uint8Array(1000).fill(3);
    const answer = (await worker.call('giveBack', [given], { transfer: [given.buffer] })) as Uint8Array;
    expect([given.length, answer.length, answer[999]]).toEqual([0, 1000, 3]);
  });

  it('is answered in order when answers take no time', async () => {
    const order: unknown[] = [];
    await Promise.all(Array.from({ length: 50 }, async (_, index) => order.push(await worker.call('echo', [index]))));
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  it('reports progress before its answer', async () => {
    const seen: unknown[] = [];
    const answer = await worker.call('count', [3], { progress: (...values) => seen.push(values) });
    expect(answer).toBe('counted');
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('throws what the worker throws, class, fields and causes', async () => {
    const error = await errorOf(worker.call('storeError', []));
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({
      ...{ name: 'ExhaustedError', kind: 'exhausted', code: 'DISK_FULL', message: 'no room', retry: true },
      ...{ details: { path: '/x', size: 7 }, cause: { message: 'deep', cause: { code: 'BACKEND_IO', retry: false } } },
    });
    expect((error as Error).stack).toContain('answering-worker');
    const range = await errorOf(worker.call('rangeError', []));
    expect(range).toBeInstanceOf(RangeError);
    expect(range).toMatchObject({ kind: 'invalid', code: 'ARGUMENT_INVALID', parameter: 'count' });
    expect(await errorOf(worker.call('systemError', []))).toMatchObject({ code: 'ENOENT', message: 'ENOENT: gone' });
    expect(await errorOf(worker.call('text', []))).toMatchObject({ message: 'just text' });
  });

  it('fails alone when a value cannot be copied', async () => {
    await expect(worker.call('echo', [() => 0])).rejects.toMatchObject({ name: 'DataCloneError' });
    await expect(worker.call('uncloneable', [])).rejects.toThrow(/could not be cloned/);
    expect(await worker.call('echo', [1])).toBe(1);
  });

  it('rejects with the reason of its signal and goes on without it', async () => {
    const reason = new Error('enough');
    await expect(worker.call('echo', [1], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const options = { signal: controller.signal, progress: () => controller.abort(reason) };
    await expect(worker.call('untilAborted', [], options)).rejects.toBe(reason);
    expect(await worker.call('echo', [2])).toBe(2);
  });

  it('fails when the worker is closed, before and after', async () => {
    const waiting = errorOf(worker.call('untilAborted', []));
    await worker.terminate();
    await worker.terminate();
    expect(await waiting).toMatchObject({ kind: 'closed', code: 'STORE_CLOSED' });
    await expect(worker.call('echo', [1])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it.each([
    { method: 'crash', cause: { message: 'crashed' } },
    { method: 'exit', cause: { message: 'the thread ended with status 3' } },
  ])('fails without retry when the worker dies ($method), and so do later ones', async ({ method, cause }) => {
    const other = errorOf(worker.call('untilAborted', []));
    const gone = { kind: 'unavailable', code: 'BACKEND_IO', retry: false, cause };
    await expect(worker.call(method, [])).rejects.toMatchObject(gone);
    expect(await other).toMatchObject(gone);
    await expect(worker.call('echo', [1])).rejects.toMatchObject(gone);
  });

  it('fails when there is no such module', async () => {
    const lost = new WorkerClient(new URL('./no-such-module.ts', import.meta.url), 'lost');
    await expect(lost.call('echo', [1])).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false });
    await lost.terminate();
  });
});

describe('a worker', () => {
  const run = (body: string) => {
    const client = fileURLToPath(new URL('./worker-rpc.ts', import.meta.url));
    const source = `import { WorkerClient } from ${JSON.stringify(client)};
      const worker = new WorkerClient(new URL(${JSON.stringify(ENTRY.href)}), 'test');
      ${body}`;
    const argv = ['--input-type=module', '--eval', source];
    return spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
  };

  it('does not keep a process alive when idle, but with a call under way', () => {
    const { status, stdout, stderr } = run(
      "console.log(await worker.call('echo', ['first'])); worker.call('echo', ['second']).then(console.log);",
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'first\nsecond\n', stderr: '' });
  });

  it('that was never called lets its process end', () => {
    expect(run('')).toMatchObject({ status: 0, stderr: '' });
  });
});
