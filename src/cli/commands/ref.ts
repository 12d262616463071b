import type { Command } from 'commander';
import { storeError } from '../../errors/store-error.ts';
import type { Entries, ObjectReference, RefInfo, RefMove, RefOptions } from '../../index.ts';
import { parseCount } from '../options.ts';
import type { Session } from '../session.ts';
import { countOf, formatTime } from '../text/format-text.ts';
import { findMeant } from './object/find.ts';

interface ListFlags {
  readonly long?: boolean;
}

interface MoveFlags {
  readonly expected?: string;
  readonly message?: string;
}

interface HistoryFlags {
  readonly limit?: number;
}

const TYPE_WIDTH = 8;
const NUMBER_WIDTH = 5;

function refNotFound(name: string): Error {
  return storeError('REF_NOT_FOUND', `there is no ref ${name}`, { details: { key: name } });
}

async function list(session: Session, prefix: string | undefined, { long }: ListFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const options = { signal: session.signal, ...(prefix !== undefined && { prefix }) };
  for await (const ref of session.entriesOf(store).refs.list(options)) {
    const { name, id, type, moved } = ref;
    const line = (): string => `${type.padEnd(TYPE_WIDTH)}  ${formatTime(moved)}  ${id}  ${session.shown(name)}`;
    await session.result(ref, () => (long ? line() : session.shown(name)));
  }
}

async function get(session: Session, name: string): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const ref = await session.entriesOf(store).refs.get(name, { signal: session.signal });
  if (!ref) throw refNotFound(name);
  await session.result(ref, () => ref.id);
}

async function optionsOf(session: Session, entries: Entries, flags: MoveFlags): Promise<RefOptions> {
  const { expected, message } = flags;
  const before = expected === undefined || expected === 'none' ? null : await idOf(session, entries, expected);
  return {
    signal: session.signal,
    ...(expected !== undefined && { expected: before }),
    ...(message !== undefined && { message }),
  };
}

async function idOf(session: Session, entries: Entries, address: string): Promise<string> {
  return (await findMeant(session, entries, address)).reference.id;
}

async function set(
  session: Session,
  { name, address }: { readonly name: string; readonly address: string },
  flags: MoveFlags,
): Promise<void> {
  await using store = await session.openStore();
  const entries = session.entriesOf(store);
  const options = await optionsOf(session, entries, flags);
  const ref: RefInfo = await entries.refs.set(name, await idOf(session, entries, address), options);
  await session.confirm(ref, () => `${session.shown(name)} -> ${ref.type} ${ref.id}`);
}

async function remove(session: Session, name: string, flags: MoveFlags): Promise<void> {
  await using store = await session.openStore();
  const entries = session.entriesOf(store);
  const options = await optionsOf(session, entries, flags);
  if (!(await entries.refs.delete(name, options))) throw refNotFound(name);
  await session.confirm(
    { name, deleted: true },
    () => `deleted ${session.shown(name)}; its history stays until it is forgotten`,
  );
}

function sideText(reference: ObjectReference | null): string {
  if (reference === null) return 'nothing';
  return `${reference.type === 'raw' ? 'blob' : reference.type} ${reference.id}`;
}

function moveText(session: Session, { number, time, to, message }: RefMove): string {
  const about = message === '' ? '' : `  ${session.shown(message)}`;
  return `${`${number}`.padStart(NUMBER_WIDTH)}  ${formatTime(time)}  ${sideText(to)}${about}`;
}

async function history(session: Session, name: string, { limit }: HistoryFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  let count = 0;
  for await (const move of session.entriesOf(store).refs.history(name, { signal: session.signal })) {
    if (count === limit) break;
    count += 1;
    await session.result(move, () => moveText(session, move));
  }
  if (count === 0 && limit !== 0) throw refNotFound(name);
}

async function forget(session: Session, name: string, written: readonly string[]): Promise<void> {
  const numbers = written.map(parseCount);
  await using store = await session.openStore();
  const forgotten = await session.entriesOf(store).refs.forget(name, numbers, { signal: session.signal });
  await session.confirm(
    { name, forgotten },
    () => `forgot ${countOf(forgotten, 'move', 'moves')} of ${session.shown(name)}`,
  );
}

const SET_EXAMPLES = `
Examples:
  $ holdfast ref set release/1.0 8805acaf --message 'first release'
  $ holdfast ref set main main~1 --expected main      # one back, unless somebody moved it meanwhile
  $ holdfast ref set new 8805acaf --expected none     # make it, never move it`;

function addMoving(group: Command, session: Session): void {
  group
    .command('set')
    .summary('make a ref, or move it')
    .description('Makes a ref name an object. Where it was before stays in its history.')
    .argument('<name>', 'parts between slashes: release/1.0')
    .argument('<id>', 'id, the beginning of one, or an address')
    .option('--expected <id>', 'move it only from there; "none": make it')
    .option('-m, --message <text>', 'kept in the history')
    .addHelpText('after', SET_EXAMPLES)
    .action((name: string, address: string, flags: MoveFlags) => set(session, { name, address }, flags));
  group
    .command('delete')
    .summary('delete a ref')
    .description('Deletes a ref. What it named is kept until its history is forgotten.')
    .argument('<name>', 'the ref')
    .option('--expected <id>', 'delete it only when it is there')
    .option('-m, --message <text>', 'kept in the history')
    .action((name: string, flags: MoveFlags) => remove(session, name, flags));
}

/** Defines `holdfast ref` and everything below it. */
export function addRef(program: Command, session: Session): void {
  const group = program
    .command('ref')
    .summary('names of objects that can be moved')
    .description('Manages refs: names of objects, each with the history of what it named. They keep what they name.')
    .helpCommand(false);
  group
    .command('ls')
    .summary('list refs')
    .description('Lists refs by name.')
    .argument('[prefix]', 'only names that begin with this')
    .option('-l, --long', 'type and id of the object, and when it was moved there (UTC)')
    .action((prefix: string | undefined, flags: ListFlags) => list(session, prefix, flags));
  group
    .command('get')
    .summary('print the id that a ref names')
    .description('Prints the id of the object that a ref names.')
    .argument('<name>', 'the ref')
    .addHelpText('after', '\nExample:\n  $ holdfast object get "$(holdfast ref get main)"')
    .action((name: string) => get(session, name));
  addMoving(group, session);
  group
    .command('history')
    .summary('list the moves of a ref')
    .description('Lists the moves of a ref, newest first: number, time (UTC), what it named from then on, message.')
    .argument('<name>', 'the ref, also one that was deleted')
    .option('--limit <count>', 'at most so many', parseCount)
    .action((name: string, flags: HistoryFlags) => history(session, name, flags));
  group
    .command('forget')
    .summary('forget moves of a ref')
    .description('Forgets moves by their numbers. What only they named is kept no longer.')
    .argument('<name>', 'the ref')
    .argument('<numbers...>', 'of moves, as `ref history` lists them')
    .addHelpText('after', '\nExample:\n  $ holdfast ref forget main 1 2 3')
    .action((name: string, numbers: string[]) => forget(session, name, numbers));
}
