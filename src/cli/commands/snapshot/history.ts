import type { Command } from 'commander';
import { storeError } from '../../../errors/store-error.ts';
import type { Entries, FoundAddress, SnapshotInfo, SnapshotObject } from '../../../index.ts';
import { parseCount } from '../../options.ts';
import type { Session } from '../../session.ts';
import { formatFields } from '../../text/fields.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { formatCount, formatTime } from '../../text/format-text.ts';
import { formatTable } from '../../text/table.ts';
import { describeCounts, shortId } from './describe.ts';

interface ListFlags {
  readonly ref?: string;
  readonly limit?: number;
}

/** A table needs all its rows for the widths of its columns: of very many it is printed in parts. */
const TABLE_ROWS = 1000;
const HEADINGS = ['REF', 'NUMBER', 'TIME (UTC)', 'ID', '', 'MESSAGE'];

function rowOf(session: Session, { ref, number, time, id, current, message }: SnapshotInfo): readonly string[] {
  const columns = [session.shown(ref), formatCount(number), formatTime(time), shortId(id)];
  return [...columns, current ? 'current' : '', session.shown(message)];
}

async function list(session: Session, { ref, limit = Number.MAX_SAFE_INTEGER }: ListFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const { snapshots } = session.entriesOf(store);
  const rows: (readonly string[])[] = [];
  const flush = (): Promise<void> => session.terminal.print(formatTable(HEADINGS, rows.splice(0)));
  let count = 0;
  const found = snapshots.list({ signal: session.signal, ...(ref !== undefined && { ref }) });
  for await (const info of found) {
    if (count === limit) break;
    count += 1;
    if (session.options.json) await session.result(info, () => '');
    else if (rows.push(rowOf(session, info)) === TABLE_ROWS) await flush();
  }
  if (rows.length > 0) await flush();
  if (count === 0 && limit > 0 && ref !== undefined)
    throw storeError('REF_NOT_FOUND', `the ref ${ref} names no snapshots`, { details: { key: ref } });
}

/** What the history of a ref says of its snapshots, by id: the moves to each up to the one that was found, newest first. */
async function movesOf(
  session: Session,
  entries: Entries,
  { ref, number = Number.MAX_SAFE_INTEGER }: FoundAddress,
): Promise<Map<string, SnapshotInfo[]>> {
  const moves = new Map<string, SnapshotInfo[]>();
  if (ref === undefined) return moves;
  for await (const info of entries.snapshots.list({ ref, signal: session.signal }))
    if (info.number <= number) moves.set(info.id, [...(moves.get(info.id) ?? []), info]);
  return moves;
}

async function log(session: Session, address: string, { limit = Number.MAX_SAFE_INTEGER }: ListFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { signal } = session;
  const moves = await movesOf(session, entries, await entries.objects.find(address, { signal }));
  let count = 0;
  for await (const { id } of entries.snapshots.log(address, { signal })) {
    if (count === limit) break;
    count += 1;
    const { content, metadata } = await entries.objects.getSnapshot(id, { signal });
    const { stored } = await entries.objects.stat(id, { signal });
    // One snapshot may stand in a series more than once.
    const move = moves.get(id)?.shift();
    const time = move?.time ?? stored;
    const message = move?.message ?? '';
    const facts = metadata ? session.shown(JSON.stringify(metadata)) : '';
    const line = [shortId(id), formatTime(time), session.shown(message), facts].filter((part) => part !== '');
    await session.result({ id, time, message, content, ...(metadata && { metadata }) }, () => line.join('  '));
  }
}

async function countNames(session: Session, entries: Entries, address: string) {
  const counts = { files: 0, folders: 0, links: 0, entries: 0, bytes: 0 };
  for await (const { child } of entries.snapshots.names(address, { recursive: true, signal: session.signal })) {
    if (child.type === 'folder') counts.folders += 1;
    else if (child.type === 'link') counts.links += 1;
    else if (child.type === 'entry') counts.entries += 1;
    else if (child.type === 'file') counts.files += 1;
    if ('size' in child) counts.bytes += child.size;
  }
  return counts;
}

function showFields(
  session: Session,
  { content, metadata }: SnapshotObject,
): (readonly [string, string | undefined])[] {
  const { tree, entries, bundles, parent, merged } = content;
  return [
    ['tree', tree],
    ['entries', entries],
    ['bundles', bundles && formatCount(bundles.length)],
    ['parent', parent],
    ['merged', merged?.join(', ')],
    ['metadata', metadata && session.shown(JSON.stringify(metadata))],
  ];
}

async function show(session: Session, address: string, { count }: { readonly count?: boolean }): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { signal } = session;
  const found = await entries.objects.find(address, { signal });
  const { base, ref, number } = found;
  const snapshot = await entries.objects.getSnapshot(base.id, { signal });
  const { stored } = await entries.objects.stat(base.id, { signal });
  const move = (await movesOf(session, entries, found)).get(base.id)?.[0];
  const holds = snapshot.content.tree !== undefined || snapshot.content.entries !== undefined;
  const counts = count && holds ? await countNames(session, entries, base.id) : undefined;
  const { id } = base;
  const named = { ...(ref !== undefined && { ref, number }), ...(move && { message: move.message }) };
  await session.result({ id, ...named, stored, ...snapshot, ...(counts && { counts }) }, () =>
    formatFields([
      ['snapshot', id],
      ['ref', ref && `${session.shown(ref)}, number ${formatCount(number ?? 0)}`],
      ['message', move?.message ? session.shown(move.message) : undefined],
      ['stored', `${formatTime(stored)} UTC`],
      ...showFields(session, snapshot),
      ['holds', counts && `${describeCounts(counts)}: ${formatBytes(counts.bytes)}`],
    ]),
  );
}

/** Defines `holdfast snapshot list`, `log` and `show`. */
export function addHistory(group: Command, session: Session): void {
  group
    .command('list')
    .description('Lists the snapshots that refs name and named: by ref, the newest of each first.')
    .option('--ref <name>', 'only the series of this ref; of a deleted one too')
    .option('--limit <count>', 'at most so many', parseCount)
    .addHelpText('after', '\nWith --json one object a line: id, ref, number, time, message, current.')
    .action((flags: ListFlags) => list(session, flags));
  group
    .command('log')
    .description('Lists a snapshot and those before it: by parents, and where there are none those the ref named.')
    .argument('<address>', 'the snapshot')
    .option('--limit <count>', 'at most so many', parseCount)
    .action((address: string, flags: ListFlags) => log(session, address, flags));
  group
    .command('show')
    .description('Shows what is known of one snapshot.')
    .argument('<address>', 'the snapshot')
    .option('--count', 'also count what is in it: reads all its trees')
    .action((address: string, flags: { readonly count?: boolean }) => show(session, address, flags));
}
