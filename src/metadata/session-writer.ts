import { invariant } from '../errors/store-error.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ListedSession, SessionRow } from './collection-contract.ts';
import type { Database, Reader, Transaction, Writer } from './database.ts';
import { leaveLease, takeLease } from './leases.ts';
import {
  checkLive,
  endSessions,
  forgetSessions,
  listSessions,
  loadLive,
  openSession,
  publishEpoch,
  type SessionFacts,
} from './sessions.ts';
import type { StoreTables } from './store-tables.ts';
import { WorkingState } from './working-state.ts';

/**
 * Makes changes, from the opening of a session on in its name. Every transaction looks whether the session has ended:
 * whoever was fenced may be in the midst of anything, and somebody else may have gone on with it.
 */
export class SessionWriter implements Writer {
  readonly #database: Database;
  readonly #store: StoreTables;
  readonly #clock: Clock;
  #id: Uint8Array | undefined;

  constructor({ database, store, clock }: { database: Database; store: StoreTables; clock: Clock }) {
    this.#database = database;
    this.#store = store;
    this.#clock = clock;
  }

  /** See `Collecting.openSession`. */
  async open(facts: Omit<SessionFacts, 'beat'>): Promise<Uint8Array> {
    this.#id = await this.changeAnyway(async (state) => {
      const beat = await this.#time(state.transaction);
      return await openSession(state, { ...facts, beat });
    });
    return this.#id;
  }

  /** See `Collecting.publishEpoch`. */
  publish(oldest: number): Promise<void> {
    return this.change(async (state, session) => {
      invariant(session, 'a session is opened before it publishes');
      await publishEpoch(state, session, { oldest, beat: await this.#time(state.transaction) });
    });
  }

  /** See `Collecting.listSessions`. */
  list(): Promise<readonly ListedSession[]> {
    return this.#database.read(async (reader) => {
      const time = await this.#time(reader);
      return (await listSessions(reader, this.#store.tables)).map((row) => listed(row, time));
    });
  }

  /** See `Collecting.endSession`. */
  async end(leaves: boolean): Promise<void> {
    const id = this.#id;
    this.#id = undefined;
    if (!id) return;
    await this.changeAnyway(async (state) => {
      await endSessions(state, [id]);
      if (!leaves) await forgetSessions(state, [id]);
    });
  }

  /** See `Collecting.takeLease`. */
  takeLease(name: string): Promise<ListedSession | undefined> {
    const session = this.#id;
    invariant(session, 'a lease is that of a session');
    return this.write(async (transaction) => {
      const holder = await takeLease(transaction, this.#store.tables, { name, session });
      return holder && listed(holder, await this.#time(transaction));
    });
  }

  /** See `Collecting.leaveLease`. */
  async leaveLease(name: string): Promise<void> {
    const session = this.#id;
    if (session) await this.write((transaction) => leaveLease(transaction, { name, session }));
  }

  /** @throws `closed/SESSION_FENCED`, and what `Database.write` throws */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#database.write(async (transaction) => {
      if (this.#id) await checkLive(transaction, this.#store.tables, this.#id);
      return await work(transaction);
    });
  }

  /**
   * @param work is given the session as it is in this transaction, if there is one
   * @throws as `write`
   */
  change<T>(work: (state: WorkingState, session: SessionRow | undefined) => Promise<T>): Promise<T> {
    return this.changeAnyway(async (state) => work(state, this.#id && (await loadLive(state, this.#id))));
  }

  /**
   * What sessions show that they live by, milliseconds since 1970: the clock of the server where there is one, for those
   * of several machines are hours apart.
   */
  async #time(reader: Reader): Promise<number> {
    const { time } = this.#database.dialect;
    if (time === undefined) return this.#clock.now();
    const [row] = await reader.all(`SELECT ${time} AS time`, []);
    return Number(row?.time);
  }

  /** Whether or not the session has ended. */
  changeAnyway<T>(work: (state: WorkingState) => Promise<T>): Promise<T> {
    return this.#database.write(async (transaction) => work(await WorkingState.begin(transaction, this.#store)));
  }
}

function listed(row: SessionRow, time: number): ListedSession {
  return { ...row, silentMs: Math.max(0, time - row.beat) };
}
