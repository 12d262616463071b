import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';
import { idOf, idsOf, inlineOf, packAdd, packOf, request } from '../../test/support/metadata-samples.ts';
import type { Metadata } from './contract.ts';

describe.each(['plain', 'sealed'] as const)('items of a %s store', (kind) => {
  let file: MetadataFile;
  let metadata: Metadata;

  beforeEach(async () => {
    file = await MetadataFile.make(kind);
    metadata = await file.open({ create: true });
    await metadata.commit([request(packAdd(packOf(1, [idOf('a'), idOf('b')])))]);
    await metadata.commit([{ changes: [], inline: [inlineOf('c')] }]);
  });

  afterEach(async () => {
    await file.remove();
  });

  it('are known once they are stored, each kind for itself', async () => {
    expect(await metadata.knownItems('chunk', idsOf('b', 'x', 'c', 'a'))).toEqual([true, false, true, true]);
    expect(await metadata.knownItems('manifest', idsOf('a'))).toEqual([false]);
    expect(await metadata.knownItems('chunk', new Uint8Array(0))).toEqual([]);
  });

  it('are not known while they are suspect', async () => {
    await metadata.markSuspect([{ kind: 'chunk', id: idOf('a'), packNumber: 1 }]);
    expect(await metadata.knownItems('chunk', idsOf('a', 'b'))).toEqual([false, true]);
  });

  it('are known to who only reads, without keys', async () => {
    const locked = await file.openLocked({ readOnly: true });
    expect(await locked.knownItems('chunk', idsOf('a', 'x', 'c'))).toEqual([true, false, true]);
    const thread = await file.openInThread({ readOnly: true });
    expect(await thread.knownItems('chunk', idsOf('a', 'x'))).toEqual([true, false]);
  });
});
