/**
 * The store config as the metadata keeps it: in the settings, in the clear, because it is what the keys are read from.
 */
import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import type { ConfigCondition, StoredConfig } from './contract.ts';
import type { Reader, Transaction } from './database.ts';
import { namespaceCounters } from './namespace-queries.ts';
import { settingsTable, type Tables } from './tables.ts';

const CONFIG = 'config';
const GENERATION_BYTES = 8;
/** What a namespace may hold beside entries and packs. */
const NAMED_TABLES = ['objects', 'refs', 'histories'] as const;

/** The keys or the config of the store are not those that the caller knows. */
export function keysChanged(known: number, stored: number): StoreError {
  return storeError('KEYS_CHANGED', `the config of the store has generation ${stored}, not ${known}`, {
    details: { expected: known, actual: stored },
  });
}

/** See `Metadata.config`. */
export async function loadConfig(reader: Reader): Promise<StoredConfig | undefined> {
  const [found] = await settingsTable.load(reader, [[CONFIG]]);
  if (!found) return undefined;
  const fields = new BinaryReader(found.row.value, (what) => {
    throw storeError('METADATA_CORRUPT', `metadata table settings: the config ${what}`, {
      details: { table: 'settings', key: CONFIG },
    });
  });
  return { generation: fields.u64(), bytes: fields.bytes(fields.remaining).slice() };
}

/** Generation of the config that was set last, 0 before the first. */
export async function loadGeneration(reader: Reader): Promise<number> {
  return (await loadConfig(reader))?.generation ?? 0;
}

/** @throws `conflict/PRECONDITION_FAILED` */
export async function checkCondition(
  transaction: Transaction,
  tables: Tables,
  { packsAfterEpoch, emptyNamespace }: ConfigCondition,
): Promise<void> {
  if (packsAfterEpoch !== undefined) {
    const query = 'SELECT 1 AS found FROM packs WHERE dropped = 0 AND epoch <= ? LIMIT 1';
    if ((await transaction.all(query, [packsAfterEpoch])).length > 0) {
      const message = `a pack is still sealed under key epoch ${packsAfterEpoch} or an older one`;
      throw storeError('PRECONDITION_FAILED', message);
    }
  }
  if (emptyNamespace !== undefined) {
    const { entries, storedBytes } = await namespaceCounters(transaction, tables, emptyNamespace);
    if (entries > 0 || storedBytes > 0) {
      throw storeError('PRECONDITION_FAILED', `namespace ${emptyNamespace} holds ${entries} entries`);
    }
    // What is empty takes no bytes, and is there all the same.
    for (const table of NAMED_TABLES) {
      const query = `SELECT 1 AS found FROM ${table} WHERE namespace = ? AND namespace > 0 LIMIT 1`;
      if ((await transaction.all(query, [emptyNamespace])).length > 0)
        throw storeError('PRECONDITION_FAILED', `namespace ${emptyNamespace} holds ${table}`);
    }
  }
}

/** See `Metadata.setConfig`. */
export async function storeConfig(
  transaction: Transaction,
  expectedGeneration: number,
  next: StoredConfig,
): Promise<void> {
  const stored = await loadGeneration(transaction);
  if (stored !== expectedGeneration) throw keysChanged(expectedGeneration, stored);
  checkInteger('next.generation', next.generation, { min: stored + 1 });
  const writer = new BinaryWriter(GENERATION_BYTES + next.bytes.length).u64(next.generation).put(next.bytes);
  const row = { name: CONFIG, value: writer.bytes };
  await settingsTable.put(transaction, row);
}
