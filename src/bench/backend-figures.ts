/** What a backend answers in: blobs are put, read, looked at, listed and deleted through its contract, and none stays. */
import type { Backend, CallOptions } from '../backend/index.ts';
import { KIB, MIB } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import { type Figure, figureOf, latencyOf } from './figure.ts';
import type { Spread } from './spread.ts';
import { measureFor, rateOf, type TimeBudget } from './timing.ts';

/** What a round trip costs and next to nothing else. */
const SMALL_BYTES = 4 * KIB;
/** As large as the packs that a store writes while content comes. */
const LARGE_BYTES = 8 * MIB;
const PREFIX = 'bench/';

/** Deletes what the measuring put, however it ended. */
async function deleteAll(backend: Backend): Promise<void> {
  for (;;) {
    const page = await backend.list({ prefix: PREFIX });
    if (page.length === 0) return;
    for (const { key } of page) await backend.delete(key);
  }
}

/** @returns round trips in milliseconds and rates of one blob at a time, `name` in their ids */
export async function measureBackend(backend: Backend, name: string, budget: TimeBudget): Promise<readonly Figure[]> {
  const options: CallOptions = budget.signal ? { signal: budget.signal } : {};
  let count = 0;
  const put = (bytes: Uint8Array): Promise<void> => {
    count += 1;
    return backend.put(`${PREFIX}${count}`, bytes, options);
  };
  const small = systemRandom(SMALL_BYTES);
  const large = systemRandom(LARGE_BYTES);
  const time = (work: () => Promise<unknown>): Promise<Spread> => measureFor(budget, work);
  const trip = (id: string, what: string, seconds: Spread): Figure =>
    latencyOf({ id: `backend.${name}.${id}`, what: `${name}: ${what}` }, seconds);
  const rate = (id: string, what: string, seconds: Spread): Figure =>
    figureOf({ id: `backend.${name}.${id}`, what: `${name}: ${what}`, unit: 'MB/s' }, rateOf(LARGE_BYTES, seconds));
  const figures: Figure[] = [];
  try {
    figures.push(trip('put', 'put 4 KiB', await time(() => put(small))));
    const smallCount = count;
    figures.push(trip('get', 'get 4 KiB', await time(() => backend.get(`${PREFIX}1`, options))));
    figures.push(trip('head', 'head', await time(() => backend.head(`${PREFIX}1`, options))));
    figures.push(
      trip('list', 'list one key', await time(() => backend.list({ ...options, prefix: PREFIX, limit: 1 }))),
    );
    figures.push(rate('write', 'put 8 MiB', await time(() => put(large))));
    figures.push(rate('read', 'get 8 MiB', await time(() => backend.get(`${PREFIX}${smallCount + 1}`, options))));
    let deleted = 0;
    const deleteNext = (): Promise<void> => {
      deleted = (deleted % count) + 1;
      return backend.delete(`${PREFIX}${deleted}`, options);
    };
    figures.push(trip('delete', 'delete', await time(deleteNext)));
    return figures;
  } finally {
    await deleteAll(backend);
  }
}
