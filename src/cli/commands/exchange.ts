import { type Command, InvalidArgumentError, Option } from 'commander';
import type {
  ChunkstoreDifference,
  ChunkstoreExportItem,
  ChunkstoreExportReport,
  ChunkstoreImportItem,
  ChunkstoreImportReport,
} from '../../index.ts';
import { withPrefix } from '../files/source-name.ts';
import { loadLibrary } from '../library.ts';
import { parseBytes } from '../options.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount } from '../text/format-text.ts';

interface ImportFlags {
  readonly prefix?: string;
  readonly dryRun?: boolean;
  readonly replace?: boolean;
  readonly chunking?: string;
}

interface ExportFlags {
  readonly prefix?: string;
  readonly chunkSize?: number | 'entry';
}

/** Differences that a screen holds; --json has up to 1,000. */
const DIFFERENCES_SHOWN_MAX = 30;

const MEANINGS: Readonly<Record<ChunkstoreDifference['kind'], string>> = {
  'index-missing': 'the index is missing',
  'index-corrupt': 'the index is damaged',
  'index-lacks': 'not in the index',
  'index-extra': 'in the index, but not there',
  'index-spelling': 'spelled otherwise in the index',
  'count-missing': 'the count is missing',
  'count-corrupt': 'the count is damaged',
  'count-wrong': 'the count is wrong',
  'count-extra': 'counted, but no manifest lists it',
  'chunk-unlisted': 'a chunk that no manifest lists',
  'file-unknown': 'no part of a chunkstore',
};

/** What comes before the ids: names lie below the prefix, with exactly one `/` between. */
function keyPrefix(prefix: string | undefined): { readonly prefix?: string } {
  return prefix ? { prefix: withPrefix(prefix, '') } : {};
}

function noteDifferences(session: Session, { differences, differenceCount }: ChunkstoreImportReport): void {
  const { json, quiet } = session.options;
  if (quiet) return;
  const shown = json ? differences : differences.slice(0, DIFFERENCES_SHOWN_MAX);
  for (const difference of shown) {
    const { kind, path, expected, actual } = difference;
    const values = expected === undefined || actual === undefined ? '' : `: ${actual} instead of ${expected}`;
    const text = `holdfast: ${escapeControls(path)}: ${MEANINGS[kind]}${escapeControls(values)}`;
    session.terminal.note(json ? JSON.stringify({ difference }) : text);
  }
  const rest = differenceCount - shown.length;
  if (rest > 0 && !json) session.terminal.note(`holdfast: and ${formatCount(rest)} more`);
}

async function tellImported(session: Session, item: ChunkstoreImportItem): Promise<void> {
  if (item.status === 'failed') {
    session.report(item.error);
    return;
  }
  const { key, size = 0, status } = item;
  const same = status === 'same' ? '  (is there already)' : '';
  const text = (): string => `${session.shown(key)}  ${formatBytes(size)}${same}`;
  if (session.options.json || session.options.verbose) await session.confirm(item, text);
}

async function importChunkstore(session: Session, folder: string, flags: ImportFlags): Promise<void> {
  const { dryRun = false, replace = false, chunking } = flags;
  const library = await loadLibrary();
  await using store = await session.openStore({ readOnly: dryRun });
  using meter = new ProgressMeter(session, 'import');
  const report = await library.importChunkstore(session.entriesOf(store), folder, {
    ...keyPrefix(flags.prefix),
    ...(chunking !== undefined && { chunking }),
    dryRun,
    replace,
    signal: session.signal,
    onProgress: followProgress(meter),
    onItem: (item) => tellImported(session, item),
  });
  meter.stop();
  noteDifferences(session, report);
  const { files, imported, same, failed, bytes, newBytes, storedBytes, differenceCount } = report;
  const summary = { files, imported, same, failed, bytes, newBytes, storedBytes, differences: differenceCount };
  if (session.options.json) session.terminal.note(JSON.stringify({ summary: { ...summary, dryRun } }));
  const counts = `${formatCount(same)} there already, ${formatCount(failed)} failed`;
  const sizes = dryRun ? formatBytes(bytes) : `${formatBytes(bytes)}, ${formatBytes(newBytes)} new`;
  const verb = dryRun ? 'would import' : 'imported';
  await session.conclude(`${verb} ${countOf(imported, 'entry', 'entries')}, ${counts}: ${sizes}`);
}

interface ObjectsFlags {
  readonly numbers: 'exact' | 'text';
  readonly map?: string;
}

