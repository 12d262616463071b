import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SOURCE_FILES_OPEN_MAX } from '../limits.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { openSource } from './source.ts';

async function sources(count: number, signal?: AbortSignal): Promise<AsyncIterator<Uint8Array>[]> {
  const folder = await makeTemporaryFolder();
  onTestFinished(() => folder.remove());
  const path = join(folder.path, 'file');
  await writeFile(path, 'content');
  return Array.from({ length: count }, () => openSource({ path }, signal)[Symbol.asyncIterator]());
}

/** Lets everything happen that can happen without time passing, and what the disk answers within this many turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2000; turn += 1) await yieldToEventLoop();
}

describe('files as sources', () => {
  it('are not all open at once: the others wait for their turn', async () => {
    const opened: number[] = [];
    const all = await sources(SOURCE_FILES_OPEN_MAX + 2);
    const begun = all.map(async (source, index) => {
      await source.next();
      opened.push(index);
    });
    // Which of them come first is up to the disk.
    while (opened.length < SOURCE_FILES_OPEN_MAX) await yieldToEventLoop();
    await settle();
    expect(opened).toHaveLength(SOURCE_FILES_OPEN_MAX);
    for (const index of opened.slice(0, 2)) await all[index]?.return?.();
    await Promise.all(begun);
    for (const source of all) await source.return?.();
  });

  it('give up waiting when aborted', async () => {
    const first = await sources(SOURCE_FILES_OPEN_MAX);
    await Promise.all(first.map((source) => source.next()));
    const abort = new AbortController();
    const [waiting] = await sources(1, abort.signal);
    const next = waiting?.next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    for (const source of first) await source.return?.();
  });
});
