import { type Command, Option } from 'commander';
import type { SnapshotFailure, Snapshots } from '../../../index.ts';
import { writeFileAtomically } from '../../files/atomic-file.ts';
import { readText } from '../../files/read-text.ts';
import { letContentThrough } from '../../heap.ts';
import { collect } from '../../options.ts';
import { ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { formatCount } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { reportFailures } from './report-failures.ts';

interface ExportFlags {
  readonly output?: string;
  readonly format?: Format;
  /** False with --no-history. */
  readonly history: boolean;
  readonly signature?: readonly string[];
}

const FORMATS = ['tar', 'tar.gz', 'tar.zst', 'snapshot'] as const;
type Format = (typeof FORMATS)[number];
const COMPRESSIONS = { tar: 'none', 'tar.gz': 'gzip', 'tar.zst': 'zstd' } as const;
const ENDINGS: readonly (readonly [string, Format])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.zst', 'tar.zst'],
  ['.tzst', 'tar.zst'],
  ['.snapshot', 'snapshot'],
];
const STDOUT = '-';
/** What is told of those that are refused, at most. */
const FAILURES_KEPT_MAX = 1000;

function formatOf(output: string): Format {
  return ENDINGS.find(([ending]) => output.toLowerCase().endsWith(ending))?.[1] ?? 'tar';
}

/** What cannot be in an archive. */
class Refusals {
  readonly failures: SnapshotFailure[] = [];
  failed = 0;

  add(failure: SnapshotFailure): void {
    this.failed += 1;
    if (this.failures.length < FAILURES_KEPT_MAX) this.failures.push(failure);
  }
}

interface Export {
  readonly snapshots: Snapshots;
  readonly address: string;
  readonly format: Format;
  readonly refusals: Refusals;
}

async function contentOf(session: Session, request: Export, flags: ExportFlags): Promise<AsyncIterable<Uint8Array>> {
  const { snapshots, address, format, refusals } = request;
  const { signal } = session;
  if (format === 'snapshot') {
    const signatures = await Promise.all((flags.signature ?? []).map(readText));
    return snapshots.export(address, { signal, history: flags.history, signatures });
  }
  if (flags.signature || !flags.history)
    throw usageError('--signature and --no-history are about --format snapshot, which can be imported again');
  const onRefused = (failure: SnapshotFailure): void => refusals.add(failure);
  return snapshots.exportTar(address, { signal, compression: COMPRESSIONS[format], onRefused });
}

async function exportSnapshot(session: Session, address: string, flags: ExportFlags): Promise<void> {
  const { output = STDOUT, format = formatOf(output) } = flags;
  if (flags.output === undefined && session.terminal.outputIsTerminal)
    throw usageError('an archive would garble the terminal; use -o FILE');
  letContentThrough('stream out');
  await using store = await session.openStore({ readOnly: true });
  using meter = new ProgressMeter(session, 'export');
  const refusals = new Refusals();
  const { snapshots } = session.entriesOf(store);
  const archive = await contentOf(session, { snapshots, address, format, refusals }, flags);
  if (output === STDOUT) {
    await session.terminal.printContent(archive);
  } else await writeFileAtomically(output, archive, { onBytes: (bytes) => meter.addBytes(bytes) });
  meter.stop();
  reportFailures(session, refusals);
  const { failed } = refusals;
  if (output === STDOUT) return;
  const missing = failed > 0 ? `; PARTIAL: ${formatCount(failed)} cannot be in an archive` : '';
  await session.confirm(
    { path: output, format, bytes: meter.bytes, failed },
    () => `${session.shown(address)} -> ${session.shown(output)}  ${formatBytes(meter.bytes)}${missing}`,
  );
}

/** Defines `holdfast snapshot export`. */
export function addExport(group: Command, session: Session): void {
  group
    .command('export')
    .description('Writes a snapshot, or a path of it, as a tar archive, or as a file for other stores.')
    .argument('<address>', 'the snapshot, or SNAPSHOT:PATH')
    .option('-o, --output <file>', 'file to write; - for standard output')
    .addOption(new Option('--format <format>', "of the archive (default: as the file's name ends)").choices(FORMATS))
    .option('--no-history', 'of the format snapshot: without the snapshots before it')
    .option('--signature <file>', 'of the format snapshot: a signature to go with it; may be repeated', collect)
    .addHelpText(
      'after',
      '\nThe format snapshot holds everything, and is verified when it is imported into another store.' +
        '\n\nExamples:\n  $ holdfast snapshot export photos -o photos.tar.zst' +
        '\n  $ holdfast snapshot export laptop:docs | ssh host tar -x -C docs',
    )
    .action((address: string, flags: ExportFlags) => exportSnapshot(session, address, flags));
}
