import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * Resolves after `ms` milliseconds, or rejects with the signal's reason. Does not keep the process alive by itself when
 * `background`.
 */
export async function sleep(
  ms: number,
  options: { readonly signal?: AbortSignal; readonly background?: boolean } = {},
): Promise<void> {
  try {
    await setTimeout(ms, undefined, { ...(options.signal && { signal: options.signal }), ref: !options.background });
  } catch (error) {
    throw options.signal?.aborted ? options.signal.reason : error;
  }
}

/** Lets other work of the event loop run. */
export async function yieldToEventLoop(): Promise<void> {
  await setImmediate();
}

/** Calls `tick` every `ms` milliseconds until stopped; never keeps the process alive. */
export function every(ms: number, tick: () => void): { stop(): void } {
  const handle = setInterval(tick, ms);
  handle.unref();
  return { stop: () => clearInterval(handle) };
}
