import { type Clock, systemClock } from '../runtime/clock.ts';
import { type RandomBytes, systemRandom } from '../runtime/random.ts';
import type { Database } from './database.ts';
import { KeyedDatabase } from './keyed-database.ts';
import { MetadataLock } from './metadata-lock.ts';
import { OperationScope } from './operation-scope.ts';
import { RowSealer } from './row-sealer.ts';
import { createSealedCodec } from './sealed-codec.ts';
import { SqlMetadata } from './sql-metadata.ts';
import { createPlainStore, createSealedStore } from './store-tables.ts';

/** What metadata have of their machine. */
export interface MetadataParts {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export const SYSTEM_PARTS: MetadataParts = { clock: systemClock, random: systemRandom };

/**
 * The metadata in a database that is open and has the tables; closed with it. Several over one database of a sealed store
 * know the keys each by itself, as those of several processes do.
 */
export function metadataIn(
  opened: Database,
  { sealed = false, readOnly }: { readonly sealed?: boolean; readonly readOnly: boolean },
  parts: MetadataParts = SYSTEM_PARTS,
): SqlMetadata {
  if (!sealed) return new SqlMetadata({ database: opened, store: createPlainStore(), ...parts });
  const { random } = parts;
  const sealer = new RowSealer(random);
  const store = createSealedStore(createSealedCodec(sealer));
  const database = new KeyedDatabase(opened);
  const lock = new MetadataLock({ database, sealer, store, random, readOnly });
  const scope = new OperationScope(sealer, random);
  return new SqlMetadata({ database, unguarded: opened, store, ...parts, sealed: { lock, scope } });
}
