import path from 'node:path';
import { type Command, Option } from 'commander';
import { storeError } from '../../../errors/store-error.ts';
import type { Entries, SnapshotRestoreOptions, SnapshotRestoreReport } from '../../../index.ts';
import { FolderMaker } from '../../files/folders.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { formatCount } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { describeCounts } from './describe.ts';
import { ownPlaces } from './own-places.ts';
import { reportFailures } from './report-failures.ts';

interface RestoreFlags {
  readonly to?: string;
  readonly inPlace?: string;
  readonly overwrite?: 'never' | 'changed' | 'always';
  readonly delete?: boolean;
  readonly dryRun?: boolean;
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

/** Prints what happens as it happens; what is only kept is of no interest to people. */
function teller(session: Session) {
  const { json, verbose } = session.options;
  let last = Promise.resolve();
  const tell = (event: Event): void => {
    if (event.action === 'failed' || (event.action === 'keep' && !json && !verbose)) return;
    const name = event.path.toString();
    const { action, bytes } = event;
    const size = bytes === undefined ? '' : `  ${formatBytes(bytes)}`;
    last = last.then(() =>
      session.confirm(
        { action, path: name, ...(bytes !== undefined && { bytes }) },
        () => `${action.padEnd(9)}  ${session.shown(name) || '.'}${size}`,
      ),
    );
    // Told when it is waited for.
    last.catch(() => undefined);
  };
  return { tell, told: () => last };
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

async function restore(session: Session, address: string, flags: RestoreFlags): Promise<void> {
  if ((flags.to === undefined) === (flags.inPlace === undefined))
    throw usageError('say where: --to FOLDER for a new place, or --in-place FOLDER for the one the snapshot is of');
  const { dryRun = false, sync, specialModes } = flags;
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { target, overwrite } = await targetOf(session, entries, { address, flags });
  using meter = new ProgressMeter(session, 'restore');
  const { tell, told } = teller(session);
  const { json, verbose } = session.options;
  const report = await entries.snapshots.restore(address, target, {
    ...{ overwrite, dryRun, signal: session.signal, avoid: await ownPlaces(session, store) },
    ...(flags.delete && { delete: true }),
    ...(specialModes && { specialModes }),
    ...(sync && { sync }),
    ...((json || verbose || dryRun) && { onEvent: tell }),
    onProgress: followProgress(meter),
  });
  await told();
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
  $ holdfast snapshot restore laptop --in-place ~ --delete      # exactly as it was`;

/** Defines `holdfast snapshot restore`. */
export function addRestore(group: Command, session: Session): void {
  group
    .command('restore')
    .description('Writes a snapshot, or what lies at a path of it, as files and folders.')
    .argument('<address>', 'the snapshot, or SNAPSHOT:PATH')
    .option('--to <folder>', 'write it there; made where it is not there')
    .option('--in-place <folder>', 'bring this folder back to what it was')
    .addOption(
      new Option(
        '--overwrite <what>',
        'files that are there: refuse, replace where size or time differ, or replace',
      ).choices(['never', 'changed', 'always']),
    )
    .option('--delete', 'remove what the snapshot does not have')
    .option('-n, --dry-run', 'only say what would be done')
    .addOption(new Option('--sync <when>', 'when files are flushed to the disk').choices(['end', 'file', 'none']))
    .option('--special-modes', 'set the bits setuid and setgid, which are left away otherwise')
    .addHelpText('after', HELP)
    .action((address: string, flags: RestoreFlags) => restore(session, address, flags));
}
