import type { Command } from 'commander';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import type { Entries } from '../../index.ts';
import { mapInOrder } from '../map-in-order.ts';
import type { Session } from '../session.ts';
import { countOf } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

interface RmFlags {
  readonly prefix?: string;
  readonly ifMatch?: string;
  readonly dryRun?: boolean;
}

/** Deletes in flight share commits. */
const DELETES_IN_FLIGHT = 64;

type Outcome = { readonly key: string } | { readonly error: unknown };

async function removeOne(
  entries: Entries,
  key: string,
  context: { session: Session; flags: RmFlags },
): Promise<Outcome> {
  const { session, flags } = context;
  const { signal } = session;
  try {
    const there = flags.dryRun
      ? await entries.has(key, { signal })
      : await entries.delete(key, { signal, ...(flags.ifMatch !== undefined && { ifMatch: flags.ifMatch }) });
    if (there) return { key };
    return { error: storeError('ENTRY_NOT_FOUND', `no entry ${JSON.stringify(key)}`, { details: { key } }) };
  } catch (error) {
    if (isStoreError(error, 'ENTRY_NOT_FOUND', 'PRECONDITION_FAILED', 'KEY_INVALID')) return { error };
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
  if (flags.ifMatch !== undefined && keys.length !== 1) throw usageError('--if-match is about one version of one KEY');
}

async function rm(session: Session, keys: readonly string[], flags: RmFlags): Promise<void> {
  check(keys, flags);
  const { json, verbose } = session.options;
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const entries = session.entriesOf(store);
  const named = flags.prefix === undefined ? keys : keysBelow(entries, flags.prefix, session.signal);
  let count = 0;
  for await (const outcome of mapInOrder(named, DELETES_IN_FLIGHT, (key) =>
    removeOne(entries, key, { session, flags }),
  )) {
    if ('error' in outcome) {
      if (keys.length === 1) session.fail(outcome.error);
      else session.report(outcome.error);
      continue;
    }
    count += 1;
    const value = { key: outcome.key, deleted: !flags.dryRun };
    if (json || verbose || flags.dryRun) await session.confirm(value, () => session.shown(outcome.key));
  }
  const sentence = `${flags.dryRun ? 'would remove' : 'removed'} ${countOf(count, 'entry', 'entries')}`;
  if (flags.prefix !== undefined) await session.conclude(sentence);
}

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
    .option('-n, --dry-run', 'only say what would be removed')
    .addHelpText('after', '\nExamples:\n  $ holdfast rm old.txt\n  $ holdfast rm --prefix backup/monday/ --dry-run')
    .action((keys: string[], flags: RmFlags) => rm(session, keys, flags));
}
