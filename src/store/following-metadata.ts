import { isStoreError } from '../errors/store-error.ts';
import type { Metadata } from '../metadata/contract.ts';

/** What goes through as it is: these are how the change of keys is followed. */
const OWN_CALLS: ReadonlySet<string | symbol> = new Set(['config', 'setConfig', 'unlock', 'close']);

/** Others may change the keys again in between, but hardly this often. */
export const KEY_CHANGES_MAX = 10;

/**
 * The metadata of a sealed store whose keys other processes may change: a call that fails for want of the new keys,
 * with nothing done, is made again once they are here.
 * @param reload takes the new keys over
 */
export function followingMetadata(metadata: Metadata, reload: () => Promise<unknown>): Metadata {
  return new Proxy(metadata, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const call = (...args: readonly unknown[]): unknown => Reflect.apply(member, target, args);
      if (OWN_CALLS.has(name)) return call;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await call(...args);
          } catch (error) {
            if (!isStoreError(error, 'KEYS_CHANGED') || attempt === KEY_CHANGES_MAX) throw error;
            await reload();
          }
        }
      };
    },
  });
}
