import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { Inspection } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { parseCount } from '../options.ts';
import { declaredKeys } from '../secrets/opening.ts';
import type { Session } from '../session.ts';
import { describeInspection } from '../text/describe-inspection.ts';

const STATUS_OF_OUTCOME: Readonly<Record<Inspection['outcome'], number>> = {
  ok: 0,
  damaged: EXIT_STATUS.corrupt,
  unsupported: EXIT_STATUS.unsupported,
};

interface InspectFlags {
  readonly limit?: number;
  readonly config?: string;
}

/** What there is under a path is a file; what cannot be an id was meant to be one. */
function isPath(text: string): boolean {
  return existsSync(text) || !/^(?:[a-z]+:)?[0-9a-f]+$/.test(text);
}

async function look(session: Session, what: string, { limit, config }: InspectFlags): Promise<Inspection> {
  const options = { signal: session.signal, ...(limit !== undefined && { limit }) };
  if (!isPath(what)) {
    await using store = await session.openStore({ readOnly: true });
    return await store.maintenance.inspect(what, options);
  }
  const { inspectFile } = await loadLibrary();
  // Never asked for: without keys a file shows what it shows to anybody.
  const keys = await declaredKeys(session);
  return await inspectFile(what, {
    ...options,
    ...(config !== undefined && { config }),
    ...(keys !== undefined && { keys }),
  });
}

async function inspect(session: Session, what: string, flags: InspectFlags): Promise<void> {
  const inspection = await look(session, what, flags);
  await session.result(inspection, () => describeInspection(inspection));
  session.endWith(STATUS_OF_OUTCOME[inspection.outcome]);
}

const MORE = `
A file is read alone: no store is opened and nothing is written. Of sealed files it shows what anybody can read; with
--passphrase-file, --key-file or --identity all of it. An id, or the beginning of one, is looked up in the store (-s): of
a pack, a chunk, a manifest node or an object; decimal digits are the number of a journal record. pack:, chunk:, manifest:,
object: and journal: before it say which it is.

Examples:
  $ holdfast inspect .holdfast/packs/1e/432f21d9f08c5a64000000000000001e.0
  $ holdfast inspect 432f21d9
  $ holdfast inspect journal:17 --json | jq .record.operations

Exit status: 0 all of it is sound, 6 damaged, 9 written by a newer version.`;

/** Defines `holdfast inspect`. */
export function addInspect(program: Command, session: Session): void {
  program
    .command('inspect')
    .summary('show what a file, or what an id names, holds')
    .description(
      'Shows what one file of a store holds (a shard or pack, a config, a key page, a message, a .hold file), or what the ' +
        'store holds under an id.',
    )
    .argument('<file|id>', 'path of a file, or an id or the beginning of one')
    .option('--limit <count>', 'items and journal records to list (default 1000)', parseCount)
    .option('--config <file>', 'of a file: config of its store, where it does not lie beside the file or above it')
    .addHelpText('after', MORE)
    .action((what: string, flags: InspectFlags) => inspect(session, what, flags));
}
