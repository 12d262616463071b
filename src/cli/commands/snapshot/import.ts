import type { Command } from 'commander';
import type { SnapshotImport } from '../../../index.ts';
import { letContentThrough } from '../../heap.ts';
import { collect } from '../../options.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { countOf } from '../../text/format-text.ts';
import { publicLineOf } from '../key/new-slot.ts';
import { readBytes, STDIN } from './create-source.ts';

interface ImportFlags {
  readonly ref: string;
  readonly message?: string;
  readonly signer?: readonly string[];
}

function describeReport(session: Session, report: SnapshotImport, ref: string): string {
  const { id, original, detached, objects, blobs, bytes, newBytes, signatures } = report;
  const what = `${countOf(objects, 'object', 'objects')}, ${countOf(blobs, 'blob', 'blobs')}`;
  return [
    `${id}  ${session.shown(ref)}`,
    `${what}: ${formatBytes(bytes)}, ${formatBytes(newBytes)} new`,
    ...(detached ? [`without its parents, which are not here: it was ${original}`] : []),
    ...signatures.map(
      ({ signer, verified }) => `signed by ${signer}${verified ? '' : ' (not verified: name --signer)'}`,
    ),
  ].join('\n');
}

async function importSnapshot(session: Session, file: string, flags: ImportFlags): Promise<void> {
  const { ref, message } = flags;
  const signers = await Promise.all((flags.signer ?? []).map(publicLineOf));
  if (file === STDIN) session.claimStdin('the snapshot');
  letContentThrough('in');
  await using store = await session.openStore();
  using meter = new ProgressMeter(session, 'import');
  const report = await session.entriesOf(store).snapshots.import(readBytes(file, session.signal), {
    ...{ ref, message, signers, signal: session.signal },
    onProgress: followProgress(meter),
  });
  meter.stop();
  await session.confirm({ ...report, ref }, () => describeReport(session, report, ref));
}

/** Defines `holdfast snapshot import`. */
export function addImport(group: Command, session: Session): void {
  group
    .command('import')
    .description('Takes in the file of a snapshot, made by `export --format snapshot`. Everything is verified.')
    .argument('<file>', 'the file; - for standard input')
    .requiredOption('--ref <name>', 'the ref that moves to it')
    .option('-m, --message <text>', 'what to say of it in the history')
    .option(
      '--signer <file>',
      'who must have signed it: a file with the public line, or the line; may be repeated',
      collect,
    )
    .addHelpText('after', '\nExample:\n  $ holdfast snapshot import photos.snapshot --ref from-ann --signer ann.public')
    .action((file: string, flags: ImportFlags) => importSnapshot(session, file, flags));
}
