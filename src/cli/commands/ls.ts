import { type Command, Option } from 'commander';
import type { Entries, EntryInfo, ListOptions } from '../../index.ts';
import { collectAttribute, parseCount, parseTime } from '../options.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { formatTime } from '../text/format-text.ts';

interface LsFlags {
  readonly long?: boolean;
  readonly limit?: number;
  readonly after?: string;
  readonly sort: 'key' | 'modified' | 'size';
  readonly reverse?: boolean;
  readonly since?: string;
  readonly before?: string;
  readonly contentType?: string;
  readonly attribute?: Readonly<Record<string, string>>;
}

/** Widest size that `formatBytes` makes: `1023.9 KiB`. Fixed widths let a list stream and still stand in columns. */
const SIZE_WIDTH = 10;
const DIGEST_LENGTH = 12;

function longLine(session: Session, entry: EntryInfo): string {
  const digest = entry.digest.slice(entry.digest.indexOf(':') + 1).slice(0, DIGEST_LENGTH);
  const size = formatBytes(entry.size).padStart(SIZE_WIDTH);
  return `${size}  ${formatTime(entry.modified)}  ${digest}  ${session.shown(entry.key)}`;
}

async function listOptions(entries: Entries, prefix: string | undefined, flags: LsFlags): Promise<ListOptions> {
  const { limit, sort, since, before, contentType, attribute } = flags;
  const where = {
    ...(since !== undefined && { modifiedFrom: since }),
    ...(before !== undefined && { modifiedBefore: before }),
    ...(contentType !== undefined && { contentType }),
    ...(attribute && { attributes: attribute }),
  };
  // Sorted by time or size, a key alone does not say where it stands: its entry does.
  const after = flags.after !== undefined && sort !== 'key' ? await entries.stat(flags.after) : flags.after;
  return {
    sort,
    where,
    descending: flags.reverse === true,
    ...(prefix !== undefined && { prefix }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  };
}

async function ls(session: Session, prefix: string | undefined, flags: LsFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const options = await listOptions(entries, prefix, flags);
  for await (const entry of entries.list({ ...options, signal: session.signal })) {
    await session.result(entry, () => (flags.long ? longLine(session, entry) : session.shown(entry.key)));
  }
}

const EXAMPLES = `
Examples:
  $ holdfast ls photos/ --long
  $ holdfast ls --sort size --reverse --limit 10 --long
  $ holdfast ls --since 2026-01-01 --attribute host=db1 --json | jq .key`;

/** Defines `holdfast ls`. */
export function addLs(program: Command, session: Session): void {
  program
    .command('ls')
    .summary('list entries')
    .description(
      'Lists entries by key in byte order. With --json one object a line: key, size, digest, contentType, ...',
    )
    .argument('[prefix]', 'only keys that begin with this')
    .option('-l, --long', 'size, time of the last change (UTC), beginning of the digest, key')
    .option('--limit <count>', 'at most so many', parseCount)
    .option('--after <key>', 'only what comes after this entry')
    .addOption(new Option('--sort <by>', 'order').choices(['key', 'modified', 'size']).default('key'))
    .option('-r, --reverse', 'largest, newest or last first')
    .option('--since <time>', 'changed at or after this time, such as 2026-01-31 or 2026-01-31T12:00:00Z', parseTime)
    .option('--before <time>', 'changed before this time', parseTime)
    .option('--content-type <type>', 'only entries of this media type')
    .option('-a, --attribute <name=value>', 'only entries with this attribute; may be repeated', collectAttribute)
    .addHelpText('after', EXAMPLES)
    .action((prefix: string | undefined, flags: LsFlags) => ls(session, prefix, flags));
}
