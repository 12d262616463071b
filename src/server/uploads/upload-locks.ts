import type { Lock, Locker, RequestRelease } from '@tus/server';

interface Held {
  readonly requestRelease: RequestRelease;
  readonly freed: Promise<void>;
  readonly free: () => void;
}

/**
 * Lets one request at a time have an upload. Whoever waits has asked the one before to end: its connection may be dead without a
 * word. Waiting costs nothing, and ends with the client that waits.
 */
export class UploadLocks {
  readonly #held = new Map<string, Held>();

  /** @param signal aborted when the client is gone */
  for(signal: AbortSignal): Locker {
    return { newLock: (id) => this.#newLock(id, signal) };
  }

  #newLock(id: string, signal: AbortSignal): Lock {
    return {
      lock: async (_stop, requestRelease) => {
        const gone = Promise.withResolvers<never>();
        // Nobody may be waiting for it just then.
        gone.promise.catch(() => undefined);
        const leave = (): void => gone.reject(signal.reason);
        signal.addEventListener('abort', leave, { once: true });
        try {
          signal.throwIfAborted();
          for (let held = this.#held.get(id); held; held = this.#held.get(id)) {
            await held.requestRelease();
            await Promise.race([held.freed, gone.promise]);
          }
        } finally {
          signal.removeEventListener('abort', leave);
        }
        const { promise: freed, resolve: free } = Promise.withResolvers<void>();
        this.#held.set(id, { requestRelease, freed, free });
      },
      unlock: async () => {
        const held = this.#held.get(id);
        this.#held.delete(id);
        held?.free();
      },
    };
  }
}
