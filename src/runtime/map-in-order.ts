/**
 * Runs `work` over items with at most `limit` in flight and yields the results in the order of the items. After the
 * first rejection nothing new starts, and what runs is waited for before the rejection goes out, so nothing happens
 * behind the caller's back.
 */
export async function* mapInOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const inFlight: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const running = work(item);
      // It is awaited below, possibly much later; until then a rejection must not count as unhandled.
      running.catch(() => undefined);
      inFlight.push(running);
      if (inFlight.length >= limit) yield await (inFlight.shift() as Promise<R>);
    }
    while (inFlight.length > 0) yield await (inFlight.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(inFlight);
  }
}
