import path from 'node:path';
import type { Command } from 'commander';
import { isStoreError } from '../../../errors/store-error.ts';
import type { Entries, RefInfo, SnapshotOptions, SnapshotReport, Store } from '../../../index.ts';
import { letContentThrough } from '../../heap.ts';
import { collect, collectAttribute } from '../../options.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { countOf, formatCount, formatDuration } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { type CreateFlags, checkCreate, defaultRef, sourceOf } from './create-source.ts';
import { describeCounts, SKIP_REASONS } from './describe.ts';
import { ownPlaces } from './own-places.ts';
import { preview } from './preview.ts';
import { reportFailures } from './report-failures.ts';

/** Read unless --exclude-file names others. */
const EXCLUDE_FILE = '.holdfastignore';

interface Target {
  readonly ref: string;
  readonly before: RefInfo | undefined;
}

/** The ref that will move. A name that was not typed must be possible, and must not mean something else already. */
async function targetOf(
  session: Session,
  entries: Entries,
  { folder, flags }: { readonly folder: string | undefined; readonly flags: CreateFlags },
): Promise<Target> {
  const ref = flags.ref ?? defaultRef(folder);
  try {
    const before = await entries.refs.get(ref, { signal: session.signal });
    if (before && before.type !== 'snapshot')
      throw usageError(`the ref ${ref} names a ${before.type}, no snapshot; name another one with --ref`);
    return { ref, before };
  } catch (error) {
    if (flags.ref !== undefined || !isStoreError(error, 'REF_INVALID')) throw error;
    throw usageError(`${error.message}; say what to call the series with --ref NAME`);
  }
}

async function optionsOf(session: Session, store: Store, flags: CreateFlags): Promise<SnapshotOptions> {
  const { message, metadata, parent, exclude, oneFileSystem, cache, reread } = flags;
  return {
    signal: session.signal,
    avoid: await ownPlaces(session, store),
    excludeFiles: flags.excludeFile ?? [EXCLUDE_FILE],
    ...(cache && { statCache: path.join(session.rollbackGuard, 'stat-cache') }),
    ...(message !== undefined && { message }),
    ...(metadata && { metadata }),
    ...(parent !== undefined && { parent }),
    ...(exclude && { excludes: exclude }),
    ...(oneFileSystem && { oneFileSystem }),
    ...(reread && { reread }),
  };
}

function describeSkipped(skipped: Readonly<Record<string, number>>): string {
  return Object.entries(skipped)
    .map(([reason, count]) => `${formatCount(count)} ${SKIP_REASONS[reason] ?? reason}`)
    .join(', ');
}

function describeReport(report: SnapshotReport, { ref, before }: Target, meter: ProgressMeter): string {
  const { id, content, files, bytes, newBytes, storedBytes, skipped, failed } = report;
  const ofFiles = content.tree !== undefined;
  const counts = ofFiles
    ? describeCounts(report)
    : content.entries !== undefined
      ? countOf(files, 'entry', 'entries')
      : countOf(files, 'bundle', 'bundles');
  const unchanged = ofFiles ? report.unchanged : 0;
  const seconds = meter.elapsedSeconds;
  const time = seconds >= 1 ? ` in ${formatDuration(seconds)}` : '';
  const sizes = `${formatBytes(bytes)}, ${formatBytes(newBytes)} new, ${formatBytes(storedBytes)} stored`;
  return [
    `${id}  ${ref}${before?.id === id ? '  (as before)' : ''}`,
    `${counts}: ${sizes}${time}`,
    ...(unchanged > 0 ? [`${countOf(unchanged, 'file', 'files')} not read again`] : []),
    ...(Object.keys(skipped).length > 0 ? [`left out: ${describeSkipped(skipped)}`] : []),
    ...(failed > 0 ? [`PARTIAL: ${formatCount(failed)} failed and are not in it`] : []),
  ].join('\n');
}

async function create(session: Session, folder: string | undefined, flags: CreateFlags): Promise<void> {
  checkCreate(folder, flags);
  letContentThrough('in');
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const entries = session.entriesOf(store);
  const target = await targetOf(session, entries, { folder, flags });
  const options = await optionsOf(session, store, flags);
  if (flags.dryRun && folder !== undefined) return await preview(session, folder, options);
  const source = await sourceOf(session, entries, { folder, flags });
  using meter = new ProgressMeter(session, 'snapshot');
  const { ref } = target;
  const report = await entries.snapshots.create(source, { ...options, ref, onProgress: followProgress(meter) });
  meter.stop();
  // Each of them is told by itself.
  const { failures: _, ...result } = report;
  await session.confirm({ ...result, ref, previous: target.before?.id ?? null }, () =>
    describeReport(report, target, meter),
  );
  reportFailures(session, report);
}

const HELP = `
The ref is named after the folder unless --ref says otherwise ("main" where there is none), and moves from snapshot to
snapshot: its history is the series. Two folders of one name need a --ref each.

What is kept: content, names of any bytes, permissions, times to the nanosecond, empty folders, symbolic and hard
links, holes. Not: owners, extended attributes. A file whose size, times and inode are as they were is not read again.
Of entries, content, attributes and relations are kept as they are now, and no bytes are copied.
A file that cannot be read is told and left out: the snapshot is made all the same, and the exit status is that of the
first failure.

Examples:
  $ holdfast snapshot create photos
  $ holdfast snapshot create . --ref laptop -m 'before the update' -x node_modules -x '*.log'
  $ ssh host tar -c /etc | holdfast snapshot create --tar - --ref host/etc
  $ holdfast snapshot create --prefix reports/ --ref reports`;

/** Defines `holdfast snapshot create`. */
export function addCreate(group: Command, session: Session): void {
  group
    .command('create')
    .description(
      'Stores a folder, what is in an archive, entries or bundles as a snapshot. What is stored already costs nothing.',
    )
    .argument('[folder]', 'the folder')
    .option('--tar <file>', 'a tar archive instead, plain or compressed with gzip or zstd; - for standard input')
    .option('-p, --prefix <prefix>', 'entries whose keys begin so, instead; an empty one: all')
    .option('--bundle <address>', 'a bundle instead; may be repeated, and keeps its order', collect)
    .option('--ref <name>', "the series: the ref that moves to the snapshot (default: the folder's name)")
    .option('-m, --message <text>', 'what to say of it in the history')
    .option('--metadata <name=value>', 'kept in the snapshot, and part of its id; may be repeated', collectAttribute)
    .option('--parent <address>', 'the snapshot this one comes from, kept with it')
    .option('-x, --exclude <pattern>', 'leave out what matches, as in .gitignore; may be repeated', collect)
    .option('--exclude-file <name>', `files of this name hold such patterns (default: ${EXCLUDE_FILE})`, collect)
    .option('--one-file-system', 'leave out what other file systems are mounted on')
    .option('-n, --dry-run', 'only walk through the folder, and say what would be stored')
    .option('--reread', 'read every file, also those that are as they were')
    .option('--no-cache', 'read every file, and remember nothing of them')
    .addHelpText('after', HELP)
    .action((folder: string | undefined, flags: CreateFlags) => create(session, folder, flags));
}
