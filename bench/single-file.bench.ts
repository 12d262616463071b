/** A store in one file beside one in a folder: blobs of a pack's size, ranges of them, small puts, and metadata calls meanwhile. */
import path from 'node:path';
import type { Backend } from '../src/backend/contract.ts';
import { openFsBackend } from '../src/backend/index.ts';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import { measure, rateOf } from '../src/bench/timing.ts';
import { createStore } from '../src/index.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { openSingleFile } from '../src/single-file/index.ts';
import type { Bench, BenchContext } from './harness/bench.ts';

const BLOB_BYTES = 16 * MIB;
const BLOBS = 16;
const RANGES = 2000;
const RANGE_BYTES = 4 * KIB;
const SMALL_PUTS = 2000;
const IN_FLIGHT = 64;

type Row = Readonly<Record<string, string | Spread>>;

interface Kind {
  readonly name: string;
  readonly open: (folder: string) => Promise<Backend>;
  readonly location: (folder: string) => string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'folder',
    open: (folder) => openFsBackend(path.join(folder, 'blobs'), { reserveBytes: 0 }),
    location: (folder) => path.join(folder, 'store'),
  },
  {
    name: 'one file',
    open: (folder) => openSingleFile(path.join(folder, 'blobs.hold')),
    location: (folder) => path.join(folder, 'store.hold'),
  },
];

async function measureBlobs(backend: Backend, rounds: number): Promise<Row> {
  const blob = new Uint8Array(BLOB_BYTES).map((_, index) => (index * 2_654_435_761) >>> 24);
  const keys = Array.from({ length: BLOBS }, (_, index) => `blob/${index}`);
  const bytes = BLOBS * BLOB_BYTES;
  const put = await measure(rounds, async () => {
    for (const key of keys) await backend.put(key, blob);
  });
  const get = await measure(rounds, async () => {
    for (const key of keys) await backend.get(key);
  });
  const ranges = await measure(rounds, async () => {
    for (let index = 0; index < RANGES; index += 1) {
      const offset = (index * 7919 * 4099) % (BLOB_BYTES - RANGE_BYTES);
      await backend.get(keys[index % BLOBS] as string, { offset, length: RANGE_BYTES });
    }
  });
  // A small call that waits behind a put of a whole pack.
  const waits: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const putting = backend.put('blob/0', blob);
    const start = systemClock.monotonicMs();
    await backend.head('blob/1');
    waits.push(systemClock.monotonicMs() - start);
    await putting;
  }
  return {
    put: rateOf(bytes, put),
    get: rateOf(bytes, get),
    range: spreadOf(ranges.samples.map((seconds) => (seconds / RANGES) * 1e6)),
    wait: spreadOf(waits),
  };
}

async function measureSmallPuts(location: string, rounds: number): Promise<Spread> {
  const store = await createStore(location, { keys: 'none', reserveBytes: 0 });
  let next = 0;
  const putSome = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      next += 1;
      await store.put(`small/${next}`, `${next} `.repeat(500));
    }
  };
  const seconds = await measure(rounds, () =>
    Promise.all(Array.from({ length: IN_FLIGHT }, () => putSome(Math.ceil(SMALL_PUTS / IN_FLIGHT)))),
  );
  await store.close();
  return spreadOf(seconds.samples.map((sample) => SMALL_PUTS / sample));
}

async function rowOf(kind: Kind, { workFolder, rounds }: BenchContext): Promise<Row> {
  const backend = await kind.open(workFolder);
  const blobs = await measureBlobs(backend, rounds);
  await backend.close();
  return { kind: kind.name, ...blobs, puts: await measureSmallPuts(kind.location(workFolder), rounds) };
}

export const bench: Bench = {
  name: 'single-file',
  about: 'blobs and small puts in one file beside a folder',
  async run(context) {
    const rows: Row[] = [];
    for (const kind of KINDS) rows.push(await rowOf(kind, context));
    return [
      {
        title: 'single-file: one after the other, durable; small puts 64 in flight',
        columns: [
          { key: 'kind', head: 'place' },
          { key: 'put', head: 'put 16 MiB', unit: 'MB/s' },
          { key: 'get', head: 'get 16 MiB', unit: 'MB/s' },
          { key: 'range', head: 'get 4 KiB', unit: 'us' },
          { key: 'wait', head: 'head behind a put', unit: 'ms' },
          { key: 'puts', head: 'puts of 2 KB a second', unit: 'count' },
        ],
        rows,
      },
    ];
  },
};
