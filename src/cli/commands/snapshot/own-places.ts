import { fileURLToPath } from 'node:url';
import type { Store } from '../../../index.ts';
import type { Session } from '../../session.ts';

/** A database has its newest pages beside it. */
const BESIDE = ['', '-wal', '-shm', '-journal'] as const;

/** Where the store lies with all its backends: what must neither be stored in itself nor be replaced by a restore. */
export async function ownPlaces(session: Session, store: Store): Promise<readonly string[]> {
  const home = await session.storePath();
  const backends = await store.backends.list({ signal: session.signal });
  const folders = backends.flatMap(({ url }) => (url.startsWith('file:') ? [fileURLToPath(url)] : []));
  return [...new Set([home, ...folders])].flatMap((place) => BESIDE.map((ending) => `${place}${ending}`));
}
