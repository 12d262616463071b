/**
 * Module of the metadata thread: SQLite works here, so that it never blocks the event loop of the store.
 *
 * What the thread loads is what opening a store waits for: formats are imported file by file, because their index
 * brings the validator of the store config, which takes twice as long to load as everything else.
 */
import { invariant } from '../errors/store-error.ts';
import { type ServedCall, serveCalls } from '../runtime/worker-rpc.ts';
import { encodeError } from '../runtime/worker-wire.ts';
import type { CommitRequest, EntryQuery, FlushedJournal, RequestOutcome } from './contract.ts';
import { type OpenSqliteOptions, openSqlMetadata } from './open-sqlite.ts';
import type { ItemKind } from './rows.ts';
import { checkUnused, setAside } from './set-aside-sqlite.ts';
import type { SqlMetadata } from './sql-metadata.ts';

let opened: SqlMetadata | undefined;

function toWire(outcome: RequestOutcome): unknown {
  return outcome.ok ? outcome : { ok: false, error: encodeError(outcome.error) };
}

async function callMetadata(metadata: SqlMetadata, { method, args, signal, progress }: ServedCall): Promise<unknown> {
  const options = signal && { signal };
  switch (method) {
    case 'locate':
      return metadata.locate(args[0] as ItemKind, args[1] as Uint8Array, options);
    case 'listEntries':
      return metadata.listEntries(args[0] as EntryQuery, options);
    case 'reseal':
      return metadata.reseal({ ...options, lastEpoch: args[0] as number });
    case 'check':
      return metadata.check({ ...options, progress });
    case 'commit': {
      const [requests, flushed] = args as [readonly CommitRequest[], readonly FlushedJournal[]];
      return (await metadata.commit(requests, flushed)).map(toWire);
    }
    default: {
      const call: unknown = Reflect.get(metadata, method);
      invariant(typeof call === 'function', `the metadata has a method ${method}`);
      return Reflect.apply(call, metadata, args);
    }
  }
}

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
