import type { S3Client } from '@aws-sdk/client-s3';
import type { ServiceRequests } from '../contract.ts';
import { statusOf } from './s3-error.ts';

/** Too many requests, and what object stores say instead: slow down. */
const THROTTLED: ReadonlySet<number | undefined> = new Set([429, 503]);

/** Counts the requests of clients as they go out, each try for itself: that is what is billed. */
export class RequestMeter {
  readonly #requests = new Map<string, number>();
  #retries = 0;
  #throttles = 0;

  /** As they are now; frozen. */
  get counts(): ServiceRequests {
    const requests = Object.freeze(Object.fromEntries([...this.#requests].toSorted()));
    return Object.freeze({ requests, retries: this.#retries, throttles: this.#throttles });
  }

  /** Counts what this client sends from now on. @returns the client */
  watch(client: S3Client): S3Client {
    client.middlewareStack.add(
      (next, { commandName = 'unknown' }) => {
        // Made once for each command; what follows is run for each try.
        let tries = 0;
        return async (args) => {
          const name = commandName.replace(/Command$/, '');
          this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1);
          if (tries > 0) this.#retries += 1;
          tries += 1;
          try {
            return await next(args);
          } catch (error) {
            if (THROTTLED.has(statusOf(error))) this.#throttles += 1;
            throw error;
          }
        };
      },
      // Within the tries, which the step does at its beginning.
      { step: 'finalizeRequest', priority: 'low', name: 'requestMeter' },
    );
    return client;
  }
}
