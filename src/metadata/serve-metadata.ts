/** Calls of another thread on the metadata that is open in this one. */
import { invariant } from '../errors/store-error.ts';
import type { ServedCall } from '../runtime/worker-rpc.ts';
import { encodeError } from '../runtime/worker-wire.ts';
import type { CommitRequest, EntryQuery, FlushedJournal, RequestOutcome } from './contract.ts';
import type { ItemKind } from './rows.ts';
import type { SqlMetadata } from './sql-metadata.ts';

function toWire(outcome: RequestOutcome): unknown {
  return outcome.ok ? outcome : { ok: false, error: encodeError(outcome.error) };
}

/** Answers what `ThreadedMetadata` asks. */
export async function callMetadata(
  metadata: SqlMetadata,
  { method, args, signal, progress }: ServedCall,
): Promise<unknown> {
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
