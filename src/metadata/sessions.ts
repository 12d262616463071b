/** Sessions: who is at work in a store, and how old the oldest thing is that each has in flight. */
import { toHex } from '../bytes/bytes.ts';
import { invariant, type StoreError, storeError } from '../errors/store-error.ts';
import type { RandomBytes } from '../runtime/random.ts';
import type { SessionRow } from './collection-contract.ts';
import type { Reader } from './database.ts';
import { removeLeasesOf } from './leases.ts';
import type { Tables } from './tables.ts';
import type { WorkingState } from './working-state.ts';

const SESSION_ID_BYTES = 8;

function fenced(id: Uint8Array): StoreError {
  const message =
    'this process was taken for dead, so that others could free space: what it began is not committed; open the store ' +
    'again';
  return storeError('SESSION_FENCED', message, { details: { session: toHex(id) } });
}

async function load(state: WorkingState, id: Uint8Array): Promise<SessionRow | undefined> {
  await state.sessions.load(state.transaction, [[id]]);
  return state.sessions.get([id]);
}

/** Of a session that changes something. @throws `closed/SESSION_FENCED` */
export async function loadLive(state: WorkingState, id: Uint8Array): Promise<SessionRow> {
  const row = await load(state, id);
  if (!row || row.ended) throw fenced(id);
  return row;
}

/** `loadLive` for changes that need no more than a transaction. */
export async function checkLive(reader: Reader, tables: Tables, id: Uint8Array): Promise<void> {
  const [found] = await tables.sessions.load(reader, [[id]]);
  if (!found || found.row.ended) throw fenced(id);
}

/** What a session begins with. */
export interface SessionFacts {
  readonly process: string;
  readonly beat: number;
  readonly random: RandomBytes;
}

/** See `Collecting.openSession`. */
export async function openSession(state: WorkingState, { process, beat, random }: SessionFacts): Promise<Uint8Array> {
  const id = random(SESSION_ID_BYTES);
  invariant(!(await load(state, id)), 'a random session id is new');
  state.sessions.put({ id, epoch: state.head.epoch, beat, process, ended: false });
  await state.save();
  return id;
}

/** See `Collecting.publishEpoch`. */
export async function publishEpoch(
  state: WorkingState,
  row: SessionRow,
  { oldest: epoch, beat }: { readonly oldest: number; readonly beat: number },
): Promise<void> {
  invariant(epoch <= state.head.epoch, 'nobody has an epoch that has not begun');
  invariant(epoch >= row.epoch, 'no operation is older than what was published before it began');
  state.sessions.put({ ...row, epoch, beat });
  await state.save();
}

/** See `Collecting.endSession`, `Collecting.fenceSessions`. */
export async function endSessions(state: WorkingState, ids: readonly Uint8Array[]): Promise<void> {
  for (const id of ids) {
    const row = await load(state, id);
    if (row) state.sessions.put({ ...row, ended: true });
  }
  await removeLeasesOf(state.transaction, ids);
  await state.save();
}

/** See `Collecting.forgetSessions`. */
export async function forgetSessions(state: WorkingState, ids: readonly Uint8Array[]): Promise<void> {
  for (const id of ids) if ((await load(state, id))?.ended) state.sessions.remove([id]);
  await state.save();
}

/** See `Collecting.listSessions`. */
export async function listSessions(reader: Reader, tables: Tables): Promise<readonly SessionRow[]> {
  return (await tables.sessions.select(reader, 'ORDER BY id')).map(({ row }) => row);
}
