/** Statements of one connection: prepared there once, and sent without waiting for the answers to those before. */
import type { PoolClient, QueryResult } from 'pg';
import type { DatabaseRequests, SqlParameters, SqlRow, SqlValue, Transaction } from '../database.ts';
import { fromPostgresError } from './postgres-errors.ts';

/** What is counted while statements are sent. */
export type RequestCounts = { -readonly [name in keyof DatabaseRequests]: number };

interface Statement {
  /** Under which a connection has it prepared. */
  readonly name: string;
  readonly text: string;
}

const statements = new Map<string, Statement>();

function prepared(key: string, write: () => string): Statement {
  let statement = statements.get(key);
  if (statement === undefined) {
    statement = { name: `holdfast ${statements.size}`, text: write() };
    statements.set(key, statement);
  }
  return statement;
}

/** `?` for every parameter becomes `$1`, `$2`, …: no text of ours has one of its own. */
function statementOf(sql: string): Statement {
  let count = 0;
  return prepared(sql, () => sql.replaceAll('?', () => `$${++count}`));
}

/** Of arrays of values; none for what has a type of its own in each place, or none at all. */
function arrayTypeOf(values: readonly SqlValue[]): string | undefined {
  if (values.every((value) => value instanceof Uint8Array)) return 'bytea[]';
  if (values.every((value) => typeof value === 'number' || typeof value === 'bigint')) return 'bigint[]';
  return values.every((value) => typeof value === 'string') ? 'text[]' : undefined;
}

const FOUND = 'is_found';

/**
 * A query for many sets of parameters at once, which are columns of arrays there: looking up a thousand rows one by one takes
 * the server five times as long. Each set has its own subquery, so that the first row is the one it would have been.
 */
function batchOf(sql: string, types: readonly string[]): Statement {
  return prepared(`${types.join()} ${sql}`, () => {
    let count = 0;
    const query = sql.replaceAll('?', () => `asked.a${++count}`);
    const arrays = types.map((type, index) => `$${index + 1}::${type}`);
    const names = [...types.map((_, index) => `a${index + 1}`), 'place'];
    return (
      `SELECT answer.* FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS asked(${names.join(', ')}) ` +
      `LEFT JOIN LATERAL (SELECT one.*, 1::bigint AS ${FOUND} FROM (${query}) AS one LIMIT 1) AS answer ON true ` +
      'ORDER BY asked.place'
    );
  });
}

function sent(value: SqlValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.slice().buffer) : value;
}

export class PostgresStatements implements Transaction {
  readonly #connection: PoolClient;
  readonly #counts: RequestCounts;
  /** What was sent ahead; rejects with the first failure of it, as every statement after it then does. */
  #ahead: Promise<unknown> = Promise.resolve();

  constructor(connection: PoolClient, counts: RequestCounts) {
    this.#connection = connection;
    this.#counts = counts;
  }

  /**
   * Sends a command whose answer nobody needs before that of the statement after it, which fails where this one did. The last
   * of a connection may go unanswered.
   */
  ahead(text: string): void {
    this.#sendAhead([this.#connection.query(text)]);
  }

  /** One statement that is not worth preparing. @returns what was done: after a failure, COMMIT rolls back */
  async command(text: string): Promise<string> {
    const [answer] = await this.#answers([() => this.#connection.query(text)]);
    return answer?.command ?? '';
  }

  async all(sql: string, parameters: SqlParameters): Promise<readonly SqlRow[]> {
    const [rows = []] = await this.#sendAll(sql, [parameters]);
    return rows;
  }

  async lookup(sql: string, sets: readonly SqlParameters[]): Promise<readonly (SqlRow | undefined)[]> {
    const columns = (sets[0] ?? []).map((_, index) => sets.map((set) => set[index] ?? null));
    const types = columns.map(arrayTypeOf);
    const isUniform = types.length > 0 && types.every((type) => type !== undefined);
    if (sets.length < 2 || !isUniform) return (await this.#sendAll(sql, sets)).map(([row]) => row);
    const values = columns.map((column) => column.map(sent));
    const query = { ...batchOf(sql, types), values };
    const [answer] = await this.#answers([() => this.#connection.query(query)]);
    return (answer?.rows as SqlRow[]).map(({ [FOUND]: isFound, ...row }) => (isFound === null ? undefined : row));
  }

  /** Sent ahead, too: nothing that a change answers is of use, and where it fails the transaction does. */
  async run(sql: string, sets: readonly SqlParameters[]): Promise<void> {
    const statement = statementOf(sql);
    this.#sendAhead(sets.map((set) => this.#connection.query({ ...statement, values: set.map(sent) })));
  }

  #sendAhead(answers: readonly Promise<QueryResult>[]): void {
    this.#counts.statements += answers.length;
    const [before, settled] = [this.#ahead, Promise.allSettled(answers)];
    // In the order sent: what comes after a failure is told that the transaction is aborted, and often no later than it.
    this.#ahead = before.then(async () => {
      for (const answer of await settled) if (answer.status === 'rejected') throw answer.reason;
    });
    this.#ahead.catch(() => undefined);
  }

  async #sendAll(sql: string, sets: readonly SqlParameters[]): Promise<readonly (readonly SqlRow[])[]> {
    const statement = statementOf(sql);
    const queries = sets.map((set) => () => this.#connection.query({ ...statement, values: set.map(sent) }));
    return (await this.#answers(queries)).map(({ rows }) => rows as SqlRow[]);
  }

  /** @throws the first error, of what was sent ahead too, when all have been answered: the next statement would meet the others */
  async #answers(queries: readonly (() => Promise<QueryResult>)[]): Promise<readonly QueryResult[]> {
    this.#counts.statements += queries.length;
    this.#counts.roundTrips += 1;
    const answers = await Promise.allSettled(queries.map((query) => query()));
    try {
      await this.#ahead;
    } catch (error) {
      throw fromPostgresError(error);
    }
    return answers.map((answer) => {
      if (answer.status === 'rejected') throw fromPostgresError(answer.reason);
      return answer.value;
    });
  }
}
