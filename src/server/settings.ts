/** What holds for one server: options with everything said. */

import type { Logger } from '../index.ts';
import {
  SERVER_PROGRESS_BYTES_MIN,
  SERVER_PROGRESS_MS,
  SERVER_REQUESTS_MAX,
  SERVER_REQUESTS_OF_CALLER_MAX,
} from '../limits.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { AccessOptions } from './access/access.ts';

/** Bounds of a server. */
export interface ServerLimits {
  /** Largest body of an upload, in bytes. Default: what the store takes. */
  readonly bodyBytesMax?: number;
  /** Requests answered at once. Default 512. */
  readonly requestsMax?: number;
  /** Of those, from one token or address. Default 256. */
  readonly requestsOfCallerMax?: number;
  /** A client that lets the server wait so long in all must have moved `progressBytesMin` meanwhile. Default 30,000 ms. */
  readonly progressMs?: number;
  /** Default 32 KiB. */
  readonly progressBytesMin?: number;
}

/** How a store is to be served. */
export interface HandlerOptions {
  /** Who may do what. Default: nobody anything. */
  readonly access?: AccessOptions;
  readonly limits?: ServerLimits;
  /** Replace and delete only what a request names by `If-Match`; else `conflict/CONDITION_REQUIRED`. Default false. */
  readonly conditionalWrites?: boolean;
  /** Told of what goes wrong here and is no mistake of a client. Default: nobody. */
  readonly logger?: Logger;
  /** Aborted when the server begins to stop: `/readyz` says so, and requests are answered as before. */
  readonly stopping?: AbortSignal;
}

export interface Settings {
  readonly access: AccessOptions;
  readonly limits: Required<ServerLimits>;
  readonly conditionalWrites: boolean;
  readonly logger: Logger | undefined;
  readonly stopping: AbortSignal;
  readonly clock: Clock;
}

const LIMITS: Required<ServerLimits> = {
  bodyBytesMax: Number.MAX_SAFE_INTEGER,
  requestsMax: SERVER_REQUESTS_MAX,
  requestsOfCallerMax: SERVER_REQUESTS_OF_CALLER_MAX,
  progressMs: SERVER_PROGRESS_MS,
  progressBytesMin: SERVER_PROGRESS_BYTES_MIN,
};

export function settingsOf(options: HandlerOptions): Settings {
  const { access = {}, limits = {}, conditionalWrites = false, logger, stopping } = options;
  return {
    ...{ access, conditionalWrites, logger, clock: systemClock },
    limits: { ...LIMITS, ...limits },
    stopping: stopping ?? new AbortController().signal,
  };
}
