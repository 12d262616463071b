import type { Command } from 'commander';
import { EXIT_STATUS } from '../../../errors/codes.ts';
import type { ProgressOptions, RebalanceReport, Store } from '../../../index.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { countOf } from '../../text/format-text.ts';
import { problemLines } from '../../text/problem-lines.ts';
import { warnOfPlacement } from './new-backends.ts';

interface RebalanceFlags {
  readonly redundancy?: string;
  readonly exact?: boolean;
  readonly dryRun?: boolean;
}

function describeRebalance(report: RebalanceReport, done: string | undefined): string {
  const { dryRun, shardsMoved, bytesMoved, packsRewritten, bytesRewritten } = report;
  const [move, write] = dryRun ? ['would move', 'write'] : ['moved', 'wrote'];
  const moved = `${move} ${countOf(shardsMoved, 'shard', 'shards')}, ${formatBytes(bytesMoved)}`;
  const rewritten = `${write} ${countOf(packsRewritten, 'pack', 'packs')} anew, ${formatBytes(bytesRewritten)}`;
  const lines = [`${moved}; ${rewritten}`, ...problemLines(report.problems, report.problemCount)];
  if (report.outcome === 'partial') lines.push('PARTIAL: run it again when what is in the way is gone');
  else if (!dryRun && done !== undefined) lines.push(done);
  return lines.join('\n');
}

/**
 * Runs what moves shards, with progress, and tells what became of it. Ends with 7 when something was left.
 * @param job.done said when all is done
 */
export async function tellRebalance(
  session: Session,
  job: {
    readonly work: (store: Store, options: ProgressOptions) => Promise<RebalanceReport>;
    readonly done?: string;
    readonly warns?: boolean;
  },
): Promise<void> {
  await using store = await session.openStore();
  using meter = new ProgressMeter(session, 'move');
  const report = await job.work(store, { signal: session.signal, onProgress: followProgress(meter) });
  meter.stop();
  await session.result(report, () => describeRebalance(report, job.done));
  if (job.warns) await warnOfPlacement(session, store);
  if (report.outcome === 'partial') session.endWith(EXIT_STATUS.unavailable);
}

const EXAMPLES = `
Without --redundancy shards move to where they would go today: onto backends that were added, off those that drain.
Keys, versions and digests of entries stay. Stopped, it goes on where it was.

Examples:
  $ holdfast backend rebalance --redundancy 3+2      from now on, and for what is stored
  $ holdfast backend rebalance --dry-run

Exit status 7 when something could not be moved, and the report says what.`;

/** Defines `holdfast backend rebalance`. */
export function addRebalance(group: Command, session: Session): void {
  group
    .command('rebalance')
    .description('Brings shards to where they would go now, and packs to the redundancy they would have now.')
    .option('--redundancy <k+m>', 'from now on: none, minimal, personal, federation, paranoid, or k+m such as 3+2')
    .option('--exact', 'also write packs anew that bear more losses than that, or are cut otherwise')
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', EXAMPLES)
    .action((flags: RebalanceFlags) =>
      tellRebalance(session, {
        work: (store, options) => store.backends.rebalance({ ...options, ...flags }),
        warns: true,
      }),
    );
}
