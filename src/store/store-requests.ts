import type { DatabaseRequests } from '../metadata/index.ts';
import type { BackendRequests } from '../placement/backend-link.ts';
import type { Engine } from './engine.ts';

/** What a store has asked of what holds it, since this handle was opened: what an operation costs there. */
export interface StoreRequests {
  /** By ascending number of the backend. */
  readonly backends: readonly BackendRequests[];
  /** Absent where the metadata is a file. */
  readonly metadata?: DatabaseRequests;
}

export function requestsOf({ connection, metadata }: Pick<Engine, 'connection' | 'metadata'>): StoreRequests {
  const backends = Object.freeze(connection.backends.links.map((link) => link.requests));
  const { requests } = metadata;
  return Object.freeze({ backends, ...(requests && { metadata: requests }) });
}
