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

/** Hides the latency of small files; each read fetches ahead by itself. */
const READS_IN_FLIGHT = 8;

type Planned = { readonly info: EntryInfo; readonly components: readonly string[] } | { readonly error: unknown };
type Restored = { readonly info: EntryInfo; readonly path: string } | { readonly error: unknown };

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

/** Writes one entry below the folder; all that can go wrong with this one alone is an answer, not a rejection. */
async function restoreOne(
  entries: Entries,
  planned: Planned,
  context: { session: Session; folders: FolderMaker; meter: ProgressMeter },
) {
  if ('error' in planned) return planned;
  const { session, folders, meter } = context;
  const { info, components } = planned;
  try {
    const folder = await folders.make(components.slice(0, -1));
    const target = path.join(folder, components.at(-1) as string);
    const content = entries.read(info.key, { signal: session.signal });
    await writeFileAtomically(target, content, { replace: true, onBytes: (bytes) => meter.addBytes(bytes) });
    meter.addItem();
    return { info, path: target };
  } catch (error) {
    if (session.signal.aborted || !concernsOneEntry(error)) throw error;
    return { error };
  }
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
  for await (const outcome of mapInOrder(planned, READS_IN_FLIGHT, work)) {
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
