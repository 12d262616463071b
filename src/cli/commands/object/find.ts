import type { Entries, FoundAddress, ObjectInfo } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';

/**
 * The object that somebody means: by its id, the beginning of it, a ref, or an address.
 * @throws what `Objects.find` throws; `ID_AMBIGUOUS` lists the ids that begin so
 */
export async function findMeant(session: Session, { objects }: Entries, address: string): Promise<FoundAddress> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const found = await objects.find(address, { signal: session.signal, timeZone });
  if (found.child?.type === 'link')
    throw usageError(`${address} is a symbolic link to ${found.child.target}, and no object`);
  return found;
}

/** What is known of an object that somebody means. */
export async function statMeant(session: Session, entries: Entries, address: string): Promise<ObjectInfo> {
  const { reference } = await findMeant(session, entries, address);
  return await entries.objects.stat(reference.id, { signal: session.signal });
}
