import { invariant } from '../errors/store-error.ts';
import type { SessionRow } from './collection-contract.ts';
import type { Database, Transaction, Writer } from './database.ts';
import { leaveLease, takeLease } from './leases.ts';
import {
  checkLive,
  endSessions,
  forgetSessions,
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
  #id: Uint8Array | undefined;

  constructor(database: Database, store: StoreTables) {
    this.#database = database;
    this.#store = store;
  }

  /** See `Collecting.openSession`. */
  async open(facts: SessionFacts): Promise<Uint8Array> {
    this.#id = await this.changeAnyway((state) => openSession(state, facts));
    return this.#id;
  }

  /** See `Collecting.publishEpoch`. */
  publish(news: { readonly oldest: number; readonly beat: number }): Promise<void> {
    return this.change(async (state, session) => {
      invariant(session, 'a session is opened before it publishes');
      await publishEpoch(state, session, news);
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
  takeLease(name: string): Promise<SessionRow | undefined> {
    const session = this.#id;
    invariant(session, 'a lease is that of a session');
    return this.write((transaction) => takeLease(transaction, this.#store.tables, { name, session }));
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

  /** Whether or not the session has ended. */
  changeAnyway<T>(work: (state: WorkingState) => Promise<T>): Promise<T> {
    return this.#database.write(async (transaction) => work(await WorkingState.begin(transaction, this.#store)));
  }
}
