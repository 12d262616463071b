import type { ThawEvent, ThawReport } from '../../../index.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { countOf, formatCount } from '../../text/format-text.ts';
import { LineQueue } from './line-queue.ts';
import { reportFailures } from './report-failures.ts';

/** Options of `snapshot restore` that are about entries, too. */
export interface RestoreEntriesFlags {
  readonly overwrite?: 'never' | 'changed' | 'always';
  readonly delete?: boolean;
  readonly dryRun?: boolean;
  readonly toPrefix?: string;
  /** False with --no-relations. */
  readonly relations: boolean;
}

function describeReport(report: ThawReport): string {
  const { dryRun, created, replaced, kept, related, deleted, deletionSkipped, bytes, failed } = report;
  const more = [
    ...(kept > 0 ? [`${formatCount(kept)} there already`] : []),
    ...(related > 0 ? [`${formatCount(related)} with another parent`] : []),
    ...(deleted > 0 ? [`${formatCount(deleted)} deleted`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(deletionSkipped ? ['nothing was deleted because something failed'] : []),
  ];
  const what = `${countOf(created + replaced, 'entry', 'entries')} (${formatBytes(bytes)})`;
  return [`${dryRun ? 'would put back' : 'put back'} ${what}`, ...more].join('; ');
}

/** Puts the entries of a snapshot back under their keys, or beside. */
export async function restoreEntries(session: Session, address: string, flags: RestoreEntriesFlags): Promise<void> {
  const { overwrite, dryRun = false, toPrefix, relations } = flags;
  await using store = await session.openStore({ readOnly: dryRun });
  using meter = new ProgressMeter(session, 'restore');
  const lines = new LineQueue(session);
  const { json, verbose } = session.options;
  const onEvent = ({ key, action }: ThawEvent): void => {
    if (action === 'failed' || (action === 'kept' && !json && !verbose)) return;
    lines.add({ action, key }, () => `${action.padEnd(8)}  ${session.shown(key)}`);
  };
  const report = await session.entriesOf(store).snapshots.thaw(address, {
    ...{ dryRun, relations, overwrite, toPrefix, signal: session.signal },
    ...(flags.delete && { delete: true }),
    ...((json || verbose || dryRun) && { onEvent }),
    onProgress: followProgress(meter),
  });
  await lines.written();
  meter.stop();
  reportFailures(session, report);
  const { failures: _, ...summary } = report;
  if (json) session.terminal.note(JSON.stringify({ summary }));
  await session.conclude(describeReport(report));
}
