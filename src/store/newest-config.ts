/** What the backends of a store say of its config: they are asked side by side, and none of them for ever. */
import { isStoreError } from '../errors/store-error.ts';
import { decodeStoreConfig, STORE_CONFIG_KEY, type StoreConfig } from '../format/index.ts';
import type { BackendLink } from '../placement/backend-link.ts';
import { Patience } from '../placement/patience.ts';
import type { Connection } from './backends/connect.ts';
import { newerPlain } from './settings.ts';
import type { OpenedConfig, Unlocking } from './unlock.ts';

/** A backend that does not answer must not keep a store from being opened. */
const CONFIG_TIMEOUT_MS = 10_000;

/**
 * The newest config that any backend has: the one at the place may have been away when it was changed, or be a copy of
 * yesterday that was put back.
 * @throws `denied/WRONG_KEY` when a newer one shut the caller out, `corrupt/CONFIG_CORRUPT` when it is of other keys
 */
export async function newestConfig({ backends }: Connection, unlocking: Unlocking): Promise<OpenedConfig> {
  const patience = new Patience(CONFIG_TIMEOUT_MS);
  const found = await Promise.all(backends.links.map((link) => configOn(link, patience).catch(() => undefined)));
  let newest = unlocking.opened;
  for (const bytes of found) {
    const config = bytes && decodeIfSound(bytes);
    if (bytes === undefined || config === undefined || config.generation <= newest.config.generation) continue;
    const stored = { generation: config.generation, bytes };
    newest = newest.keyring
      ? await unlocking.newer(stored)
      : { config: newerPlain(newest.config, stored) ?? newest.config };
  }
  return newest;
}

/** Brings the config to backends that have an older one, or none: they were away when it was changed. */
export async function spreadConfig({ backends }: Connection, bytes: Uint8Array): Promise<void> {
  if (backends.links.length === 1) return;
  const { generation } = decodeStoreConfig(bytes);
  const patience = new Patience(CONFIG_TIMEOUT_MS);
  await Promise.allSettled(
    backends.links.map(async (link) => {
      if (!link.writable) return;
      const there = await configOn(link, patience);
      // Of the same generation there is one; a newer one was written by somebody meanwhile.
      if (there && (decodeIfSound(there)?.generation ?? 0) >= generation) return;
      await patience.ask(link, (signal) =>
        link.call('write', (backend) => backend.put(STORE_CONFIG_KEY, bytes, { signal }), signal),
      );
    }),
  );
}

function configOn(link: BackendLink, patience: Patience): Promise<Uint8Array | undefined> {
  return patience.ask(link, (signal) =>
    link.call('read', (backend) => backend.get(STORE_CONFIG_KEY, { signal }), signal),
  );
}

function decodeIfSound(bytes: Uint8Array): StoreConfig | undefined {
  try {
    return decodeStoreConfig(bytes);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return undefined;
  }
}
