import type { Command } from 'commander';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import type { Entries } from '../../index.ts';
import { mapInOrder } from '../../runtime/map-in-order.ts';
import type { Session } from '../session.ts';
import { countOf } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

interface RmFlags {
  readonly prefix?: string;
  readonly ifMatch?: string;
  readonly dryRun?: boolean;
  readonly orphan?: boolean;
  readonly recursive?: boolean;
}

/** Deletes in flight share commits. */
const DELETES_IN_FLIGHT = 64;

type Outcome = { readonly keys: readonly string[] } | { readonly error: unknown };

interface RmContext {
  readonly session: Session;
  readonly entries: Entries;
  readonly flags: RmFlags;
}

/** The entry and what is beneath it, as far as it goes with it. */
async function familyOf(key: string, { session, entries, flags }: RmContext): Promise<readonly string[]> {
  if (!flags.recursive) return [key];
  const family = [key];
  for await (const below of entries.relations.descendants(key, { signal: session.signal })) family.push(below.key);
  return family;
}

function checkChildless(key: string, count: number): void {
  if (count === 0) return;
  const message = `the entry ${JSON.stringify(key)} has ${countOf(count, 'child', 'children')}`;
  throw storeError('ENTRY_HAS_CHILDREN', message, { details: { key, count } });
}

async function wouldRemove(key: string, { session, entries, flags }: RmContext): Promise<boolean> {
  const { signal } = session;
  if (!(await entries.has(key, { signal }))) return false;
  let children = 0;
  if (!flags.recursive && !flags.orphan)
    for await (const _ of entries.relations.children(key, { signal })) children += 1;
  checkChildless(key, children);
  return true;
}

async function removeOne(key: string, context: RmContext): Promise<Outcome> {
  const { session, entries, flags } = context;
  const { signal } = session;
  try {
    const keys = await familyOf(key, context);
    const there = flags.dryRun
      ? await wouldRemove(key, context)
      : await entries.delete(key, {
          signal,
          ...(flags.ifMatch !== undefined && { ifMatch: flags.ifMatch }),
          ...(flags.recursive && { children: 'delete' }),
          ...(flags.orphan && { children: 'release' }),
        });
    if (there) return { keys };
    return { error: storeError('ENTRY_NOT_FOUND', `no entry ${JSON.stringify(key)}`, { details: { key } }) };
  } catch (error) {
    if (isStoreError(error, 'ENTRY_NOT_FOUND', 'PRECONDITION_FAILED', 'KEY_INVALID', 'ENTRY_HAS_CHILDREN'))
      return { error };
    throw error;
  }
}

async function* keysBelow(
  entries: Entries,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  for await (const { key } of entries.list({ prefix, signal })) yield key;
}

function check(keys: readonly string[], flags: RmFlags): void {
  if (keys.length === 0 && flags.prefix === undefined) throw usageError('name the KEYs to remove, or --prefix P');
  if (keys.length > 0 && flags.prefix !== undefined) throw usageError('give KEYs or --prefix, not both');
  // An unset variable in a script must not empty the store.
  if (flags.prefix === '') throw usageError('an empty --prefix would remove every entry; name a prefix');
  if (flags.orphan && flags.recursive) throw usageError('--orphan and --recursive exclude each other');
  if (flags.ifMatch !== undefined && keys.length !== 1) throw usageError('--if-match is about one version of one KEY');
}

async function rm(session: Session, keys: readonly string[], flags: RmFlags): Promise<void> {
  check(keys, flags);
  const { json, verbose } = session.options;
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const entries = session.entriesOf(store);
  const named = flags.prefix === undefined ? keys : keysBelow(entries, flags.prefix, session.signal);
  const context = { session, entries, flags };
  // Families may overlap: what one took along is not asked for again.
  const gone = new Set<string>();
  const removing = mapInOrder(named, flags.recursive ? 1 : DELETES_IN_FLIGHT, async (key) =>
    gone.has(key) ? { keys: [] } : await removeOne(key, context),
  );
  let count = 0;
  for await (const outcome of removing) {
    if ('error' in outcome) {
      if (keys.length === 1) session.fail(outcome.error);
      else session.report(outcome.error);
      continue;
    }
    for (const key of outcome.keys) {
      if (gone.has(key)) continue;
      if (flags.recursive) gone.add(key);
      count += 1;
      const value = { key, deleted: !flags.dryRun };
      if (json || verbose || flags.dryRun) await session.confirm(value, () => session.shown(key));
    }
  }
  const sentence = `${flags.dryRun ? 'would remove' : 'removed'} ${countOf(count, 'entry', 'entries')}`;
  if (flags.prefix !== undefined || flags.recursive) await session.conclude(sentence);
}

const EXAMPLES = `
An entry that is the parent of others (\`holdfast relations\`) is removed only with --recursive or --orphan.

Examples:
  $ holdfast rm old.txt
  $ holdfast rm --prefix backup/monday/ --dry-run
  $ holdfast rm --recursive book.md`;

/** Defines `holdfast rm`. */
export function addRm(program: Command, session: Session): void {
  program
    .command('rm')
    .summary('remove entries')
    .description(
      'Removes entries. A key that does not exist is reported (exit 3) and the others are removed all the same.',
    )
    .argument('[keys...]', 'the entries')
    .option('-p, --prefix <prefix>', 'remove every entry whose key begins with this')
    .option('--if-match <version>', 'remove only this version (exit 4 otherwise)')
    .option('-r, --recursive', 'remove what is beneath the entry in its relations too')
    .option('--orphan', 'leave the children of the entry without a parent')
    .option('-n, --dry-run', 'only say what would be removed')
    .addHelpText('after', EXAMPLES)
    .action((keys: string[], flags: RmFlags) => rm(session, keys, flags));
}
