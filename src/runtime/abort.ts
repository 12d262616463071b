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

/**
 * Goes through items by hand, so that a source which keeps its reader waiting for ever can be aborted.
 * @throws the signal's reason, at once; a failure of the source as it is
 */
export async function* abortableItems<T>(
  source: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  signal?.throwIfAborted();
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let state: 'asked' | 'answered' | 'ended' = 'answered';
  try {
    for (;;) {
      state = 'asked';
      const next = await unlessAborted(Promise.resolve(iterator.next()), signal);
      state = next.done ? 'ended' : 'answered';
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    // Its own failure ended it; an answer that is still due may never come, so nobody waits for its end either.
    if (state === 'asked' && signal?.aborted) Promise.resolve(iterator.return?.()).catch(() => undefined);
    throw error;
  } finally {
    if (state === 'answered') await iterator.return?.();
  }
}
