import type { Command } from 'commander';
import { isStoreError } from '../../errors/store-error.ts';
import type { Entries, EntriesStats, EntryInfo, EntryReport, StoreStats, WeakestStripe } from '../../index.ts';
import type { Session } from '../session.ts';
import { requestFields } from '../text/describe-requests.ts';
import { CHUNK_HEADINGS, chunkLine, packLines, storageFields } from '../text/describe-storage.ts';
import { formatFields } from '../text/fields.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, formatCount, formatTime } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

interface StatFlags {
  readonly storage?: boolean;
  readonly shared?: boolean;
  readonly chunks?: boolean;
}

function describeWeakest({ redundancy, lossesMax }: WeakestStripe): string {
  const bears = lossesMax < 0 ? 'CANNOT BE READ NOW' : `${countOf(lossesMax, 'more shard', 'more shards')} may be lost`;
  return `${redundancy}; ${bears}`;
}

function describeEntry(session: Session, entry: EntryInfo, report?: EntryReport): string {
  const fields = formatFields([
    ['key', session.shown(entry.key)],
    [
      'size',
      entry.size < 1024 ? formatBytes(entry.size) : `${formatBytes(entry.size)} (${formatCount(entry.size)} bytes)`,
    ],
    ['digest', entry.digest],
    ['version', entry.version],
    ['root', entry.root],
    ['chunks', formatCount(entry.chunks)],
    ['type', entry.contentType === undefined ? undefined : session.shown(entry.contentType)],
    ['parent', entry.parent],
    ...(report ? storageFields(report) : []),
    ['redundancy', entry.weakest && describeWeakest(entry.weakest)],
    ['isolated', entry.isolated ? 'yes: it has a key of its own' : undefined],
    ['created', `${formatTime(entry.created)} UTC`],
    ['modified', `${formatTime(entry.modified)} UTC`],
    ...Object.entries(entry.attributes).map(
      ([name, value]) => [`attribute ${session.shown(name)}`, session.shown(value)] as const,
    ),
  ]);
  return report ? [fields, ...packLines(report)].join('\n') : fields;
}

/** More than all entries together is held where entries were removed, and by objects and versions: no saving to tell. */
function describeSaving({ uniqueBytes, logicalBytes, savingsPercent }: EntriesStats): string {
  if (uniqueBytes > logicalBytes) return 'those of objects and removed entries included';
  return `deduplication saves ${savingsPercent.toFixed(1)} %`;
}

function isOfStore(stats: EntriesStats): stats is StoreStats {
  return 'commit' in stats;
}

function describeStored(stats: EntriesStats): string {
  const ratio = `(${stats.compressionRatio.toFixed(2)} to 1)`;
  const place = isOfStore(stats) ? `${countOf(stats.packs, 'pack', 'packs')} and the journal` : 'its own packs';
  return `${formatBytes(stats.storedBytes)} in ${place} ${ratio}`;
}

/** What is stored, and what deduplication and compression save. */
export function describeStats(stats: EntriesStats): string {
  return formatFields([
    ['entries', formatCount(stats.entries)],
    ['content', `${formatBytes(stats.logicalBytes)} in all entries`],
    [
      'unique',
      `${formatBytes(stats.uniqueBytes)} in ${countOf(stats.chunks, 'chunk', 'chunks')} (${describeSaving(stats)})`,
    ],
    ['stored', describeStored(stats)],
    ['commit', isOfStore(stats) ? formatCount(stats.commit) : undefined],
  ]);
}

/** With the weakest stripe, unless what names the chunks cannot be read: what else is known does not depend on it. */
async function statOf(entries: Entries, key: string, session: Session): Promise<EntryInfo> {
  const { signal } = session;
  try {
    return await entries.stat(key, { placement: true, signal });
  } catch (error) {
    if (!isStoreError(error) || (error.kind !== 'corrupt' && error.kind !== 'unavailable')) throw error;
    const info = await entries.stat(key, { signal });
    session.logger().warn(`which packs ${JSON.stringify(key)} stands on cannot be told: ${error.message}`);
    return info;
  }
}

async function storageOf(
  entries: Entries,
  key: string,
  { session, flags }: { readonly session: Session; readonly flags: StatFlags },
): Promise<EntryReport | undefined> {
  const { storage = false, shared = false } = flags;
  if (!storage && !shared) return undefined;
  return await entries.inspect(key, { packs: storage, sharing: shared, signal: session.signal });
}

/** The chunks of one entry, one a line, as they are met. */
async function statChunks(session: Session, key: string): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  let first = true;
  for await (const chunk of session.entriesOf(store).chunks(key, { placement: true, signal: session.signal })) {
    await session.result({ key, ...chunk }, () => (first ? `${CHUNK_HEADINGS}\n` : '') + chunkLine(chunk));
    first = false;
  }
}

async function stat(session: Session, keys: readonly string[], flags: StatFlags): Promise<void> {
  const [only = '', ...others] = keys;
  if (flags.chunks) {
    if (others.length > 0) throw usageError('--chunks is about one KEY');
    if (flags.storage || flags.shared) throw usageError('give --chunks, or --storage and --shared');
    return await statChunks(session, only);
  }
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  let first = true;
  for (const key of keys) {
    let entry: EntryInfo;
    let storage: EntryReport | undefined;
    try {
      entry = await statOf(entries, key, session);
      storage = await storageOf(entries, key, { session, flags });
    } catch (error) {
      // One of several that is not there must not hide the others.
      if (keys.length === 1 || !isStoreError(error, 'ENTRY_NOT_FOUND')) throw error;
      session.report(error);
      continue;
    }
    const value = { ...entry, ...(storage && { storage }) };
    await session.result(value, () => (first ? '' : '\n') + describeEntry(session, entry, storage));
    first = false;
  }
}

const STAT_EXAMPLES = `
Examples:
  $ holdfast stat report.pdf --json | jq -r .version
  $ holdfast stat backup.tar --storage --shared
  $ holdfast stat backup.tar --chunks --json | jq -r .digest`;

/** Defines `holdfast stat` and `holdfast stats`. */
export function addStat(program: Command, session: Session): void {
  program
    .command('stat')
    .summary('show what is known of entries')
    .description(
      'Shows size, digest, version, Merkle root, times and attributes of entries, and their weakest redundancy.',
    )
    .argument('<keys...>', 'the entries')
    .option('--storage', 'also what it takes: distinct chunks, compression, redundancy, packs')
    .option('--shared', 'also what it shares with other entries: reads the manifests of all of them')
    .option('--chunks', 'list the chunks of one entry instead, each with where it is and what it takes')
    .addHelpText('after', STAT_EXAMPLES)
    .action((keys: string[], flags: StatFlags) => stat(session, keys, flags));
  program
    .command('stats')
    .summary('show how much is stored and saved')
    .description(
      'Shows entries, content, what deduplication and compression save, what lies on the backends, and what this command ' +
        'has asked of them.',
    )
    .addHelpText(
      'after',
      '\nWith --json the numbers are exact bytes. With -v every command tells at its end what it has asked of backends\n' +
        'and metadata: "requests", as here.',
    )
    .action(async () => {
      await using store = await session.openStore({ readOnly: true });
      const stats = await session.entriesOf(store).stats({ signal: session.signal });
      const requests = isOfStore(stats) ? `\n${formatFields(requestFields(stats.requests))}` : '';
      await session.result(stats, () => describeStats(stats) + requests);
    });
}
