import type { PoolClient } from 'pg';
import { describe, expect, it } from 'vitest';
import { PostgresStatements } from './postgres-statements.ts';

/** A connection on which all statements from one on fail, all told of at once: the first of them with its reason. */
function failingFrom(failing: number): PoolClient {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const query = async (): Promise<unknown> => {
    sent += 1;
    const number = sent;
    if (number === 4) resolve();
    await promise;
    if (number < failing) return { rows: [], command: '' };
    const code = number === failing ? '25006' : '25P02';
    throw Object.assign(new Error(`statement ${number}`), { code });
  };
  return { query } as unknown as PoolClient;
}

describe('statements that are sent ahead', () => {
  it.each([1, 2, 3, 4])('fail with the reason of the first of them that failed: %d', async (failing) => {
    const statements = new PostgresStatements(failingFrom(failing), { statements: 0, roundTrips: 0, connections: 0 });
    statements.ahead('BEGIN');
    await statements.run('INSERT', [[1]]);
    await statements.run('UPDATE', [[2]]);
    await expect(statements.all('SELECT', [])).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(statements.command('COMMIT')).rejects.toMatchObject({ code: expect.any(String) });
  });
});
