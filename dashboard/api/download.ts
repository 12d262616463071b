import { encodeKey } from '../../src/client/connection.ts';
import { nameOf } from '../lib/key.ts';
import { BASE, currentToken, send } from './session.ts';

interface Wanted {
  readonly scope: string;
  readonly key: string;
  readonly version?: string | undefined;
  readonly name?: string;
}

function click(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

/**
 * Saves a file. Without a token the browser asks for it itself; with one only a script can say the token, and what it gets goes
 * through memory.
 */
export async function download({ scope, key, version, name = nameOf(key) }: Wanted): Promise<void> {
  if (currentToken() === undefined) {
    const within = scope === 'default' ? '' : `/namespaces/${encodeURIComponent(scope)}`;
    const which = version === undefined ? '' : `?version=${version}`;
    click(`${BASE}${within}/files/${encodeKey(key)}${which}`, name);
    return;
  }
  const answer = await send('/files', { scope, key, query: { version } });
  saveBlob(await answer.blob(), name);
}

function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  click(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
