/**
 * A process that works on a store beside others, and prints what was acknowledged as lines of JSON.
 *
 *     node store-process.ts write <folder> <name> <seed> <operations>
 *     node store-process.ts read <folder> <key> ...    until its input ends
 */
import { isStoreError, openStore } from '../../src/index.ts';
import { sleep } from '../../src/runtime/timers.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { type Acknowledged, contentOf, SHARED_KEYS } from './shared-work.ts';

const READ_PAUSE_MS = 10;

async function write(folder: string, name: string, options: { readonly seed: number; readonly operations: number }) {
  const random = seededRandom(options.seed);
  const store = await openStore(folder, { reserveBytes: 0 });
  for (let index = 0; index < options.operations; index += 1) {
    const shared = random.integer(4) === 0;
    const key = shared ? (SHARED_KEYS[random.integer(SHARED_KEYS.length)] as string) : `${name}/${random.integer(20)}`;
    // Few seeds: writers store the same content at the same time.
    const seed = random.integer(4) === 0 ? null : random.integer(300);
    if (seed === null) await store.delete(key);
    else await store.put(key, contentOf(seed));
    const done: Acknowledged = { key, seed };
    process.stdout.write(`${JSON.stringify(done)}\n`);
  }
  await store.close();
}

async function read(folder: string, keys: readonly string[]): Promise<void> {
  const store = await openStore(folder, { readOnly: true });
  let ended = false;
  process.stdin.resume().once('end', () => {
    ended = true;
  });
  let reads = 0;
  while (!ended) {
    for (const key of keys) {
      try {
        await store.get(key);
        reads += 1;
      } catch (error) {
        if (!isStoreError(error, 'ENTRY_NOT_FOUND')) throw error;
      }
    }
    // The writers have need of the machine, too.
    await sleep(READ_PAUSE_MS);
  }
  process.stdout.write(`${JSON.stringify({ reads })}\n`);
  await store.close();
}

const [mode, folder = '', ...rest] = process.argv.slice(2);
if (mode === 'write') await write(folder, rest[0] ?? '', { seed: Number(rest[1]), operations: Number(rest[2]) });
if (mode === 'read') await read(folder, rest);
