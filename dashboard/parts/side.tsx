import { isLive } from '../api/live.ts';
import { useMay } from '../api/may.ts';
import { access, currentToken, namespace, signOut } from '../api/session.ts';
import { getJson } from '../api/store.ts';
import type { NamespaceInfo } from '../api/types.ts';
import { useLoad } from '../lib/load.ts';
import { useValue } from '../lib/value.ts';

/** Namespaces that may be chosen from: those of the token, or all. */
async function choices(isAdmin: boolean, signal: AbortSignal): Promise<readonly string[]> {
  const { namespaces, sealed } = access.get() ?? {};
  if (namespaces) return namespaces;
  if (!sealed || !isAdmin) return [];
  const found = await getJson<{ namespaces: readonly NamespaceInfo[] }>('/namespaces', { signal });
  return ['default', ...found.namespaces.map(({ name }) => name).filter((name) => name !== 'default')];
}

/** Whose files are shown, where there is a choice. */
export function NamespaceChoice() {
  const { admin } = useMay();
  const current = useValue(namespace);
  const { value: names = [] } = useLoad((signal) => choices(admin, signal), [useValue(access)]);
  if (names.length < 2) return null;
  return (
    <label class="field small">
      Namespace
      <select value={current} onChange={(event) => namespace.set(event.currentTarget.value)}>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

/** Under which name the server knows us. */
export function Who() {
  const found = useValue(access);
  const live = useValue(isLive);
  const { admin } = useMay();
  if (!found) return null;
  const isToken = currentToken() !== undefined;
  return (
    <div class="who small muted">
      <p>{isToken ? `Signed in as ${found.name}` : 'On this machine'}</p>
      {admin && <p>{live ? 'Live' : 'Not connected'}</p>}
      {isToken && (
        <button type="button" class="link" onClick={signOut}>
          Sign out
        </button>
      )}
    </div>
  );
}
