import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, rebuildStore } from '../../src/index.ts';
import { loseMetadata, metadataFile } from '../support/store-files.ts';
import { folderStore, keysOf, reopen, SOUND, testFolder } from '../support/stores.ts';

const metadataFolder = (folder: string): string => path.dirname(metadataFile(folder));

describe('metadata of a copy of the store that went on by itself', () => {
  it('is refused, and a rebuild takes the journal for the truth without writing the other one into it', async () => {
    const { path: ours, store } = await folderStore();
    await store.put('shared', 'both have it');
    await store.close();
    const theirs = await testFolder();
    await cp(ours, theirs, { recursive: true });

    const our = await reopen(ours);
    await our.put('ours', 'only we have it');
    await our.close();
    const their = await reopen(theirs);
    await their.put('theirs', 'only they have it');
    // Taken while their store is open: its last commit is still in the outbox.
    await loseMetadata(ours);
    await mkdir(metadataFolder(ours), { recursive: true });
    await cp(metadataFolder(theirs), metadataFolder(ours), { recursive: true });
    await their.close();

    await expect(openStore(ours, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'JOURNAL_FORK' });
    const warnings: string[] = [];
    const logger = { ...console, warn: (message: string) => void warnings.push(message) };
    expect(await rebuildStore(ours, { reserveBytes: 0, logger })).toMatchObject({ entries: 2, problems: [] });
    expect(warnings).toHaveLength(1);
    const rebuilt = await reopen(ours);
    expect(await keysOf(rebuilt)).toEqual(['ours', 'shared']);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
  });
});
