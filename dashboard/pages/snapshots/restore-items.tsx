import { useState } from 'preact/hooks';
import { say } from '../../api/say.ts';
import { restoreItems } from '../../api/snapshots.ts';
import { countOf } from '../../lib/format.ts';
import { Ask } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { complain, tell } from '../../parts/toasts.tsx';

interface RestoreItemsProps {
  readonly scope: string;
  readonly id: string;
  readonly paths: readonly string[];
  readonly onDone: () => void;
}

const NAMED_MAX = 8;

/** Puts ticked files back, after asking. */
export function RestoreItems({ scope, id, paths, onDone }: RestoreItemsProps) {
  const [isAsking, setAsking] = useState(false);
  const run = async (): Promise<void> => {
    setAsking(false);
    const failed = await restoreItems(id, paths, scope);
    const [first] = failed;
    if (first === undefined) tell(`${countOf(paths.length, 'file is', 'files are')} back.`);
    else complain(new Error(`${countOf(failed.size, 'file')} could not be put back. ${first[0]}: ${say(first[1])}`));
    onDone();
  };
  return (
    <>
      <button type="button" class="button primary" disabled={paths.length === 0} onClick={() => setAsking(true)}>
        <Icon name="restore" />
        {paths.length === 0 ? 'Tick files to restore them' : `Restore ${countOf(paths.length, 'file')}`}
      </button>
      {isAsking && (
        <Ask
          title={`Restore ${countOf(paths.length, 'file')}?`}
          action="Restore"
          onDo={() => void run()}
          onClose={() => setAsking(false)}
        >
          <p>What is there now under these names becomes an earlier version, where this store keeps such:</p>
          <ul class="plain-list">
            {paths.slice(0, NAMED_MAX).map((path) => (
              <li key={path} class="wrap">
                {path}
              </li>
            ))}
            {paths.length > NAMED_MAX && <li>{`and ${paths.length - NAMED_MAX} more`}</li>}
          </ul>
        </Ask>
      )}
    </>
  );
}
