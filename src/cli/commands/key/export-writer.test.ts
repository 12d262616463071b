import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeError } from '../../../errors/store-error.ts';
import { createStore, type Store } from '../../../index.ts';
import type { ReservedFile } from '../../files/secret-file.ts';
import { exportWriterTo } from './export-writer.ts';

const FULL = storeError('DISK_FULL', 'no space left');

let store: Store;

beforeAll(async () => {
  store = await createStore('memory:', { keys: { key: new Uint8Array(32).fill(1) } });
});
afterAll(() => store.close());

/** A file that takes what is written, or does not. */
function fileOf(failure?: Error): ReservedFile & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    write: async () => {
      calls.push('write');
      if (failure) throw failure;
    },
    drop: async () => void calls.push('drop'),
  };
}

async function labels(): Promise<readonly string[]> {
  return (await store.keys.writers()).map(({ label }) => label);
}

function noneLeft(): never {
  throw new Error('the writer was left behind');
}

describe('a writer that is exported', () => {
  it('is let in when its credential is written', async () => {
    await exportWriterTo(fileOf(), { keys: store.keys, onLeft: noneLeft }, { label: 'written' });
    expect(await labels()).toEqual(['written']);
  });

  it('is taken out again when its credential cannot be written', async () => {
    const file = fileOf(FULL);
    await expect(exportWriterTo(file, { keys: store.keys, onLeft: noneLeft }, { label: 'written' })).rejects.toBe(FULL);
    expect(file.calls).toEqual(['write']);
    // The other one of that label, and nobody else.
    expect(await labels()).toEqual(['written']);
  });

  it('leaves no file when it is not let in', async () => {
    const file = fileOf();
    const writer = { label: 'x', namespace: 'none' };
    const exporting = exportWriterTo(file, { keys: store.keys, onLeft: noneLeft }, writer);
    await expect(exporting).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect(file.calls).toEqual(['drop']);
  });

  it('is told of when it cannot be taken out', async () => {
    const left: string[] = [];
    const failing = () => Promise.reject(storeError('BACKEND_IO', 'gone'));
    const { keys } = store;
    const some = { exportWriter: keys.exportWriter.bind(keys), removeWriter: failing };
    const exporting = exportWriterTo(fileOf(FULL), { keys: some, onLeft: () => left.push('x') }, { label: 'left' });
    await expect(exporting).rejects.toBe(FULL);
    expect(left).toEqual(['x']);
    expect(await labels()).toEqual(['written', 'left']);
  });
});
