import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { KIB } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import { type Figure, latencyOf } from './figure.ts';
import { measureFor, type TimeBudget } from './timing.ts';

const WRITE_BYTES = 4 * KIB;

/** What the disk of a folder takes to make 4 KiB at the end of a file durable; the file is removed. */
export async function measureFlush(folder: string, budget: TimeBudget): Promise<Figure> {
  const file = path.join(folder, 'flushed');
  const bytes = systemRandom(WRITE_BYTES);
  const handle = await open(file, 'wx');
  try {
    const seconds = await measureFor(budget, async () => {
      await handle.write(bytes);
      await handle.sync();
    });
    return latencyOf({ id: 'disk.flush', what: 'disk: append 4 KiB and flush' }, seconds);
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}
