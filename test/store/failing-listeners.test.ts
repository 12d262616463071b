import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Logger, Problem } from '../../src/index.ts';
import { MERGE_FAN_IN } from '../../src/limits.ts';
import { noise } from '../support/contents.ts';
import { flipByte, metadataFile, packFiles } from '../support/store-files.ts';
import { folderStore, reopen, storeTemplate } from '../support/stores.ts';

const fail = (): never => {
  throw new Error('a bug of the logger');
};
const FAILING_LOGGER: Logger = { debug: fail, info: fail, warn: fail, error: fail };

/** Collects rejections that nobody handled while the test runs. */
function unhandledRejections(): readonly unknown[] {
  const seen: unknown[] = [];
  const listener = (error: unknown): void => void seen.push(error);
  process.on('unhandledRejection', listener);
  onTestFinished(() => void process.off('unhandledRejection', listener));
  return seen;
}

describe('damage that is found', () => {
  const template = storeTemplate((store) => store.put('key', noise(200_000)));

  async function damagedStore(): Promise<string> {
    const folder = await template.copy();
    const [pack] = await packFiles(folder);
    await flipByte(pack ?? '', 50_000);
    return folder;
  }

  it('is what the reader is told of, even by way of a logger and a listener that throw', async () => {
    const store = await reopen(await damagedStore(), { logger: FAILING_LOGGER });
    store.on('damage', fail);
    await expect(store.get('key')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
  });

  it('is what the reader is told of, even when it cannot be flagged', async () => {
    const folder = await damagedStore();
    const warnings: string[] = [];
    const problems: Problem[] = [];
    const logger = { ...console, error: () => undefined, warn: (message: string) => void warnings.push(message) };
    const store = await reopen(folder, { logger });
    store.on('damage', (problem) => problems.push(problem));
    const metadata = new DatabaseSync(metadataFile(folder));
    metadata.exec("CREATE TRIGGER none BEFORE UPDATE OF suspect ON items BEGIN SELECT RAISE(ABORT, 'injected'); END");
    metadata.close();
    await expect(store.get('key')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    expect(warnings).toEqual(['what a read found could not be noted']);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['CHUNK_CORRUPT']));
  });
});

describe('a logger that throws', () => {
  it('does not stop merging, and ends no process', async () => {
    const unhandled = unhandledRejections();
    const { path, store } = await folderStore({ logger: FAILING_LOGGER });
    const metadata = new DatabaseSync(metadataFile(path));
    metadata.exec("CREATE TRIGGER none BEFORE DELETE ON packs BEGIN SELECT RAISE(ABORT, 'injected'); END");
    metadata.close();
    for (let number = 0; number < 3 * MERGE_FAN_IN; number += 1) await store.put(`${number}`, `${number}`);
    await store.close();
    expect(unhandled).toEqual([]);
  });
});

describe('many listeners of one store', () => {
  const template = storeTemplate((store) => store.put('key', 'value'));

  it('are no leak that the process warns of', async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listener);
    onTestFinished(() => void process.off('warning', listener));
    const store = await reopen(await template.copy());
    for (let count = 0; count < 20; count += 1) store.on('damage', () => undefined);
    // Warnings come with the next turn of the event loop.
    await new Promise(setImmediate);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });
});
