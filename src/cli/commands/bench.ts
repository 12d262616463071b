import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { BenchReport, BenchTarget } from '../../bench/index.ts';
import { fileError } from '../file-error.ts';
import { parseBytes } from '../options.ts';
import type { Session } from '../session.ts';
import { describeBench } from '../text/describe-bench.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { usageError } from '../usage-error.ts';

interface BenchFlags {
  readonly in?: string;
  readonly seconds: number;
  readonly bytes: number;
}

const SECONDS_DEFAULT = 1;
const SECONDS_MAX = 600;
const BYTES_DEFAULT = 64 * 1024 ** 2;
/** The content is made up in memory before the clock starts. */
const BYTES_MAX = 1024 ** 3;

function parseSeconds(text: string): number {
  const seconds = /^\d{1,3}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= SECONDS_MAX)) {
    throw new InvalidArgumentError(`It must be above 0 and at most ${SECONDS_MAX}.`);
  }
  return seconds;
}

function parseContentBytes(text: string): number {
  const bytes = parseBytes(text);
  if (bytes < 1 || bytes > BYTES_MAX) throw new InvalidArgumentError(`It must be 1 to ${formatBytes(BYTES_MAX)}.`);
  return bytes;
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    throw fileError(error, folder, 'read');
  });
  if (!found.isDirectory()) throw usageError(`${folder} is no folder`);
}

/** The folder that is named; else the store that is; else the folder of temporary files. */
async function targetOf(session: Session, folder: string | undefined): Promise<BenchTarget> {
  if (folder !== undefined && session.options.store !== undefined)
    throw usageError('give --in for a folder, or -s for the backends of a store');
  if (folder === undefined && (await session.findStorePath()) !== undefined) {
    await using store = await session.openStore({ readOnly: true });
    return { status: await store.backends.status({ signal: session.signal }), sealed: store.sealed };
  }
  await checkFolder(folder ?? tmpdir());
  return { folder: folder ?? tmpdir() };
}

async function bench(session: Session, { in: folder, seconds, bytes }: BenchFlags): Promise<void> {
  const { signal, terminal, options } = session;
  const target = await targetOf(session, folder);
  const { runBench } = await import('../../bench/index.ts');
  const say = (what: string): void => {
    if (session.showsProgress) terminal.status(`measuring ${what}`);
    else if (!options.quiet && !options.json) terminal.note(`measuring ${what}`);
  };
  const report: BenchReport = await runBench(target, { seconds, bytes, signal, say });
  terminal.status('');
  await session.result(report, () => describeBench(report));
}

const HELP = `
Everything is made in places of its own that are removed again, also after Ctrl-C: \`.bench-…\` in each folder, and below
the prefix in a bucket. The store itself is only opened, for reading, to learn of its backends; what is measured is a
temporary one beside it, sealed and with the redundancy as that one is. Without a store it is made in a folder.

Figures are medians, the smallest and largest in parentheses; MB is 10^6 bytes of plain content.

Examples:
  $ holdfast bench
  $ holdfast -s /srv/backup bench --seconds 5 --bytes 512MiB
  $ holdfast bench --in /mnt/usb --json`;

/** Defines `holdfast bench`. */
export function addBench(program: Command, session: Session): void {
  program
    .command('bench')
    .summary('measure what this machine and these backends can do')
    .description(
      'Measures what a core does of each step, what the disk and each backend answer in, and what a store does with it all: ' +
        'writing, reading, ranges, small puts and gets. Says what limits it here.',
    )
    .option(
      '--in <folder>',
      'measure in this folder; default: beside the store, without one in that of temporary files',
    )
    .option('--seconds <number>', 'for each figure, of which there are about twenty', parseSeconds, SECONDS_DEFAULT)
    .option(
      '--bytes <size>',
      'size of the large entry, unless its time ends first; at most 1GiB',
      parseContentBytes,
      BYTES_DEFAULT,
    )
    .addHelpText('after', HELP)
    .action((flags: BenchFlags) => bench(session, flags));
}
