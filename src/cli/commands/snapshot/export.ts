import { type Command, Option } from 'commander';
import type { SnapshotFailure } from '../../../index.ts';
import { writeFileAtomically } from '../../files/atomic-file.ts';
import { ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { formatCount } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { reportFailures } from './report-failures.ts';

interface ExportFlags {
  readonly output?: string;
  readonly format?: Format;
}

const FORMATS = ['tar', 'tar.gz', 'tar.zst'] as const;
type Format = (typeof FORMATS)[number];
const COMPRESSIONS = { tar: 'none', 'tar.gz': 'gzip', 'tar.zst': 'zstd' } as const;
const ENDINGS: readonly (readonly [string, Format])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.zst', 'tar.zst'],
  ['.tzst', 'tar.zst'],
];
const STDOUT = '-';
/** What is told of those that are refused, at most. */
const FAILURES_KEPT_MAX = 1000;

function formatOf(output: string): Format {
  return ENDINGS.find(([ending]) => output.toLowerCase().endsWith(ending))?.[1] ?? 'tar';
}

async function exportSnapshot(session: Session, address: string, flags: ExportFlags): Promise<void> {
  const { output = STDOUT, format = formatOf(output) } = flags;
  if (flags.output === undefined && session.terminal.outputIsTerminal)
    throw usageError('an archive would garble the terminal; use -o FILE');
  await using store = await session.openStore({ readOnly: true });
  using meter = new ProgressMeter(session, 'export');
  const failures: SnapshotFailure[] = [];
  let failed = 0;
  const archive = session.entriesOf(store).snapshots.exportTar(address, {
    signal: session.signal,
    compression: COMPRESSIONS[format],
    onRefused: (failure) => {
      failed += 1;
      if (failures.length < FAILURES_KEPT_MAX) failures.push(failure);
    },
  });
  if (output === STDOUT) {
    for await (const bytes of archive) await session.terminal.printBytes(bytes);
  } else await writeFileAtomically(output, archive, { onBytes: (bytes) => meter.addBytes(bytes) });
  meter.stop();
  reportFailures(session, { failures, failed });
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
    .description('Writes a snapshot, or a path of it, as a tar archive.')
    .argument('<address>', 'the snapshot, or SNAPSHOT:PATH')
    .option('-o, --output <file>', 'file to write; - for standard output')
    .addOption(new Option('--format <format>', "of the archive (default: as the file's name ends)").choices(FORMATS))
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast snapshot export photos -o photos.tar.zst' +
        '\n  $ holdfast snapshot export laptop:docs | ssh host tar -x -C docs',
    )
    .action((address: string, flags: ExportFlags) => exportSnapshot(session, address, flags));
}
