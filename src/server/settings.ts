/** What holds for one server: options with everything said. */

import type { Logger } from '../index.ts';
import {
  SERVER_JSON_HELD_BYTES_MAX,
  SERVER_JSON_HELD_BYTES_OF_CALLER_MAX,
  SERVER_PROGRESS_BYTES_MIN,
  SERVER_PROGRESS_MS,
  SERVER_REQUESTS_MAX,
  SERVER_REQUESTS_OF_CALLER_MAX,
} from '../limits.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { AccessOptions } from './access/access.ts';
import type { BreakableBackends } from './demo/breakable-backends.ts';
import type { UploadOptions } from './uploads/upload-options.ts';

/** Bounds of a server. */
export interface ServerLimits {
  /** Largest body of an upload, in bytes. Default: what the store takes. */
  readonly bodyBytesMax?: number;
  /** Requests answered at once. Default 512. */
  readonly requestsMax?: number;
  /** Of those, from one token or address. Default 256. */
  readonly requestsOfCallerMax?: number;
  /** From one token or address, each second; above 0. Default: no bound. */
  readonly requestsPerSecond?: number;
  /** Bytes of JSON in requests that are being answered. Default 64 MiB. */
  readonly jsonHeldBytesMax?: number;
  /** Of those, from one token or address. Default 32 MiB. */
  readonly jsonHeldBytesOfCallerMax?: number;
  /** A client that lets the server wait so long in all must have moved `progressBytesMin` meanwhile. Default 30,000 ms. */
  readonly progressMs?: number;
  /** Default 32 KiB. */
  readonly progressBytesMin?: number;
}

/** A request that changes something, or was refused to somebody. */
export interface AuditEvent {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** `token NAME`, or `address ADDRESS` of whoever came without one, or with a wrong one. */
  readonly caller: string;
  readonly method: string;
  /** As it came: percent-encoded. */
  readonly path: string;
  /** Of the answer. */
  readonly status: number;
}

/** How a store is to be served. */
export interface HandlerOptions {
  /** Who may do what. Default: nobody anything. */
  readonly access?: AccessOptions;
  readonly limits?: ServerLimits;
  /** Take resumable uploads. Default: none are taken. */
  readonly uploads?: UploadOptions;
  /** Replace and delete only what a request names by `If-Match`; else `conflict/CONDITION_REQUIRED`. Default false. */
  readonly conditionalWrites?: boolean;
  /** Show browsers a dashboard at `/dashboard`, and lead them there from `/`. Default true. */
  readonly dashboard?: boolean;
  /** Told of what goes wrong here and is no mistake of a client. Default: nobody. */
  readonly logger?: Logger;
  /** Told of every request that is no reading, and of every one that is refused to somebody (401, 403, 429). */
  readonly audit?: (event: AuditEvent) => void;
  /** Backends that callers who may `admin` can break, below `/demo`; see `openDemo`. Default: there is no such path. */
  readonly demo?: BreakableBackends;
  /** Aborted when the server begins to stop: `/readyz` says so, and requests are answered as before. */
  readonly stopping?: AbortSignal;
}

export interface Settings {
  readonly access: AccessOptions;
  readonly limits: Required<ServerLimits>;
  readonly uploads: UploadOptions | undefined;
  readonly conditionalWrites: boolean;
  readonly dashboard: boolean;
  readonly demo: boolean;
  readonly logger: Logger | undefined;
  readonly audit: ((event: AuditEvent) => void) | undefined;
  readonly stopping: AbortSignal;
  readonly clock: Clock;
}

const LIMITS: Required<ServerLimits> = {
  bodyBytesMax: Number.MAX_SAFE_INTEGER,
  requestsMax: SERVER_REQUESTS_MAX,
  requestsOfCallerMax: SERVER_REQUESTS_OF_CALLER_MAX,
  requestsPerSecond: Number.POSITIVE_INFINITY,
  jsonHeldBytesMax: SERVER_JSON_HELD_BYTES_MAX,
  jsonHeldBytesOfCallerMax: SERVER_JSON_HELD_BYTES_OF_CALLER_MAX,
  progressMs: SERVER_PROGRESS_MS,
  progressBytesMin: SERVER_PROGRESS_BYTES_MIN,
};

export function settingsOf(options: HandlerOptions): Settings {
  const {
    access = {},
    limits = {},
    uploads,
    conditionalWrites = false,
    dashboard = true,
    demo,
    logger,
    audit,
    stopping,
  } = options;
  return {
    ...{ access, uploads, conditionalWrites, dashboard, demo: demo !== undefined, logger, audit, clock: systemClock },
    limits: { ...LIMITS, ...limits },
    stopping: stopping ?? new AbortController().signal,
  };
}
