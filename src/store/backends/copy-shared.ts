import type { Backend } from '../../backend/contract.ts';
import { listAll } from '../../backend/list-all.ts';
import { INBOX_PREFIX, KEY_PAGES_PREFIX, STORE_CONFIG_KEY } from '../../format/index.ts';

/** Brings to a new backend what every backend holds. */
export async function copyShared(from: Backend, to: Backend): Promise<void> {
  await copy(STORE_CONFIG_KEY, from, to);
  for (const prefix of [KEY_PAGES_PREFIX, INBOX_PREFIX]) {
    for await (const { key } of listAll(from, { prefix })) {
      if ((await to.head(key)) === undefined) await copy(key, from, to);
    }
  }
}

async function copy(key: string, from: Backend, to: Backend): Promise<void> {
  const bytes = await from.get(key);
  if (bytes) await to.put(key, bytes);
}
