/** Sessions: who is at work in a store, and how old the oldest thing is that each has in flight. */
import { toHex } from '../bytes/bytes.ts';
import { invariant, type StoreError, storeError } from '../errors/store-error.ts';
import type { RandomBytes } from '../runtime/random.ts';
import type { SessionRow } from './collection-contract.ts';
import type { Reader } from './database.ts';
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

/** @throws `closed/SESSION_FENCED` */
async function loadLive(state: WorkingState, id: Uint8Array): Promise<SessionRow> {
  const row = await load(state, id);
  if (!row || row.ended) throw fenced(id);
  return row;
}

/** See `Collecting.openSession`. */
export async function openSession(
  state: WorkingState,
  facts: { readonly process: string; readonly beat: number; readonly random: RandomBytes },
): Promise<Uint8Array> {
  const { process, beat, random } = facts;
  const id = random(SESSION_ID_BYTES);
  invariant(!(await load(state, id)), 'a random session id is new');
  state.sessions.put({ id, epoch: state.head.epoch, beat, process, ended: false });
  await state.save();
  return id;
}

/**
 * From here on the changes of `state` are those of a session: not older than what it publishes.
 * @throws `closed/SESSION_FENCED`
 */
export async function actFor(state: WorkingState, session: Uint8Array | undefined): Promise<void> {
  if (session) state.epoch = (await loadLive(state, session)).epoch;
}

/** See `Collecting.publishEpoch`. */
export async function publishEpoch(
  state: WorkingState,
  session: Uint8Array,
  { oldest: epoch, beat }: { readonly oldest: number; readonly beat: number },
): Promise<void> {
  const row = await loadLive(state, session);
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
