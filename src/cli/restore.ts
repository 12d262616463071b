import path from 'node:path';
import { isStoreError } from '../errors/store-error.ts';
import type { Entries, EntryInfo } from '../index.ts';
import { mapInOrder } from '../runtime/map-in-order.ts';
import { writeFileAtomically } from './files/atomic-file.ts';
import { FolderMaker } from './files/folders.ts';
import { FolderConflicts, restoreComponents } from './files/restore-name.ts';
import { ProgressMeter } from './progress/meter.ts';
import type { Session } from './session.ts';
import { formatBytes } from './text/format-bytes.ts';
import { formatCount } from './text/format-text.ts';

/** Hides the latency of small files; each read of a large one fetches ahead by itself. */
const WRITES_IN_FLIGHT = 8;
/** Entries up to this size are read many at a time: neighbours lie in one record, which is opened once for all of them. */
const SMALL_BYTES_MAX = 256 * 1024;
/** Of what is read at a time; one group is read while files of the one before are written. */
const GROUP_BYTES = 4 * 1024 * 1024;
const GROUP_ENTRIES = 256;
const GROUPS_AT_ONCE = 2;

/** What can be written, and its content where it was read with that of others. */
type Planned =
  | { readonly info: EntryInfo; readonly components: readonly string[]; readonly content?: Uint8Array }
  | Failed;
interface Failed {
  readonly error: unknown;
}
type Restored = { readonly info: EntryInfo; readonly path: string } | Failed;

/** Whether an error is about one entry or its file only, so that the others can go on. */
function concernsOneEntry(error: unknown): boolean {
  if (!isStoreError(error)) return false;
  if (error.kind === 'corrupt') return true;
  // Others may lie on backends that are there.
  return isStoreError(error, 'BACKEND_UNREACHABLE', 'LOCATION_INVALID', 'ENTRY_NOT_FOUND', 'PERMISSION_DENIED');
}

async function* plan(entries: AsyncIterable<EntryInfo>, folder: string): AsyncGenerator<Planned, void, undefined> {
  const conflicts = new FolderConflicts();
  for await (const info of entries) {
    try {
      const components = restoreComponents(info.key, folder);
      conflicts.check(info.key);
      yield { info, components };
    } catch (error) {
      if (!isStoreError(error, 'LOCATION_INVALID')) throw error;
      yield { error };
    }
  }
}

/** Groups what is planned, so that no group holds more than is read at a time. */
async function* groups(planned: AsyncIterable<Planned>): AsyncGenerator<readonly Planned[], void, undefined> {
  let group: Planned[] = [];
  let bytes = 0;
  for await (const item of planned) {
    group.push(item);
    bytes += isSmall(item) ? item.info.size : 0;
    if (bytes < GROUP_BYTES && group.length < GROUP_ENTRIES) continue;
    yield group;
    [group, bytes] = [[], 0];
  }
  if (group.length > 0) yield group;
}

function isSmall(item: Planned): item is Exclude<Planned, Failed> {
  return !('error' in item) && item.info.size <= SMALL_BYTES_MAX;
}

/** Reads what is small together. Where that fails, each is read by itself, which tells which one it is. */
async function withContents(
  entries: Entries,
  group: readonly Planned[],
  signal: AbortSignal,
): Promise<readonly Planned[]> {
  const small = group.filter(isSmall);
  if (small.length < 2) return group;
  try {
    const keys = small.map(({ info }) => info.key);
    const contents = await entries.getMany(keys, { signal });
    const found = new Map<Planned, Uint8Array | undefined>(small.map((item, at) => [item, contents[at]]));
    return group.map((item) => {
      const content = found.get(item);
      return content === undefined ? item : { ...item, content };
    });
  } catch (error) {
    if (signal.aborted || !concernsOneEntry(error)) throw error;
    return group;
  }
}

/** Writes one entry below the folder; all that can go wrong with this one alone is an answer, not a rejection. */
async function restoreOne(
  entries: Entries,
  planned: Planned,
  context: { session: Session; folders: FolderMaker; meter: ProgressMeter },
) {
  if ('error' in planned) return planned;
  const { session, folders, meter } = context;
  const { info, components, content: known } = planned;
  try {
    const folder = await folders.make(components.slice(0, -1));
    const target = path.join(folder, components.at(-1) as string);
    const content = known ? [known] : entries.read(info.key, { signal: session.signal });
    await writeFileAtomically(target, content, { replace: true, onBytes: (bytes) => meter.addBytes(bytes) });
    meter.addItem();
    return { info, path: target };
  } catch (error) {
    if (session.signal.aborted || !concernsOneEntry(error)) throw error;
    return { error };
  }
}

async function* flat<T>(groupsOf: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  for await (const group of groupsOf) yield* group;
}

/**
 * Restores every entry whose key begins with `prefix` below `target`; what follows the last `/` of the prefix becomes
 * the path. Entries that cannot be files there are told one by one and passed by.
 */
export async function restore(session: Session, prefix: string, target: string): Promise<void> {
  using meter = new ProgressMeter(session, 'get');
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const folders = new FolderMaker(target);
  await folders.makeRoot();
  const keyFolder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const planned = plan(entries.list({ prefix, signal: session.signal }), keyFolder);
  let restored = 0;
  let failed = 0;
  const work = (item: Planned): Promise<Restored> => restoreOne(entries, item, { session, folders, meter });
  const read = (group: readonly Planned[]) => withContents(entries, group, session.signal);
  const ready = flat(mapInOrder(groups(planned), GROUPS_AT_ONCE, read));
  for await (const outcome of mapInOrder(ready, WRITES_IN_FLIGHT, work)) {
    if ('error' in outcome) {
      failed += 1;
      session.report(outcome.error);
      continue;
    }
    restored += 1;
    const { info, path: file } = outcome;
    const text = (): string => `${session.shown(info.key)} -> ${session.shown(file)}  ${formatBytes(info.size)}`;
    if (session.options.json || session.options.verbose) await session.confirm({ ...info, path: file }, text);
  }
  meter.stop();
  const summary = { restored, failed, bytes: meter.bytes };
  if (session.options.json) session.terminal.note(JSON.stringify({ summary }));
  const counts = `${formatCount(restored)} restored, ${formatCount(failed)} failed`;
  await session.conclude(`${counts}: ${formatBytes(meter.bytes)}`);
}
