/** Statements of one connection: prepared there once, and sent without waiting for the answers to those before. */
import type { PoolClient, QueryResult } from 'pg';
import type { DatabaseRequests, SqlParameters, SqlRow, SqlValue, Transaction } from '../database.ts';
import { arraysOf, type ParameterArrays } from './postgres-arrays.ts';
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

const FOUND = 'is_found';

type Types = ParameterArrays['types'];

/** Arrays as the rows of a table `asked`: what is null in every set has no column there. */
function askedRows(types: Types, place?: 'place'): string {
  const arrays = types.filter((type) => type !== undefined).map((type, index) => `$${index + 1}::${type}`);
  const names = types.flatMap((type, index) => (type === undefined ? [] : [`a${index}`]));
  const [ordinality, columns] = place ? [' WITH ORDINALITY', [...names, place]] : ['', names];
  return `unnest(${arrays.join(', ')})${ordinality} AS asked(${columns.join(', ')})`;
}

/** A text with the columns of `asked` in place of its parameters. */
function overAsked(sql: string, types: Types): string {
  let count = 0;
  return sql.replaceAll('?', () => {
    const index = count++;
    return types[index] === undefined ? 'NULL' : `asked.a${index}`;
  });
}

/**
 * A query for many sets of parameters at once, which are columns of arrays there: looking up a thousand rows one by one takes
 * the server five times as long. Each set has its own subquery, so that the first row is the one it would have been.
 */
function lookupOf(sql: string, types: Types): Statement {
  return prepared(
    `${types.join()} ${sql}`,
    () =>
      `SELECT answer.* FROM ${askedRows(types, 'place')} ` +
      `LEFT JOIN LATERAL (SELECT one.*, 1::bigint AS ${FOUND} FROM (${overAsked(sql, types)}) AS one LIMIT 1) AS answer ` +
      'ON true ORDER BY asked.place',
  );
}

const INSERTED = /^(INSERT INTO .*)VALUES \(([?, ]+)\)/;
const DELETED = /^(DELETE FROM \w+) WHERE (.*)$/;

/**
 * A change for many sets of parameters at once: the rows to insert, or the keys of those to delete, are columns of arrays.
 * @returns `undefined` for a statement that does neither
 */
function changeOf(sql: string, types: Types): Statement | undefined {
  if (!INSERTED.test(sql) && !DELETED.test(sql)) return undefined;
  return prepared(`${types.join()} ${sql}`, () => {
    const rows = askedRows(types);
    return sql
      .replace(INSERTED, (_, into: string, values: string) => `${into}SELECT ${overAsked(values, types)} FROM ${rows}`)
      .replace(DELETED, (_, from: string, where: string) => `${from} USING ${rows} WHERE ${overAsked(where, types)}`);
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
    const arrays = arraysOf(sets);
    if (arrays === undefined) return (await this.#sendAll(sql, sets)).map(([row]) => row);
    const query = { ...lookupOf(sql, arrays.types), values: [...arrays.values] };
    const [answer] = await this.#answers([() => this.#connection.query(query)]);
    return (answer?.rows as SqlRow[]).map(({ [FOUND]: isFound, ...row }) => (isFound === null ? undefined : row));
  }

  /** Sent ahead, too: nothing that a change answers is of use, and where it fails the transaction does. */
  async run(sql: string, sets: readonly SqlParameters[]): Promise<void> {
    const arrays = arraysOf(sets);
    const change = arrays && changeOf(sql, arrays.types);
    if (change) {
      this.#sendAhead([this.#connection.query({ ...change, values: [...arrays.values] })]);
      return;
    }
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
