import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultyFileSystem } from '../testing/faulty-file-system.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { readFileBytes } from './file-reader.ts';
import { nodeFileSystem } from './file-system.ts';
import { yieldToEventLoop } from './timers.ts';

const MIB = 1024 * 1024;

async function file(bytes: number): Promise<{ readonly path: string; readonly fileSystem: FaultyFileSystem }> {
  const folder = await makeTemporaryFolder();
  onTestFinished(() => folder.remove());
  const path = join(folder.path, 'file');
  await writeFile(path, new Uint8Array(bytes));
  return { path, fileSystem: new FaultyFileSystem(nodeFileSystem, folder.path) };
}

describe('readFileBytes', () => {
  it('keeps the failure of a read ahead for the reader, however long that takes', async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listener);
    onTestFinished(() => void process.off('unhandledRejection', listener));
    const { path, fileSystem } = await file(3 * MIB);
    fileSystem.fail({ call: 'read', code: 'EIO', nth: 2 });
    const pieces = readFileBytes(path, { fileSystem });
    await pieces.next();
    for (let turn = 0; turn < 20; turn += 1) await yieldToEventLoop();
    await expect(pieces.next()).rejects.toMatchObject({ code: 'EIO' });
    expect(unhandled).toEqual([]);
    expect(fileSystem.trace.at(-1)).toBe('close file');
  });

  it('closes the file when its reader stops, with a read ahead under way', async () => {
    const { path, fileSystem } = await file(3 * MIB);
    for await (const piece of readFileBytes(path, { fileSystem })) {
      expect(piece.length).toBe(MIB);
      break;
    }
    expect(fileSystem.trace.at(-1)).toBe('close file');
  });
});
