/**
 * Waits for `work`, or rejects with the signal's reason as soon as it aborts; `work` itself goes on and its outcome is
 * dropped then. For waiting on what does not know the signal, such as a stream of the caller's.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    // Not one promise for the whole life of the signal: it would remember every wait there ever was.
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
