import path from 'node:path';
import { type Command, Option } from 'commander';
import { storeError } from '../../../errors/store-error.ts';
import type { Entries, SnapshotRestoreOptions, SnapshotRestoreReport } from '../../../index.ts';
import { FolderMaker } from '../../files/folders.ts';
import { letContentThrough } from '../../heap.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { formatCount } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { describeCounts } from './describe.ts';
import { LineQueue } from './line-queue.ts';
import { ownPlaces } from './own-places.ts';
import { reportFailures } from './report-failures.ts';
import { type RestoreEntriesFlags, restoreEntries } from './restore-entries.ts';

interface RestoreFlags extends RestoreEntriesFlags {
  readonly entries?: boolean;
  readonly to?: string;
  readonly inPlace?: string;
  readonly sync?: 'end' | 'file' | 'none';
  readonly specialModes?: boolean;
}

type Event = Parameters<NonNullable<SnapshotRestoreOptions['onEvent']>>[0];

/** Where what an address leads to belongs below the folder that the snapshot is of. */
async function placeIn(session: Session, entries: Entries, { address, folder, dryRun }: PlaceOptions): Promise<string> {
  const { child } = await entries.objects.find(address, { signal: session.signal });
  if (!child) return folder;
  const names = address
    .slice(address.indexOf(':') + 1)
    .split('/')
    .filter((name) => name !== '');
  const above = child.type === 'folder' ? names : names.slice(0, -1);
  if (above.some((name) => name === '.' || name === '..' || name.includes(path.sep)))
    throw storeError('PATH_UNSAFE', `${address}: the path leads out of ${folder}`, { details: { path: address } });
  if (dryRun) return path.join(folder, ...above);
  const folders = new FolderMaker(folder);
  await folders.makeRoot();
  return await folders.make(above);
}

interface PlaceOptions {
  readonly address: string;
  readonly folder: string;
  readonly dryRun: boolean;
}

async function targetOf(session: Session, entries: Entries, request: { address: string; flags: RestoreFlags }) {
  const { address, flags } = request;
  const { to, inPlace, dryRun = false } = flags;
  if (to !== undefined) return { target: to, overwrite: flags.overwrite ?? 'never' };
  const target = await placeIn(session, entries, { address, folder: inPlace as string, dryRun });
  return { target, overwrite: flags.overwrite ?? 'changed' };
}

/** What is only kept is of no interest to people. */
function teller(session: Session, lines: LineQueue): (event: Event) => void {
  const { json, verbose } = session.options;
  return ({ action, path: bytesOfPath, bytes }) => {
    if (action === 'failed' || (action === 'keep' && !json && !verbose)) return;
    const name = bytesOfPath.toString();
    const size = bytes === undefined ? '' : `  ${formatBytes(bytes)}`;
    const value = { action, path: name, ...(bytes !== undefined && { bytes }) };
    lines.add(value, () => `${action.padEnd(9)}  ${session.shown(name) || '.'}${size}`);
  };
}

function describeReport(session: Session, report: SnapshotRestoreReport): string {
  const { dryRun, bytes, target, unchanged, removed, removalSkipped, failed } = report;
  const more = [
    ...(unchanged > 0 ? [`${formatCount(unchanged)} there already`] : []),
    ...(removed > 0 ? [`${formatCount(removed)} removed`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(removalSkipped ? ['nothing was removed because something failed'] : []),
  ];
  const what = `${describeCounts(report)} (${formatBytes(bytes)}) to ${session.shown(target)}`;
  return `${[`${dryRun ? 'would restore' : 'restored'} ${what}`, ...more].join('; ')}`;
}

function checkRestore(flags: RestoreFlags): void {
  if (flags.entries) {
    if (flags.to !== undefined || flags.inPlace !== undefined || flags.sync || flags.specialModes)
      throw usageError('--entries puts entries back: no folder, --sync and --special-modes go with it');
    return;
  }
  if (flags.toPrefix !== undefined || !flags.relations)
    throw usageError('--to-prefix and --no-relations are about --entries');
  if ((flags.to === undefined) === (flags.inPlace === undefined))
    throw usageError('say where: --to FOLDER for a new place, or --in-place FOLDER for the one the snapshot is of');
}

async function restore(session: Session, address: string, flags: RestoreFlags): Promise<void> {
  checkRestore(flags);
  if (flags.entries) return restoreEntries(session, address, flags);
  letContentThrough('files out');
  const { dryRun = false, sync, specialModes } = flags;
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { target, overwrite } = await targetOf(session, entries, { address, flags });
  using meter = new ProgressMeter(session, 'restore');
  const lines = new LineQueue(session);
  const { json, verbose } = session.options;
  const report = await entries.snapshots.restore(address, target, {
    ...{ overwrite, dryRun, signal: session.signal, avoid: await ownPlaces(session, store) },
    ...(flags.delete && { delete: true }),
    ...(specialModes && { specialModes }),
    ...(sync && { sync }),
    ...((json || verbose || dryRun) && { onEvent: teller(session, lines) }),
    onProgress: followProgress(meter),
  });
  await lines.written();
  meter.stop();
  reportFailures(session, report);
  const { failures: _, ...summary } = report;
  if (session.options.json) session.terminal.note(JSON.stringify({ summary }));
  await session.conclude(describeReport(session, report));
}

const HELP = `
--to writes beside whatever is there and replaces nothing (unless --overwrite says so): into a new or empty folder.
--in-place takes the folder the snapshot is of, replaces what differs, and puts a path where it belongs in there.
Every file is verified before it gets its name. Nothing is written through symbolic links, nor outside of the folder.
What fails is told, the rest is restored, and the exit status is that of the first failure.

Examples:
  $ holdfast snapshot restore photos --to photos-again
  $ holdfast snapshot restore laptop@{yesterday}:docs/plan.odt --to .
  $ holdfast snapshot restore laptop:docs --in-place ~ --dry-run
  $ holdfast snapshot restore laptop --in-place ~ --delete      # exactly as it was
  $ holdfast snapshot restore reports~1 --entries --to-prefix old-reports/`;

/** Defines `holdfast snapshot restore`. */
export function addRestore(group: Command, session: Session): void {
  group
    .command('restore')
    .description('Writes a snapshot, or what lies at a path of it, as files and folders; or puts its entries back.')
    .argument('<address>', 'the snapshot, or SNAPSHOT:PATH')
    .option('--to <folder>', 'write it there; made where it is not there')
    .option('--in-place <folder>', 'bring this folder back to what it was')
    .addOption(
      new Option('--overwrite <what>', 'what is there: refuse, replace where size or time differ, or replace').choices([
        'never',
        'changed',
        'always',
      ]),
    )
    .option('--delete', 'remove what the snapshot does not have')
    .option('-n, --dry-run', 'only say what would be done')
    .addOption(new Option('--sync <when>', 'when files are flushed to the disk').choices(['end', 'file', 'none']))
    .option('--special-modes', 'set the bits setuid and setgid, which are left away otherwise')
    .option('--entries', 'put entries back as entries, from a snapshot of them')
    .option('--to-prefix <prefix>', 'with --entries: what their keys begin with instead of what they began with')
    .option('--no-relations', 'with --entries: not their parents')
    .addHelpText('after', HELP)
    .action((address: string, flags: RestoreFlags) => restore(session, address, flags));
}
