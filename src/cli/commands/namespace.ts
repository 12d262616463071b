import { type Command, InvalidArgumentError } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { NamespaceInfo, ShredReport } from '../../index.ts';
import { parseBytes } from '../options.ts';
import { confirmForGood } from '../secrets/confirm.ts';
import type { Session } from '../session.ts';
import { describePending } from '../text/describe-pending.ts';
import { formatFields } from '../text/fields.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount, formatTime } from '../text/format-text.ts';
import { formatTable } from '../text/table.ts';
import { usageError } from '../usage-error.ts';

interface CreateFlags {
  readonly quota?: number;
}

interface DropFlags {
  readonly shred?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

function quotaOf(info: NamespaceInfo): string {
  return info.quotaBytes === undefined ? 'none' : formatBytes(info.quotaBytes);
}

function describeNamespace(info: NamespaceInfo): string {
  return formatFields([
    ['name', escapeControls(info.name)],
    ['created', `${formatTime(info.created)} UTC`],
    ['quota', quotaOf(info)],
    ['entries', formatCount(info.entries)],
    ['content', `${formatBytes(info.logicalBytes)} in all entries`],
    ['unique', `${formatBytes(info.uniqueBytes)} in ${countOf(info.chunks, 'chunk', 'chunks')}`],
    ['stored', formatBytes(info.storedBytes)],
  ]);
}

function describeNamespaces(all: readonly NamespaceInfo[]): string {
  const rows = all.map((info) => [
    escapeControls(info.name),
    formatCount(info.entries),
    formatBytes(info.logicalBytes),
    formatBytes(info.storedBytes),
    quotaOf(info),
    formatTime(info.created),
  ]);
  return formatTable(['NAME', 'ENTRIES', 'CONTENT', 'STORED', 'QUOTA', 'CREATED (UTC)'], rows);
}

function describeShred(report: ShredReport): string {
  if (report.done) return 'done: no key is left on any backend, and no data';
  return describePending(report.pending);
}

async function tellShred(session: Session, report: ShredReport): Promise<void> {
  await session.result(report, () => describeShred(report));
  if (!report.done) session.endWith(EXIT_STATUS.unavailable);
}

async function create(session: Session, name: string, { quota }: CreateFlags): Promise<void> {
  await using store = await session.openStore();
  const options = { signal: session.signal, ...(quota !== undefined && { quotaBytes: quota }) };
  const info = await store.namespaces.create(name, options);
  await session.confirm(info, () => `created namespace ${session.shown(name)}`);
}

async function list(session: Session): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const all = await store.namespaces.list({ signal: session.signal });
  if (!session.options.json) return session.terminal.print(describeNamespaces(all));
  for (const info of all) await session.result(info, () => '');
}

async function stat(session: Session, name: string): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const info = await store.namespaces.stat(name, { signal: session.signal });
  await session.result(info, () => describeNamespace(info));
}

async function quota(session: Session, name: string, bytes: number | undefined): Promise<void> {
  await using store = await session.openStore();
  const info = await store.namespaces.setQuota(name, bytes, { signal: session.signal });
  await session.confirm(info, () => `quota of ${session.shown(name)}: ${quotaOf(info)}`);
}

async function drop(session: Session, name: string, flags: DropFlags): Promise<void> {
  if (!flags.shred) throw usageError('dropping destroys keys and data for good; say --shred');
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const info = await store.namespaces.stat(name, { signal: session.signal });
  const what = `${countOf(info.entries, 'entry', 'entries')}, ${formatBytes(info.logicalBytes)}`;
  if (flags.dryRun) {
    return session.confirm({ ...info, dryRun: true }, () => `would destroy ${session.shown(name)}: ${what}`);
  }
  await confirmForGood(session, `This destroys the keys of ${session.shown(name)}: ${what} are gone for good.`, flags);
  await tellShred(session, await store.namespaces.drop(name, { shred: true, signal: session.signal }));
}

async function shred(session: Session): Promise<void> {
  await using store = await session.openStore();
  await tellShred(session, await store.namespaces.shred({ signal: session.signal }));
}

function parseQuota(text: string): number | undefined {
  if (text === 'none') return undefined;
  try {
    return parseBytes(text);
  } catch {
    throw new InvalidArgumentError('It must be a size such as 500, 64KiB or 10GiB, or "none".');
  }
}

/** Defines `holdfast namespace` and everything below it. */
export function addNamespace(program: Command, session: Session): void {
  const group = program
    .command('namespace')
    .summary('parts of a sealed store with keys of their own')
    .description('Manages namespaces: each has keys, deduplication and numbers of its own. Use one with -N NAME.')
    .helpCommand(false);
  group
    .command('create')
    .description('Makes a namespace.')
    .argument('<name>', '1 to 64 bytes')
    .option('--quota <size>', 'most bytes its entries may have together: 500, 64KiB, 10GiB', parseBytes)
    .addHelpText('after', '\nExample:\n  $ holdfast namespace create customer-17 --quota 10GiB')
    .action((name: string, flags: CreateFlags) => create(session, name, flags));
  group
    .command('list')
    .description('Lists the namespaces with what they hold; "default" is where entries are without -N.')
    .action(() => list(session));
  group
    .command('stat')
    .description('Shows what a namespace holds.')
    .argument('<name>', 'the namespace')
    .action((name: string) => stat(session, name));
  group
    .command('quota')
    .description('Sets or lifts the quota of a namespace. What is there already stays.')
    .argument('<name>', 'the namespace')
    .argument('<size>', '500, 64KiB, 10GiB, or "none"', parseQuota)
    .action((name: string, bytes: number | undefined) => quota(session, name, bytes));
  group
    .command('drop')
    .description('Destroys the keys of a namespace, and then its data. Nobody can read it afterwards.')
    .argument('<name>', 'the namespace')
    .option('--shred', 'required: says that destroying is meant')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would be destroyed')
    .addHelpText('after', '\nExit status 7 when something is still to do: `holdfast namespace shred` goes on.')
    .action((name: string, flags: DropFlags) => drop(session, name, flags));
  group
    .command('shred')
    .description('Finishes destroying what could not be reached: keys of dropped namespaces and isolated entries.')
    .action(() => shred(session));
}
