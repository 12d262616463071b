/**
 * Has the next item made while the one before is in use. When the reader stops, what is being made is waited for.
 * @throws what `items` throws, in its place
 */
export async function* oneAhead<T>(items: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const ask = (): Promise<IteratorResult<T, void>> => {
    const asked = items.next();
    // Its failure waits until its turn comes.
    asked.catch(() => undefined);
    return asked;
  };
  let coming = ask();
  try {
    for (;;) {
      const next = await coming;
      if (next.done) return;
      coming = ask();
      yield next.value;
    }
  } finally {
    await coming.catch(() => undefined);
    await items.return();
  }
}
