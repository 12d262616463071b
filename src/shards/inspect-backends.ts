import type { BackendSpace } from '../backend/contract.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { backendError, type NamedBackend, NamedBackends, type SpreadCallOptions } from './named-backends.ts';
import { progressOf } from './spread-progress.ts';

/** How a backend does: plain data. */
export interface NamedBackendState {
  readonly name: string;
  /** It answered. */
  readonly isUp: boolean;
  /** Used, free and allowed bytes; absent when it did not answer. */
  readonly space?: BackendSpace;
  /** Why it did not. */
  readonly code?: ErrorCode;
  readonly message?: string;
}

/**
 * Asks every backend how it does. One that fails is reported.
 * @returns one for each, in their order
 * @throws `conflict/BACKEND_EXISTS`; TypeError or RangeError for other arguments; the signal's reason
 */
export async function inspectBackends(
  backends: readonly NamedBackend[],
  options: SpreadCallOptions = {},
): Promise<readonly NamedBackendState[]> {
  const named = new NamedBackends(backends, options);
  const settled = progressOf('backends', backends.length, options);
  return await Promise.all(
    named.names.map(async (name) => {
      const state = await stateOf(named, name, options.signal);
      settled(0);
      return state;
    }),
  );
}

async function stateOf(
  backends: NamedBackends,
  name: string,
  signal: AbortSignal | undefined,
): Promise<NamedBackendState> {
  try {
    const space = await backends.call(name, (backend, inner) => backend.space({ signal: inner }), signal);
    return Object.freeze({ name, isUp: true, space });
  } catch (error) {
    signal?.throwIfAborted();
    const { code, message } = backendError(error);
    return Object.freeze({ name, isUp: false, code, message });
  }
}
