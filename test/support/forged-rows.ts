/** Rows that lie: changed by the metadata's own writer, with digests, sums and counters that fit, so that no check of rows sees it. */

import type { RingSecrets } from '../../src/format/key-schedule.ts';
import { KeyedDatabase } from '../../src/metadata/keyed-database.ts';
import { MetadataLock } from '../../src/metadata/metadata-lock.ts';
import { RowSealer } from '../../src/metadata/row-sealer.ts';
import { createSealedCodec } from '../../src/metadata/sealed-codec.ts';
import { SqliteDatabase } from '../../src/metadata/sqlite-database.ts';
import { createPlainStore, createSealedStore } from '../../src/metadata/store-tables.ts';
import { WorkingState } from '../../src/metadata/working-state.ts';
import { systemRandom } from '../../src/runtime/random.ts';

/**
 * Changes the metadata of a store that nobody has open.
 * @param file its database
 * @param work puts and removes rows of the state it is given; they are saved afterwards
 */
export async function forgeRows(
  file: string,
  work: (state: WorkingState) => Promise<void> | void,
  keys?: { readonly secrets: RingSecrets; readonly generation: number },
): Promise<void> {
  const opened = new SqliteDatabase({ path: file, readOnly: false, busyTimeoutMs: 1000, secureDelete: false });
  try {
    const sealer = new RowSealer(systemRandom);
    const store = keys ? createSealedStore(createSealedCodec(sealer)) : createPlainStore();
    if (keys) {
      const parts = { database: new KeyedDatabase(opened), sealer, store, random: systemRandom, readOnly: false };
      await new MetadataLock(parts).unlock(keys.secrets, keys.generation);
    }
    await opened.write(async (transaction) => {
      const state = await WorkingState.begin(transaction, store);
      await work(state);
      await state.save();
    });
  } finally {
    await opened.close();
  }
}
