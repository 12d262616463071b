import { useState } from 'preact/hooks';
import { postJson } from '../../api/store.ts';
import { countOf } from '../../lib/format.ts';
import { Ask } from '../../parts/dialog.tsx';
import { complain, tell } from '../../parts/toasts.tsx';

interface TakeSnapshotProps {
  readonly scope: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function TakeSnapshot({ scope, onClose, onDone }: TakeSnapshotProps) {
  const [ref, setRef] = useState('by-hand');
  const [message, setMessage] = useState('');
  const [prefix, setPrefix] = useState('');
  const take = async (): Promise<void> => {
    onClose();
    try {
      const { files, failed } = await postJson<{ files: number; failed: number }>(
        '/snapshots',
        { prefix, ref, ...(message !== '' && { message }) },
        { scope },
      );
      tell(`The snapshot holds ${countOf(files, 'file')}${failed > 0 ? `; ${failed} could not be read` : ''}.`);
      onDone();
    } catch (error) {
      complain(error);
    }
  };
  return (
    <Ask title="Take a snapshot" action="Take it" isReady={ref !== ''} onDo={take} onClose={onClose}>
      <label class="field">
        Note
        <input
          type="text"
          value={message}
          placeholder="What it is for"
          onInput={(event) => setMessage(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        Series
        <input type="text" value={ref} onInput={(event) => setRef(event.currentTarget.value)} />
      </label>
      <label class="field">
        Only files in this folder
        <input
          type="text"
          value={prefix}
          placeholder="All files"
          onInput={(event) => setPrefix(event.currentTarget.value)}
        />
      </label>
    </Ask>
  );
}
