import { expect, it } from 'vitest';
import { noise } from '../../../test/support/contents.ts';
import { DATA_DESCRIPTOR, packHeader } from '../../../test/support/format-samples.ts';
import { concatBytes } from '../../bytes/bytes.ts';
import { PackBuilder, type PackDescriptor, plainIds } from '../../format/index.ts';
import { blake3 } from '../../hash/index.ts';
import type { WholePack } from '../../placement/pack-store.ts';
import { LiveCopy } from './live-copy.ts';

const [DEAD, LIVING] = [noise(500, 1), noise(700, 2)];

/** One record of two chunks, of which the second goes by a name. */
function packWith(id: Uint8Array): WholePack {
  const builder = new PackBuilder(packHeader('data', 1));
  const stored = concatBytes([DEAD, LIVING]);
  const items = [
    { id: blake3(DEAD), length: DEAD.length },
    { id, length: LIVING.length },
  ];
  builder.add({ kind: 'chunk', codec: 0, plainLength: stored.length, stored, items });
  const { bytes, items: directory } = builder.finish();
  return { header: builder.header, identity: builder.header, items: directory, descriptor: DATA_DESCRIPTOR, bytes };
}

function copyTo(written: Uint8Array[]): LiveCopy {
  return new LiveCopy({
    begin: async () => ({ header: packHeader('data', 2) }),
    write: async ({ bytes }): Promise<PackDescriptor> => {
      written.push(bytes.slice());
      return DATA_DESCRIPTOR;
    },
    ...{ ids: plainIds, compressionLevel: 1, buffer: new Uint8Array(64 * 1024) },
  });
}

it('copies what lives of a record, by its name and its bytes', async () => {
  const written: Uint8Array[] = [];
  const copy = copyTo(written);
  await copy.add(packWith(blake3(LIVING)), ({ length }) => length === LIVING.length);
  const [added] = await copy.finish();
  expect(added?.items).toMatchObject([{ id: blake3(LIVING), length: LIVING.length }]);
  expect(Buffer.from(written[0] ?? []).includes(Buffer.from(LIVING))).toBe(true);
  expect(Buffer.from(written[0] ?? []).includes(Buffer.from(DEAD))).toBe(false);
});

it('copies nothing that is not what its name says', async () => {
  const written: Uint8Array[] = [];
  const copy = copyTo(written);
  const adding = copy.add(packWith(blake3(DEAD)), ({ length }) => length === LIVING.length);
  await expect(adding).rejects.toMatchObject({ code: 'PACK_CORRUPT' });
  expect(written).toEqual([]);
});
