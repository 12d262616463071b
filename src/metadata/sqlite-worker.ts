/**
 * Module of the metadata thread: SQLite works here, so that it never blocks the event loop of the store.
 *
 * What the thread loads is what opening a store waits for: formats are imported file by file, because their index
 * brings the validator of the store config, which takes twice as long to load as everything else.
 */
import { invariant } from '../errors/store-error.ts';
import { type ServedCall, serveCalls } from '../runtime/worker-rpc.ts';
import { type OpenSqliteOptions, openSqlMetadata } from './open-sqlite.ts';
import { callMetadata } from './serve-metadata.ts';
import { checkUnused, setAside } from './set-aside-sqlite.ts';
import type { SqlMetadata } from './sql-metadata.ts';

let opened: SqlMetadata | undefined;

async function handle(call: ServedCall): Promise<unknown> {
  if (call.method === 'checkUnused') return checkUnused(call.args[0] as string);
  if (call.method === 'setAside') return setAside(...(call.args as [string, string]));
  if (call.method === 'open') {
    opened = await openSqlMetadata(call.args[0] as OpenSqliteOptions);
    return undefined;
  }
  invariant(opened, 'the metadata is opened first');
  return callMetadata(opened, call);
}

serveCalls(handle);
