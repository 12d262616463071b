import type { Command } from 'commander';
import { storeError } from '../../errors/store-error.ts';
import type { KeepVersions, VersionForgetAllReport, VersionForgetReport, VersionInfo } from '../../index.ts';
import { parseCount, parseSpan } from '../options.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, formatCount, formatDuration, formatTime } from '../text/format-text.ts';
import { formatTable } from '../text/table.ts';
import { usageError } from '../usage-error.ts';
import { addWhichOptions, type WhichFlags, whichOf } from '../which-version.ts';

interface ListFlags {
  readonly limit?: number;
}

interface RestoreFlags extends WhichFlags {
  readonly ifMatch?: string;
}

interface ForgetFlags {
  readonly prefix?: string;
  readonly last?: number;
  readonly olderThan?: number;
  readonly number?: readonly number[];
  readonly dryRun?: boolean;
}

interface PolicyFlags {
  readonly last?: number;
  readonly for?: number;
  readonly all?: boolean;
  readonly none?: boolean;
  readonly inherit?: boolean;
}

const ID_LENGTH = 12;
const TABLE_ROWS = 1000;

function rowOf({ number, from, until, size, version, digest }: VersionInfo): readonly string[] {
  return [
    number === undefined ? 'current' : formatCount(number),
    formatTime(from),
    until === undefined ? '' : formatTime(until),
    formatBytes(size),
    version.slice(0, ID_LENGTH),
    digest.slice(digest.indexOf(':') + 1).slice(0, ID_LENGTH),
  ];
}

async function list(session: Session, key: string, flags: ListFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const options = { signal: session.signal, ...(flags.limit !== undefined && { limit: flags.limit }) };
  const rows: (readonly string[])[] = [];
  let any = false;
  // A table needs all its rows for the widths of its columns: of very many it is printed in parts.
  const flush = async (): Promise<void> => {
    const headings = ['NUMBER', 'FROM (UTC)', 'UNTIL (UTC)', 'SIZE', 'VERSION', 'DIGEST'];
    await session.terminal.print(formatTable(headings, rows.splice(0)));
  };
  for await (const info of session.entriesOf(store).versions.list(key, options)) {
    any = true;
    if (session.options.json) await session.result(info, () => '');
    else if (rows.push(rowOf(info)) === TABLE_ROWS) await flush();
  }
  if (rows.length > 0) await flush();
  if (!any && flags.limit !== 0)
    throw storeError('ENTRY_NOT_FOUND', `no entry ${JSON.stringify(key)}`, { details: { key } });
}

async function restore(session: Session, key: string, flags: RestoreFlags): Promise<void> {
  const which = whichOf(flags);
  if (!which) throw usageError('say which version: --version ID, --number N or --at TIME');
  await using store = await session.openStore();
  const options = { signal: session.signal, ...(flags.ifMatch !== undefined && { ifMatch: flags.ifMatch }) };
  const info = await session.entriesOf(store).versions.restore(key, which, options);
  await session.confirm(
    info,
    () => `${session.shown(key)}  ${formatBytes(info.size)}  version ${info.version.slice(0, ID_LENGTH)}`,
  );
}

function describeForget(report: VersionForgetReport): string {
  const verb = report.dryRun ? 'would forget' : 'forgot';
  return `${verb} ${countOf(report.numbers.length, 'version', 'versions')} (${formatBytes(report.bytes)}), ${report.kept} kept`;
}

function describeForgetAll({ dryRun, versions, entries, bytes, kept }: VersionForgetAllReport): string {
  const what = `${countOf(versions, 'version', 'versions')} of ${countOf(entries, 'entry', 'entries')}`;
  return `${dryRun ? 'would forget' : 'forgot'} ${what} (${formatBytes(bytes)}), ${formatCount(kept)} kept`;
}

function checkForget(key: string | undefined, { prefix, number, last, olderThan }: ForgetFlags): void {
  if ((key === undefined) === (prefix === undefined))
    throw usageError('name one KEY, or --prefix P for many entries (an empty one for all)');
  const byRule = last !== undefined || olderThan !== undefined;
  if (number && (byRule || prefix !== undefined))
    throw usageError('--number is about one KEY, and no rule goes with it');
  if (!number && !byRule) throw usageError('say which to forget: --last N, --older-than SPAN or --number N');
}

