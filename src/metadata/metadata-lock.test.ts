import { describe, expect, it } from 'vitest';
import { put, request } from '../../test/support/metadata-samples.ts';
import { ringOf } from '../../test/support/sealed-metadata.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import type { Database } from './database.ts';
import { metadataIn } from './metadata-in.ts';
import { openSqlDatabase } from './open-sqlite.ts';

/** Sealed metadata in memory. The transaction that `faulty.in` counts down to does its work and does not end well. */
async function withFaultyEnds() {
  const options = {
    ...{ path: ':memory:', create: true, sealed: true, readOnly: false },
    ...{ storeId: new Uint8Array(16).fill(1), busyTimeoutMs: 1000 },
  };
  const database = await openSqlDatabase(options);
  const faulty = { in: 0 };
  const end = async <T>(running: Promise<T>): Promise<T> => {
    const done = await running;
    if (faulty.in > 0 && --faulty.in === 0) throw storeError('BACKEND_IO', 'the connection is gone', { retry: false });
    return done;
  };
  const wrapped: Database = {
    dialect: database.dialect,
    read: (work) => end(database.read(work)),
    write: (work) => end(database.write(work)),
    snapshot: () => database.snapshot(),
    scrub: () => database.scrub(),
    close: () => database.close(),
  };
  return { metadata: metadataIn(wrapped, options), faulty };
}

/** Transactions of an unlock: whether there are rows, and with the keys. */
const LOOK_AND_TAKE = 2;

const configOf = (generation: number) => ({ generation, bytes: utf8Encode(`config ${generation}`) });

describe('metadata that are unlocked in a transaction that does not end well', () => {
  it('stay locked, and are unlocked the next time', async () => {
    const { metadata, faulty } = await withFaultyEnds();
    faulty.in = LOOK_AND_TAKE;
    await expect(metadata.unlock(ringOf(), 1)).rejects.toMatchObject({ code: 'BACKEND_IO' });
    await expect(metadata.head()).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
    await metadata.unlock(ringOf(), 1);
    expect(await metadata.head()).toMatchObject({ commit: 0 });
    await metadata.close();
  });

  it('keep the keys that they had', async () => {
    const { metadata, faulty } = await withFaultyEnds();
    await metadata.unlock(ringOf(), 1);
    await metadata.setConfig(0, configOf(1));
    await metadata.commit([request(put('a'))]);
    await metadata.setConfig(1, configOf(2));
    await metadata.unlock(ringOf(2), 2);
    // Seals the head under the second epoch, so that nothing was read yet that is sealed under the first.
    await metadata.commit([request(put('b'))]);
    await metadata.setConfig(2, configOf(3));
    faulty.in = LOOK_AND_TAKE;
    await expect(metadata.unlock(ringOf(3), 3)).rejects.toMatchObject({ code: 'BACKEND_IO' });
    expect(await metadata.outbox(0, 10_000)).toHaveLength(2);
    await expect(metadata.commit([request(put('c'))])).rejects.toMatchObject({ code: 'KEYS_CHANGED' });
    await metadata.unlock(ringOf(3), 3);
    await metadata.commit([request(put('c'))]);
    expect((await metadata.check()).problems).toEqual([]);
    await metadata.close();
  });
});
