import { useState } from 'preact/hooks';
import { postJson } from '../../api/store.ts';
import { complain, tell } from '../../parts/toasts.tsx';

interface RenameFormProps {
  readonly scope: string;
  readonly name: string;
  readonly onDone: (name: string) => void;
}

/** Another name, or another folder: slashes make folders. */
export function RenameForm({ scope, name, onDone }: RenameFormProps) {
  const [to, setTo] = useState(name);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await postJson('/rename', { from: name, to }, { scope });
      tell(`It is called ${to} now.`);
      onDone(to);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <form class="inline-form" onSubmit={submit}>
      <label class="field">
        New name, with its folder
        <input type="text" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button primary" disabled={to === '' || to === name}>
        Rename
      </button>
    </form>
  );
}
