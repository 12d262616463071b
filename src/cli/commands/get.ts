import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Entries, WhichVersion } from '../../index.ts';
import { writeFileAtomically } from '../files/atomic-file.ts';
import { restoreComponents } from '../files/restore-name.ts';
import { letContentThrough } from '../heap.ts';
import { parseRange, type Range } from '../options.ts';
import { ProgressMeter } from '../progress/meter.ts';
import { restore } from '../restore.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { usageError } from '../usage-error.ts';
import { addWhichOptions, type WhichFlags, whichOf } from '../which-version.ts';

interface GetFlags extends WhichFlags {
  readonly output?: string;
  readonly range?: Range;
  readonly prefix?: string;
}

async function targetOf(output: string, key: string): Promise<string> {
  // What cannot be looked at is told by the write.
  const found = await stat(output).catch(() => undefined);
  if (!found?.isDirectory()) return output;
  return path.join(output, restoreComponents(key).at(-1) as string);
}

/** What is asked for of an entry. */
interface Wanted {
  readonly key: string;
  /** Absent: what is current. */
  readonly which: WhichVersion | undefined;
  readonly range?: Range | undefined;
}

/** Content for whoever writes it as it comes: its pieces are lent. */
function contentOf(session: Session, entries: Entries, { key, which, range }: Wanted): AsyncIterable<Uint8Array> {
  const options = { ...range, lent: true, signal: session.signal };
  return which ? entries.versions.read(key, which, options) : entries.read(key, options);
}

async function getToFile(session: Session, entries: Entries, request: Wanted & { output: string }) {
  const { key, which, output, range } = request;
  using meter = new ProgressMeter(session, 'get');
  const { signal } = session;
  const info = which ? await entries.versions.stat(key, which, { signal }) : await entries.stat(key, { signal });
  meter.expect(range ? (range.length ?? Math.max(0, info.size - range.offset)) : info.size);
  const target = await targetOf(output, key);
  const content = contentOf(session, entries, request);
  await writeFileAtomically(target, content, { onBytes: (bytes) => meter.addBytes(bytes) });
  meter.stop();
  const text = (): string => `${session.shown(key)} -> ${session.shown(target)}  ${formatBytes(meter.bytes)}`;
  if (session.options.json || session.options.verbose)
    await session.confirm({ ...info, path: target, bytes: meter.bytes }, text);
}

async function getToOutput(session: Session, entries: Entries, request: Wanted & { binary: boolean }) {
  await session.terminal.printContent(contentOf(session, entries, request), { isText: !request.binary });
}

async function get(session: Session, key: string | undefined, flags: GetFlags): Promise<void> {
  const { output, range, prefix } = flags;
  if ((key === undefined) === (prefix === undefined)) throw usageError('name one KEY, or --prefix P for many entries');
  const which = whichOf(flags);
  letContentThrough(prefix === undefined ? 'stream out' : 'files out');
  if (prefix !== undefined) {
    if (which) throw usageError('--version, --number and --at are about one KEY');
    if (output === undefined || output === '-') throw usageError('--prefix restores into a folder: give -o DIR');
    if (range) throw usageError('--range is about one KEY');
    return restore(session, prefix, output);
  }
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  // Awaited, not returned: the store is closed when this function returns.
  if (output === undefined || output === '-') {
    await getToOutput(session, entries, { key: key as string, which, range, binary: output === '-' });
  } else {
    await getToFile(session, entries, { key: key as string, which, output, range });
  }
}

async function cat(session: Session, keys: readonly string[], flags: WhichFlags): Promise<void> {
  letContentThrough('stream out');
  const which = whichOf(flags);
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  for (const key of keys) await session.terminal.printContent(contentOf(session, entries, { key, which }));
}

const EXAMPLES = `
A file is written beside its target and renamed when it is whole: a failed get leaves the old file as it was.

Examples:
  $ holdfast get report.pdf -o report.pdf
  $ holdfast get dumps/shop.sql | psql shop
  $ holdfast get notes.txt --at 2026-01-31
  $ holdfast get video.mp4 --range 1048576:65536 > part
  $ holdfast get --prefix backup/monday/ -o restored     # backup/monday/a/b.txt -> restored/a/b.txt`;

/** Defines `holdfast get` and `holdfast cat`. */
export function addGet(program: Command, session: Session): void {
  const getting = program
    .command('get')
    .summary('read an entry, or restore many into a folder')
    .description(
      'Writes the content of an entry to standard output or a file, or all entries with a prefix into a folder.',
    )
    .argument('[key]', 'the entry')
    .option(
      '-o, --output <path>',
      'file (or existing folder) to write; with --prefix the folder; - for standard output',
    )
    .option('--range <offset:length>', 'only these bytes; LENGTH may be left away', parseRange)
    .option('-p, --prefix <prefix>', 'restore every entry whose key begins with this');
  addWhichOptions(getting)
    .addHelpText('after', EXAMPLES)
    .action((key: string | undefined, flags: GetFlags) => get(session, key, flags));
  const printing = program
    .command('cat')
    .summary('print entries to standard output')
    .description('Prints the content of entries to standard output, one after the other.')
    .argument('<keys...>', 'the entries');
  addWhichOptions(printing)
    .addHelpText('after', '\nExample:\n  $ holdfast cat log/1 log/2 | grep error')
    .action((keys: string[], flags: WhichFlags) => cat(session, keys, flags));
}
