import type { Entries, PutOptions } from '../../src/index.ts';
import { bytesOf, type Change, type Content, type Operation } from './operations.ts';

/** Makes the changes of an operation in a store, in one call; resolves when it is acknowledged. */
export async function runOperation(store: Entries, { changes, batch }: Operation): Promise<void> {
  if (!batch) {
    for (const change of changes) await runChange(store, change);
    return;
  }
  await store.batch(async (writer) => {
    for (const change of changes) {
      if (change.type === 'put') await writer.put(change.key, bytesOf(change.content), optionsOf(change.content));
      else if (change.type === 'delete') writer.delete(change.key);
      else writer[change.type](change.from, change.to, { replace: true });
    }
  });
}

async function runChange(store: Entries, change: Change): Promise<void> {
  if (change.type === 'put') await store.put(change.key, bytesOf(change.content), optionsOf(change.content));
  else if (change.type === 'delete') await store.delete(change.key);
  else await store[change.type](change.from, change.to, { replace: true });
}

/** How a content is put. */
export function optionsOf({ isolated }: Content): Pick<PutOptions, 'isolation'> {
  return isolated ? { isolation: 'entry' } : {};
}