async function forget(session: Session, key: string | undefined, flags: ForgetFlags): Promise<void> {
  checkForget(key, flags);
  const { prefix, last, olderThan, number, dryRun = false } = flags;
  await using store = await session.openStore({ readOnly: dryRun });
  const { versions } = session.entriesOf(store);
  const rules = { ...(last !== undefined && { last }), ...(olderThan !== undefined && { olderThanMs: olderThan }) };
  const options = { dryRun, signal: session.signal };
  if (key !== undefined) {
    const report = await versions.forget(key, number ? { numbers: number } : rules, options);
    return await session.confirm(report, () => describeForget(report));
  }
  const report = await versions.forgetAll({ ...rules, ...options, ...(prefix && { prefix }) });
  await session.confirm(report, () => describeForgetAll(report));
}

function describeKeep(keep: KeepVersions): string {
  if (keep === 'none') return 'none';
  const limits = [
    ...(keep.last === undefined ? [] : [`the last ${formatCount(keep.last)}`]),
    ...(keep.forMs === undefined ? [] : [`for ${formatDuration(keep.forMs / 1000)}`]),
  ];
  return limits.length === 0 ? 'all' : limits.join(', ');
}

async function policy(session: Session, flags: PolicyFlags): Promise<void> {
  const words = (['all', 'none', 'inherit'] as const).filter((word) => flags[word]);
  const hasLimit = flags.last !== undefined || flags.for !== undefined;
  if (words.length + Number(hasLimit) > 1) throw usageError('--all, --none, --inherit and limits exclude each other');
  const isChange = words.length > 0 || hasLimit;
  await using store = await session.openStore({ readOnly: !isChange });
  const { versions } = session.entriesOf(store);
  const { signal } = session;
  const limits = {
    ...(flags.last !== undefined && { last: flags.last }),
    ...(flags.for !== undefined && { forMs: flags.for }),
  };
  const [word] = words;
  if (isChange) await versions.setPolicy(word === 'none' || word === 'inherit' ? word : limits, { signal });
  const info = await versions.policy({ signal });
  const text = (): string =>
    `earlier versions kept: ${describeKeep(info.keep)}${info.inherited ? ' (as the store)' : ''}`;
  if (isChange) await session.confirm(info, text);
  else await session.result(info, text);
}

function collectCount(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, parseCount(text)];
}

const EXAMPLES = `
Examples:
  $ holdfast versions policy --last 10 --for 90d      # from now on
  $ holdfast versions report.txt
  $ holdfast get report.txt --number 3 -o old.txt
  $ holdfast versions restore report.txt --at 2026-01-31
  $ holdfast versions forget --prefix '' --last 3 --older-than 30d --dry-run`;

/** Defines `holdfast versions` and everything below it. */
export function addVersions(program: Command, session: Session): void {
  const group = program
    .command('versions')
    .summary('earlier values of entries')
    .description('Shows the versions of an entry that are kept, restores and forgets them, and sets which are kept.')
    .usage('[options] [command] [key]')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  group
    .command('list', { isDefault: true })
    .description('Lists the versions of an entry, newest first; of a deleted one too. "list" may be left away.')
    .argument('<key>', 'the entry')
    .option('--limit <count>', 'at most so many', parseCount)
    .action((key: string, flags: ListFlags) => list(session, key, flags));
  const restoring = group
    .command('restore')
    .description(
      'Makes an earlier version the current one again. No bytes move; what it replaces is kept as policy says.',
    )
    .argument('<key>', 'the entry');
  addWhichOptions(restoring)
    .option('--if-match <version>', 'replace only this version (exit 4 otherwise)')
    .action((key: string, flags: RestoreFlags) => restore(session, key, flags));
  group
    .command('forget')
    .alias('prune')
    .description('Forgets earlier versions for good: those that every rule given says. Current values stay.')
    .argument('[key]', 'the entry')
    .option('-p, --prefix <prefix>', 'every entry whose key begins with this, deleted ones too; an empty one: all')
    .option('--last <count>', 'only what is older than the newest so many', parseCount)
    .option('--older-than <span>', 'only what was replaced or deleted so long ago: 90s, 15m, 12h, 30d', parseSpan)
    .option('--number <n>', 'this version of one KEY; may be repeated', collectCount)
    .option('-n, --dry-run', 'only say what would be forgotten')
    .action((key: string | undefined, flags: ForgetFlags) => forget(session, key, flags));
  group
    .command('policy')
    .description('Shows or sets which earlier versions are kept: of the store, or with -N of a namespace.')
    .option('--last <count>', 'at most so many of an entry', parseCount)
    .option('--for <span>', 'as long as this after they were replaced or deleted: 12h, 30d', parseSpan)
    .option('--all', 'every one, until it is forgotten')
    .option('--none', 'none')
    .option('--inherit', 'of a namespace: as the store')
    .action((flags: PolicyFlags) => policy(session, flags));
}
