import type { Command } from 'commander';
import type { Entries } from '../../../index.ts';
import { compileGlob, type Matcher } from '../../files/glob.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';
import { childLine, childName, shortId } from './describe.ts';

interface FindFlags {
  readonly ref?: string;
  readonly all?: boolean;
  readonly long?: boolean;
}

/** A place to look in: how people name it, and what is known of it. */
interface Place {
  readonly address: string;
  readonly facts: object;
}

/** A snapshot that several moves name is looked through once. */
async function* placesOf(
  session: Session,
  entries: Entries,
  { addresses, flags }: { readonly addresses: readonly string[]; readonly flags: FindFlags },
): AsyncGenerator<Place> {
  const { signal } = session;
  const { ref, all } = flags;
  for (const address of addresses) {
    const { base } = await entries.objects.find(address, { signal });
    yield { address, facts: { snapshot: base.id } };
  }
  if (addresses.length > 0) return;
  const seen = new Set<string>();
  for await (const info of entries.snapshots.list({ signal, ...(ref !== undefined && { ref }) })) {
    const { id, number, time } = info;
    if (seen.has(id) || (ref === undefined && !all && !info.current)) continue;
    seen.add(id);
    yield { address: shortId(id), facts: { snapshot: id, ref: info.ref, number, time } };
  }
}

async function findIn(session: Session, entries: Entries, search: Search): Promise<void> {
  const { place, matches, long } = search;
  const { address, facts } = place;
  const names = entries.snapshots.names(address, { recursive: true, signal: session.signal });
  const prefix = address.includes(':') ? `${address.replace(/\/+$/, '')}/` : `${address}:`;
  for await (const { path, child } of names) {
    if (!matches(path, child.type === 'folder')) continue;
    const text = (): string => (long ? childLine : childName)(session, `${prefix.replace(/:\/$/, ':')}${path}`, child);
    await session.result({ ...facts, path, child }, text);
  }
}

interface Search {
  readonly place: Place;
  readonly matches: Matcher;
  readonly long: boolean;
}

async function find(session: Session, pattern: string, request: { addresses: string[]; flags: FindFlags }) {
  const { addresses, flags } = request;
  if ([addresses.length > 0, flags.ref !== undefined, flags.all === true].filter(Boolean).length > 1)
    throw usageError('addresses, --ref and --all exclude each other');
  const matches = compileGlob(pattern, 'find');
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  for await (const place of placesOf(session, entries, { addresses, flags }))
    await findIn(session, entries, { place, matches, long: flags.long === true });
}

const HELP = `
Patterns are those of .gitignore: "*" and "?" stop at "/", "**" does not; without a "/" inside, a pattern is about
names in any folder; "/" at its end means folders only. What is printed is an address for other commands.

Examples:
  $ holdfast snapshot find '*.odt'                     in the snapshots that refs name now
  $ holdfast snapshot find 'docs/**/plan*' --ref laptop --long
  $ holdfast snapshot find report.pdf latest~1 3f9a2c`;

/** Defines `holdfast snapshot find`. */
export function addFind(group: Command, session: Session): void {
  group
    .command('find')
    .description('Finds files by name, in the newest snapshot of every ref unless said otherwise.')
    .argument('<pattern>', 'what the name is like')
    .argument('[addresses...]', 'snapshots to look in, or SNAPSHOT:PATH')
    .option('--ref <name>', 'every snapshot of this series')
    .option('--all', 'every snapshot of every series')
    .option('-l, --long', 'permissions, size, time (UTC), address')
    .addHelpText('after', HELP)
    .action((pattern: string, addresses: string[], flags: FindFlags) => find(session, pattern, { addresses, flags }));
}
