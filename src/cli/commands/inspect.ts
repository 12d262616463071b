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

async function inspect(session: Session, file: string, { limit, config }: InspectFlags): Promise<void> {
  const { inspectFile } = await loadLibrary();
  // Never asked for: without keys a file shows what it shows to anybody.
  const keys = await declaredKeys(session);
  const inspection = await inspectFile(file, {
    signal: session.signal,
    ...(limit !== undefined && { limit }),
    ...(config !== undefined && { config }),
    ...(keys !== undefined && { keys }),
  });
  await session.result(inspection, () => describeInspection(inspection));
  session.endWith(STATUS_OF_OUTCOME[inspection.outcome]);
}

const MORE = `
Reads the file alone: no store is opened and nothing is written. Of sealed files it shows what anybody can read; with
--passphrase-file, --key-file or --identity all of it.

Examples:
  $ holdfast inspect .holdfast/packs/1e/432f21d9f08c5a64000000000000001e.0
  $ holdfast inspect .holdfast/holdfast.json --json | jq .config.redundancy

Exit status: 0 all of it is sound, 6 damaged, 9 written by a newer version.`;

/** Defines `holdfast inspect`. */
export function addInspect(program: Command, session: Session): void {
  program
    .command('inspect')
    .summary('show what a file of a store holds')
    .description(
      'Shows what one file of a store holds: a shard or pack, a config, a key page, a message, a .hold file.',
    )
    .argument('<file>', 'path of the file')
    .option('--limit <count>', 'items and journal records to list (default 1000)', parseCount)
    .option('--config <file>', 'config of the store, where it does not lie beside the file or above it')
    .addHelpText('after', MORE)
    .action((file: string, flags: InspectFlags) => inspect(session, file, flags));
}
