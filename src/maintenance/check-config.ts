/** Is the config on the backend whole, and in a sealed store the one that the metadata knows? */

import { equalBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { decodeStoreConfig, STORE_CONFIG_KEY, type StoreConfig } from '../format/index.ts';
import type { StoredConfig } from '../metadata/contract.ts';
import type { CheckedStore } from './checked-store.ts';
import type { ProblemList } from './problems.ts';

/**
 * A change is made in the metadata first and then on the backend, so what the metadata said before the rest of the
 * check is compared with the backend after it: an older config there was not just on its way.
 * @param before what `metadata.config` gave at the beginning; `undefined` also for a plain store
 */
export async function checkConfig(
  { backend, metadata, config: { keys } }: CheckedStore,
  before: StoredConfig | undefined,
  problems: ProblemList,
): Promise<void> {
  const sealed = keys !== 'none';
  const bytes = await backend.get(STORE_CONFIG_KEY);
  const config = bytes && decoded(bytes, problems);
  const add = (code: string, message: string): void => problems.add({ code, message });
  if (bytes === undefined) add('CONFIG_CORRUPT', `${STORE_CONFIG_KEY} is gone from the backend`);
  if (bytes === undefined || config === undefined) return;
  if ((config.keys !== 'none') !== sealed) {
    const [kind, other] = sealed ? ['sealed', 'plain'] : ['plain', 'sealed'];
    add('CONFIG_CORRUPT', `${STORE_CONFIG_KEY} is that of a ${other} store, and this one is ${kind}`);
  } else if (sealed && before === undefined) {
    add('METADATA_CORRUPT', 'metadata table settings: the config is gone');
  } else if (before && config.generation < before.generation) {
    const message = `${STORE_CONFIG_KEY} is of generation ${config.generation}, and the keys of ${before.generation}`;
    add('CONFIG_CORRUPT', message);
  } else if (before) {
    // Changed since, here or by another process: the newest of both must be one.
    const now = await metadata.config();
    const isOther = now?.generation === config.generation && !equalBytes(now.bytes, bytes);
    // A newer one was not made by a change of keys: the metadata would know it.
    if (now && (isOther || now.generation < config.generation))
      add('CONFIG_CORRUPT', `${STORE_CONFIG_KEY} is not the one the metadata knows`);
  }
}

function decoded(bytes: Uint8Array, problems: ProblemList): StoreConfig | undefined {
  try {
    return decodeStoreConfig(bytes);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    problems.addError(error);
    return undefined;
  }
}
