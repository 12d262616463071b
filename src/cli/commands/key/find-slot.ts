import { storeError } from '../../../errors/store-error.ts';
import type { KeySlot, Store } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';

/**
 * The slot whose id begins with what was typed.
 * @throws `not-found/SLOT_NOT_FOUND`, a usage error where it is not the only one
 */
export async function findSlot(store: Store, typed: string, session: Session): Promise<KeySlot> {
  const slots = await store.keys.list({ signal: session.signal });
  const found = slots.filter(({ id }) => typed !== '' && id.startsWith(typed.toLowerCase()));
  if (found.length > 1) throw usageError(`${typed} begins several ids: ${found.map(({ id }) => id).join(', ')}`);
  if (found[0] !== undefined) return found[0];
  throw storeError('SLOT_NOT_FOUND', `there is no key slot ${JSON.stringify(typed)}`, { details: { actual: typed } });
}

/** The only passphrase there is, for commands that need not name it. @throws as `findSlot` */
export async function findPassphrase(store: Store, session: Session): Promise<KeySlot> {
  const slots = await store.keys.list({ signal: session.signal });
  const found = slots.filter(({ type }) => type === 'passphrase');
  if (found.length > 1) throw usageError(`name the slot; there are ${found.map(({ id }) => id).join(', ')}`);
  if (found[0] !== undefined) return found[0];
  throw storeError('SLOT_NOT_FOUND', 'no slot of this store is a passphrase; `holdfast key add passphrase` makes one');
}
