import { postJson, versionsOf } from '../../api/store.ts';
import type { EntryInfo } from '../../api/types.ts';
import { arrivals } from '../../api/uploads.ts';
import { countOf } from '../../lib/format.ts';
import { nameOf } from '../../lib/key.ts';
import { Ask } from '../../parts/dialog.tsx';
import { complain, tell } from '../../parts/toasts.tsx';

type Named = Pick<EntryInfo, 'key' | 'version'>;

interface DeleteFilesProps {
  readonly scope: string;
  readonly files: readonly Named[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const AT_ONCE_MAX = 1000;

/** Brings back what was deleted, as far as its versions are kept. @returns how many files came back */
async function bringBack(scope: string, names: readonly string[]): Promise<number> {
  let back = 0;
  for (const key of names) {
    const [newest] = (await versionsOf(key, { scope })).versions;
    if (newest === undefined || newest.current) continue;
    await postJson('/restore', { key, version: newest.version }, { scope });
    back += 1;
  }
  return back;
}

async function undo(scope: string, names: readonly string[]): Promise<void> {
  try {
    const back = await bringBack(scope, names);
    tell(
      back === names.length
        ? 'Everything is back.'
        : `${countOf(back, 'file')} of ${names.length} could be brought back.`,
    );
  } catch (error) {
    complain(error);
  }
  arrivals.set(arrivals.get() + 1);
}

async function deleteAll(scope: string, files: readonly Named[]): Promise<void> {
  for (let at = 0; at < files.length; at += AT_ONCE_MAX) {
    const some = files.slice(at, at + AT_ONCE_MAX);
    const operations = some.map(({ key, version }) => ({ op: 'delete', key, ifMatch: version }));
    await postJson('/batch', { operations }, { scope });
  }
  const names = files.map(({ key }) => key);
  const [first = ''] = names;
  const isKept = (await versionsOf(first, { scope })).versions.length > 0;
  const said = names.length === 1 ? `${nameOf(first)} is deleted.` : `${countOf(names.length, 'file')} are deleted.`;
  tell(said, isKept ? { label: 'Undo', run: () => void undo(scope, names) } : undefined);
}

/** Asks, deletes, and offers to undo it where earlier versions are kept. */
export function DeleteFiles({ scope, files, onClose, onDone }: DeleteFilesProps) {
  const first = files[0]?.key ?? '';
  const run = async (): Promise<void> => {
    try {
      await deleteAll(scope, files);
      onDone();
    } catch (error) {
      complain(error);
      onClose();
    }
  };
  return (
    <Ask
      title={files.length === 1 ? `Delete ${nameOf(first)}?` : `Delete ${countOf(files.length, 'file')}?`}
      action="Delete"
      isDangerous
      onDo={run}
      onClose={onClose}
    >
      <p>Snapshots that hold it keep it. Otherwise it can be brought back only if this store keeps earlier versions.</p>
    </Ask>
  );
}
