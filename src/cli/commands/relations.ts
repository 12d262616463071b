import type { Command } from 'commander';
import type { Descendant, Entries, RelatedEntry } from '../../index.ts';
import { parseCount } from '../options.ts';
import type { Session } from '../session.ts';
import { formatFields } from '../text/fields.ts';
import { countOf, formatCount } from '../text/format-text.ts';
import { TreeLines } from '../text/tree-lines.ts';

interface TreeFlags {
  readonly depth?: number;
}

interface RootsFlags {
  readonly parents?: boolean;
}

/** An entry as the top of its tree. @throws `not-found/ENTRY_NOT_FOUND` */
async function topOf(entries: Entries, key: string, signal: AbortSignal): Promise<Descendant> {
  const parent = await entries.relations.parent(key, { signal });
  let children = 0;
  for await (const _ of entries.relations.children(key, { signal })) children += 1;
  return { key, ...(parent !== undefined && { parent }), children, depth: 0 };
}

async function tree(session: Session, key: string, { depth }: TreeFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { signal } = session;
  const top = await topOf(entries, key, signal);
  const lines = new TreeLines();
  const show = async (entry: Descendant): Promise<void> =>
    session.result(entry, () => lines.next(entry, session.shown(entry.key)));
  await show(top);
  if (depth === 0) return;
  const options = { signal, ...(depth !== undefined && { depth }) };
  for await (const entry of entries.relations.descendants(key, options)) await show(entry);
}

async function ancestors(session: Session, key: string): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const { relations } = session.entriesOf(store);
  for await (const entry of relations.ancestors(key, { signal: session.signal }))
    await session.result(entry, () => session.shown(entry.key));
}

function describeRoot(session: Session, { key, children }: RelatedEntry): string {
  return children === 0 ? session.shown(key) : `${session.shown(key)}  (${countOf(children, 'child', 'children')})`;
}

async function roots(session: Session, prefix: string | undefined, flags: RootsFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const options = { signal: session.signal, parents: flags.parents === true, ...(prefix !== undefined && { prefix }) };
  for await (const entry of session.entriesOf(store).relations.roots(options))
    await session.result(entry, () => describeRoot(session, entry));
}

async function counts(session: Session, key: string | undefined): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const { relations } = session.entriesOf(store);
  const { signal } = session;
  const found = key === undefined ? await relations.counts({ signal }) : await relations.counts(key, { signal });
  const fields = Object.entries(found).map(([name, count]) => [name, formatCount(count)] as const);
  await session.result(found, () => formatFields(fields));
}

async function set(session: Session, child: string, parent: string): Promise<void> {
  await using store = await session.openStore();
  await session.entriesOf(store).relations.set(child, parent, { signal: session.signal });
  await session.confirm({ child, parent }, () => `${session.shown(parent)} is the parent of ${session.shown(child)}`);
}

async function remove(session: Session, child: string): Promise<void> {
  await using store = await session.openStore();
  await session.entriesOf(store).relations.remove(child, { signal: session.signal });
  await session.confirm({ child, parent: null }, () => `${session.shown(child)} has no parent`);
}

const EXAMPLES = `
Examples:
  $ holdfast relations set chapter-1.md book.md
  $ holdfast put chapter-2.md --parent-entry book.md
  $ holdfast relations book.md
  $ holdfast relations roots --parents
  $ holdfast rm --recursive book.md`;

/** Defines `holdfast relations` and everything below it. */
export function addRelations(program: Command, session: Session): void {
  const group = program
    .command('relations')
    .summary('trees of entries: parents and children')
    .description('Shows and changes which entries are the children of which. An entry has at most one parent.')
    .usage('[options] [command] [key]')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  group
    .command('tree', { isDefault: true })
    .description('Shows an entry with everything beneath it. "tree" may be left away.')
    .argument('<key>', 'the entry')
    .option('--depth <count>', 'no deeper than this: 1 shows the children', parseCount)
    .addHelpText('after', '\nWith --json one object a line: key, parent, children (how many), depth.')
    .action((key: string, flags: TreeFlags) => tree(session, key, flags));
  group
    .command('ancestors')
    .description('Lists what an entry is beneath: its parent first, the root last.')
    .argument('<key>', 'the entry')
    .action((key: string) => ancestors(session, key));
  group
    .command('roots')
    .alias('ls')
    .description('Lists the entries that have no parent, those in no relation among them.')
    .argument('[prefix]', 'only keys that begin with this')
    .option('--parents', 'only those that have children')
    .action((prefix: string | undefined, flags: RootsFlags) => roots(session, prefix, flags));
  group
    .command('counts')
    .description('Counts what is beneath an entry, or how all entries hang together.')
    .argument('[key]', 'the entry')
    .action((key: string | undefined) => counts(session, key));
  group
    .command('set')
    .description('Makes an entry the parent of another one, in place of the one it had.')
    .argument('<from>', 'the child')
    .argument('<to>', 'its parent')
    .action((child: string, parent: string) => set(session, child, parent));
  group
    .command('remove')
    .description('Leaves an entry without a parent. Both entries stay.')
    .argument('<key>', 'the child')
    .action((key: string) => remove(session, key));
}
