import { describe, expect, it } from 'vitest';
import { caught } from '../../test/support/caught.ts';
import { DATA_DESCRIPTOR, packHeader, SAMPLE_STORE } from '../../test/support/format-samples.ts';
import { sampleKey, sampleSchedule, sealedHeader, TENANT } from '../../test/support/sealed-samples.ts';
import { toHex } from '../bytes/bytes.ts';
import { identifyPack, identityOf, plainIdentity, sealedNameOf } from './pack-identity.ts';
import type { PackDescriptor, PackKeys } from './types.ts';

const SCHEDULE = sampleSchedule();
const KEYS: PackKeys = { keyOf: async (pack) => SCHEDULE.packKey(pack) };
const PLAIN = packHeader('data', 1);
const SEALED = sealedHeader('meta', 1, { namespace: TENANT });
/** What journal and metadata know of the same packs. */
const PLAIN_DESCRIPTOR: PackDescriptor = { ...DATA_DESCRIPTOR, id: PLAIN.pack };
const SEALED_DESCRIPTOR: PackDescriptor = {
  ...{ ...DATA_DESCRIPTOR, id: SEALED.pack, class: 'meta' },
  seal: { namespace: TENANT, epoch: SEALED.epoch, salt: SEALED.salt ?? new Uint8Array(0) },
};

describe('the identity of a pack', () => {
  it('is what its header says, in a plain store', async () => {
    const { session: _session, ...identity } = PLAIN;
    expect(await identifyPack(PLAIN, undefined)).toStrictEqual(identity);
    expect(await identityOf(SAMPLE_STORE, PLAIN_DESCRIPTOR, undefined)).toStrictEqual(identity);
  });

  it('is that and its key, in a sealed store', async () => {
    const { session: _session, ...identity } = { ...SEALED, key: sampleKey(SEALED) };
    expect(await identifyPack(SEALED, KEYS)).toStrictEqual(identity);
    expect(await identityOf(SAMPLE_STORE, SEALED_DESCRIPTOR, KEYS)).toStrictEqual(identity);
  });

  it('is none of the other kind of store, whatever names the pack', async () => {
    const corrupt = { code: 'PACK_CORRUPT', details: { packId: toHex(PLAIN.pack) } };
    await expect(identifyPack(PLAIN, KEYS)).rejects.toMatchObject(corrupt);
    await expect(identifyPack(SEALED, undefined)).rejects.toMatchObject(corrupt);
    await expect(identityOf(SAMPLE_STORE, PLAIN_DESCRIPTOR, KEYS)).rejects.toMatchObject(corrupt);
    await expect(identityOf(SAMPLE_STORE, SEALED_DESCRIPTOR, undefined)).rejects.toMatchObject(corrupt);
    for (const call of [() => plainIdentity(SEALED), () => sealedNameOf(PLAIN)])
      expect((caught(call) as { details?: unknown }).details).toStrictEqual(corrupt.details);
  });
});