async function importObjects(session: Session, folder: string, flags: ObjectsFlags): Promise<void> {
  const library = await loadLibrary();
  await using store = await session.openStore();
  using meter = new ProgressMeter(session, 'import');
  const report = await library.importSnapshotStore(session.entriesOf(store), folder, {
    numbers: flags.numbers,
    ...(flags.map !== undefined && { mapFile: flags.map }),
    signal: session.signal,
    onProgress: followProgress(meter),
  });
  meter.stop();
  for (const { error } of report.failures) session.report(error);
  for (const difference of report.differences.slice(0, DIFFERENCES_SHOWN_MAX)) {
    if (session.options.json) session.terminal.note(JSON.stringify({ difference }));
    else if (!session.options.quiet)
      session.terminal.note(`holdfast: ${difference.id}: ${difference.kind} is not as it was`);
  }
  const { objects, refs, failed, differenceCount } = report;
  const summary = { objects, refs, failed, differences: differenceCount };
  if (session.options.json) session.terminal.note(JSON.stringify({ summary }));
  const count = Object.values(objects).reduce((sum, one) => sum + one, 0);
  const rest = `${countOf(refs, 'ref', 'refs')}, ${formatCount(failed)} failed`;
  await session.conclude(`imported ${countOf(count, 'object', 'objects')}, ${rest}`);
}

async function tellExported(session: Session, item: ChunkstoreExportItem): Promise<void> {
  if (item.status === 'failed') {
    session.report(item.error);
    return;
  }
  const text = (): string => `${session.shown(item.key)}  ${formatBytes(item.size ?? 0)}`;
  if (session.options.json || session.options.verbose) await session.confirm(item, text);
}

async function exportChunkstore(session: Session, folder: string, flags: ExportFlags): Promise<void> {
  const library = await loadLibrary();
  await using store = await session.openStore({ readOnly: true });
  using meter = new ProgressMeter(session, 'export');
  const report: ChunkstoreExportReport = await library.exportChunkstore(session.entriesOf(store), folder, {
    ...keyPrefix(flags.prefix),
    ...(flags.chunkSize !== undefined && { chunkBytes: flags.chunkSize }),
    signal: session.signal,
    onProgress: followProgress(meter),
    onItem: (item) => tellExported(session, item),
  });
  meter.stop();
  const { failures: _, ...summary } = report;
  if (session.options.json) session.terminal.note(JSON.stringify({ summary }));
  const { exported, failed, bytes, chunks, chunkBytes } = report;
  const sizes = `${formatBytes(bytes)} in ${countOf(chunks, 'chunk', 'chunks')} of ${formatBytes(chunkBytes)}`;
  await session.conclude(`exported ${countOf(exported, 'entry', 'entries')}, ${formatCount(failed)} failed: ${sizes}`);
}

function parseChunkSize(text: string): number | 'entry' {
  if (text === 'entry') return text;
  try {
    return parseBytes(text);
  } catch {
    throw new InvalidArgumentError('It must be a size such as 500, 64KiB or 4MiB, or "entry".');
  }
}

/** Defines `holdfast import` and `holdfast export`, with a command for each system. */
export function addExchange(program: Command, session: Session): void {
  const importing = program
    .command('import')
    .summary('take over what other systems hold')
    .description('Takes over what another system holds. Its folder is only read; everything is verified on the way.')
    .helpCommand(false);
  importing
    .command('chunkstore')
    .description('Makes every file of a chunkstore folder an entry. Run again, it goes on where it was.')
    .argument('<folder>', 'the folder: with _manifest in it')
    .option('-p, --prefix <prefix>', 'put every file id below this name')
    .option('--replace', 'replace entries that hold something else (otherwise exit 4)')
    .option('--chunking <spec>', 'how to cut; "given" keeps the chunks as they are (default: as the store cuts)')
    .option('-n, --dry-run', 'only read and verify')
    .addHelpText('after', '\nA file that is damaged is reported (exit 6), and the others are imported.')
    .action((folder: string, flags: ImportFlags) => importChunkstore(session, folder, flags));
  importing
    .command('snapshot-store')
    .description('Makes every object of a snapshot-store folder an object, and its names refs. Can be run again.')
    .argument('<folder>', 'the folder: with objects and snapshots in it')
    .addOption(
      new Option('--numbers <how>', 'integers beyond 2^53: refuse the object, or keep them as text')
        .choices(['exact', 'text'])
        .default('exact'),
    )
    .option('--map <file>', 'write which old id became which new one: JSON, one object a line')
    .addHelpText(
      'after',
      '\nAn object that is damaged is reported with those that refer to it; the others are imported.',
    )
    .action((folder: string, flags: ObjectsFlags) => importObjects(session, folder, flags));
  const exporting = program
    .command('export')
    .summary('write entries for other systems')
    .description('Writes entries in the layout of another system, unsealed, into a new folder.')
    .helpCommand(false);
  exporting
    .command('chunkstore')
    .description('Writes entries as a chunkstore folder. Run again after an interruption, it goes on where it was.')
    .argument('<folder>', 'an empty or absent folder')
    .option('-p, --prefix <prefix>', 'only entries below this name, which is left away')
    .option(
      '--chunk-size <size>',
      'bytes of a chunk, or "entry" for those of each entry (default: 4MiB)',
      parseChunkSize,
    )
    .addHelpText('after', '\nA key that is no file id there (a beside a/b, .., backslash) is reported (exit 2).')
    .action((folder: string, flags: ExportFlags) => exportChunkstore(session, folder, flags));
}
