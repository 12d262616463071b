/**
 * Leases: what one session at a time may be at. A lease has no term: it is had until it is left or its session ends, and a
 * session that has ended makes no changes any more. So whoever has a lease can trust that what is changed under it is
 * changed by nobody else, without a clock and without a number to compare.
 *
 * They are settings of this metadata: not journaled, not in sums, gone after a rebuild.
 */
import { equalBytes } from '../bytes/bytes.ts';
import type { SessionRow } from './collection-contract.ts';
import type { Reader, Transaction } from './database.ts';
import { settingsTable, type Tables } from './tables.ts';

const PREFIX = 'lease/';
/** The character after the last one of the prefix. */
const BEYOND = 'lease0';

interface Wanted {
  readonly name: string;
  readonly session: Uint8Array;
}

async function holderOf(reader: Reader, tables: Tables, name: string): Promise<SessionRow | undefined> {
  const [found] = await settingsTable.load(reader, [[PREFIX + name]]);
  const [holder] = found ? await tables.sessions.load(reader, [[found.row.value]]) : [];
  return holder?.row.ended === false ? holder.row : undefined;
}

/** See `Collecting.takeLease`. */
export async function takeLease(
  transaction: Transaction,
  tables: Tables,
  { name, session }: Wanted,
): Promise<SessionRow | undefined> {
  const holder = await holderOf(transaction, tables, name);
  if (holder && !equalBytes(holder.id, session)) return holder;
  await settingsTable.put(transaction, { name: PREFIX + name, value: session });
  return undefined;
}

/** See `Collecting.leaveLease`. */
export async function leaveLease(transaction: Transaction, { name, session }: Wanted): Promise<void> {
  const [found] = await settingsTable.load(transaction, [[PREFIX + name]]);
  if (found && equalBytes(found.row.value, session)) await settingsTable.delete(transaction, [[PREFIX + name]]);
}

/** Those of sessions that end. */
export async function removeLeasesOf(transaction: Transaction, sessions: readonly Uint8Array[]): Promise<void> {
  const leases = await settingsTable.select(transaction, 'WHERE name > ? AND name < ?', [PREFIX, BEYOND]);
  const left = leases.filter(({ row }) => sessions.some((session) => equalBytes(row.value, session)));
  await settingsTable.delete(
    transaction,
    left.map(({ row }) => [row.name]),
  );
}
