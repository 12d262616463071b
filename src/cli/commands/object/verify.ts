import type { Command } from 'commander';
import { EXIT_STATUS } from '../../../errors/codes.ts';
import type { ObjectsVerifyOptions, ObjectVerification } from '../../../index.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { describeVerification } from '../../text/describe-objects.ts';
import { usageError } from '../../usage-error.ts';
import { openToVerify } from '../scrub.ts';

interface VerifyFlags {
  readonly all?: boolean;
  readonly alone?: boolean;
  readonly content: boolean;
  readonly dryRun?: boolean;
}

const STATUS: Readonly<Record<ObjectVerification['outcome'], number>> = {
  ok: 0,
  damaged: EXIT_STATUS.corrupt,
  partial: EXIT_STATUS.unavailable,
};

function optionsOf(address: string | undefined, { all, alone, content }: VerifyFlags): ObjectsVerifyOptions {
  if (address !== undefined && all) throw usageError('give an ADDRESS or --all: one of both');
  if (address === undefined && alone) throw usageError('--alone is about one ADDRESS');
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return {
    content,
    timeZone,
    ...(address !== undefined && { address }),
    ...(all && { all }),
    ...(alone && { alone }),
  };
}

async function verify(session: Session, address: string | undefined, flags: VerifyFlags): Promise<void> {
  const options = optionsOf(address, flags);
  using meter = new ProgressMeter(session, 'verify objects');
  // What is found is listed here; the engine need not tell it too.
  const logger = { ...session.logger(), error: session.logger().debug };
  await using store = await openToVerify(session, { readOnly: flags.dryRun === true, logger });
  const { objects } = session.entriesOf(store);
  const report = await objects.verify({ ...options, signal: session.signal, onProgress: followProgress(meter) });
  meter.stop();
  const text = (): string => describeVerification(report);
  await (report.outcome === 'ok' ? session.confirm(report, text) : session.result(report, text));
  session.endWith(STATUS[report.outcome]);
}

const HELP = `
Exit status: 0 all is well, 6 objects are missing or corrupt, 7 some are on a backend that is away.

Examples:
  $ holdfast object verify                     # all that refs and their histories reach
  $ holdfast object verify photos~1            # one snapshot, and all beneath it
  $ holdfast object verify --all --json | jq -r '.missing[].object, .corrupt[].object'`;

/** Defines `holdfast object verify`. */
export function addObjectVerify(group: Command, session: Session): void {
  group
    .command('verify')
    .summary('read objects and prove that they are what their ids say')
    .description(
      'Reads objects and hashes them anew, and looks whether all that they refer to is there. Goes on past what is ' +
        'missing or corrupt, and tells of each who refers to it.',
    )
    .argument('[address]', 'only what is reachable from there; default: from all refs and their histories')
    .option('--all', 'every object, whether or not something reaches it')
    .option('--alone', 'with ADDRESS: only that object')
    .option('--no-content', 'do not read blobs, only look whether they are there')
    .option('--dry-run', 'do not even flag what is damaged')
    .addHelpText('after', HELP)
    .action((address: string | undefined, flags: VerifyFlags) => verify(session, address, flags));
}
