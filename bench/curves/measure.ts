/** The curves: each makes stores of its own, one for each point, so that no point finds what another put. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { CreateOptions, Store } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { BenchContext } from '../harness/bench.ts';
import type { Library } from '../harness/library.ts';
import { type Cost, type Curve, costOf, type Point } from './curve.ts';

/** What the curves need beside the context. */
export interface CurveParts {
  readonly library: Library;
  readonly context: BenchContext;
  /** Made-up content, as long as the largest point. */
  readonly contentFile: string;
}

const READS = 200;
const RANGE_BYTES = 4 * KIB;

/** Runs `work` on a store that is removed afterwards. */
async function onStore<T>(
  { library, context }: CurveParts,
  options: Partial<CreateOptions>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const folder = path.join(context.workFolder, 'store');
  try {
    const { backends } = options;
    const placed = backends?.map((_, at) => ({ location: path.join(folder, `backend-${at}`) }));
    const store = await library.holdfast.createStore(path.join(folder, 'home'), {
      ...{ keys: 'none', gc: 'manual', reserveBytes: 0 },
      ...options,
      ...(placed && { backends: placed }),
    });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function drain(content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of content);
}

function head(file: string, bytes: number): AsyncIterable<Uint8Array> {
  return createReadStream(file, { end: bytes - 1, highWaterMark: MIB });
}

function sizeLabel(bytes: number): string {
  if (bytes >= 1024 * MIB) return `${bytes / (1024 * MIB)} GiB`;
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}

async function rangeCost(store: Store, size: number): Promise<Cost> {
  const offsets = Array.from({ length: READS }, (_, nth) => Math.floor((nth / READS) * (size - RANGE_BYTES)));
  return await costOf(READS, async () => {
    for (const offset of offsets) await drain(store.read('entry', { offset, length: RANGE_BYTES }));
  });
}

/** Puts of one size until there is enough of them to measure. */
export async function alongSize(parts: CurveParts, sizes: readonly number[]): Promise<Curve> {
  const points: Point[] = [];
  for (const size of sizes) {
    const times = Math.max(1, Math.min(100, Math.floor((4 * MIB) / size)));
    const mib = (size * times) / MIB;
    points.push(
      await onStore(parts, {}, async (store) => {
        const put = await costOf(mib, async () => {
          for (let nth = 0; nth < times; nth += 1) {
            const source = times === 1 ? head(parts.contentFile, size) : systemRandom(size);
            await store.put(times === 1 ? 'entry' : `entry-${nth}`, source);
          }
        });
        const read = await costOf(mib, async () => {
          for (let nth = 0; nth < times; nth += 1) await drain(store.read(times === 1 ? 'entry' : `entry-${nth}`));
        });
        return { x: size, label: sizeLabel(size), costs: { put, read } };
      }),
    );
    parts.context.say(`  size ${sizeLabel(size)}`);
  }
  return { name: 'size', title: 'Cost by size of an entry', along: 'size of an entry', unit: 'MiB', points };
}

export async function alongEntries(parts: CurveParts, counts: readonly number[]): Promise<Curve> {
  const points: Point[] = [];
  for (const count of counts) {
    points.push(
      await onStore(parts, {}, async (store) => {
        const put = await costOf(count, async () => {
          for (let first = 0; first < count; first += 1000) {
            const keys = Array.from({ length: Math.min(1000, count - first) }, (_, nth) => `entry-${first + nth}`);
            await store.putMany(keys.map((key) => ({ key, source: Buffer.from(`content of ${key}`) })));
          }
        });
        // Waits for the merge of what was just put, whose cost is that of the puts.
        await store.maintenance.gc({ dryRun: true });
        const any = (nth: number): string => `entry-${(nth * 7919) % count}`;
        const every = async (work: (key: string) => Promise<unknown>): Promise<void> => {
          for (let nth = 0; nth < READS; nth += 1) await work(any(nth));
        };
        const get = await costOf(READS, () => every((key) => store.get(key)));
        const stat = await costOf(READS, () => every((key) => store.stat(key)));
        const list = await costOf(count, async () => {
          for await (const _entry of store.list());
        });
        const alone = await costOf(READS, () => every((key) => store.put(`${key}-new`, Buffer.from(key))));
        return {
          x: count,
          label: count.toLocaleString('en'),
          costs: { 'put many': put, 'put one': alone, get, stat, list },
        };
      }),
    );
    parts.context.say(`  ${count} entries`);
  }
  return {
    name: 'entries',
    title: 'Cost by entries in the store',
    along: 'entries in the store',
    unit: 'entry',
    points,
  };
}

export async function alongChunks(parts: CurveParts, counts: readonly number[]): Promise<Curve> {
  const points: Point[] = [];
  for (const count of counts) {
    const size = count * RANGE_BYTES;
    points.push(
      await onStore(parts, { chunking: `fixed:${RANGE_BYTES}` }, async (store) => {
        const put = await costOf(count, () => store.put('entry', head(parts.contentFile, size)));
        const read = await costOf(count, () => drain(store.read('entry')));
        const range = await rangeCost(store, size);
        return { x: count, label: count.toLocaleString('en'), costs: { put, read, 'read of one': range } };
      }),
    );
    parts.context.say(`  ${count} chunks`);
  }
  return { name: 'chunks', title: 'Cost by chunks of an entry', along: 'chunks of 4 KiB', unit: 'chunk', points };
}

async function putAndRead(parts: CurveParts, size: number, options: Partial<CreateOptions>): Promise<Point['costs']> {
  return await onStore(parts, options, async (store) => {
    const put = await costOf(size / MIB, () => store.put('entry', head(parts.contentFile, size)));
    const read = await costOf(size / MIB, () => drain(store.read('entry')));
    return { put, read };
  });
}

const someBackends = (count: number) => Array.from({ length: count }, () => ({ location: '' }));

export async function alongBackends(parts: CurveParts, counts: readonly number[], size: number): Promise<Curve> {
  const points: Point[] = [];
  for (const count of counts) {
    const costs = await putAndRead(parts, size, { backends: someBackends(count) });
    points.push({ x: count, label: String(count), costs });
    parts.context.say(`  ${count} backends`);
  }
  return { name: 'backends', title: 'Cost by backends, no redundancy', along: 'backends', unit: 'MiB', points };
}

export async function alongRedundancy(parts: CurveParts, kinds: readonly string[], size: number): Promise<Curve> {
  const points: Point[] = [];
  for (const kind of kinds) {
    const [k = 1, m = 0] = kind.split('+').map(Number);
    const costs = await putAndRead(parts, size, { redundancy: kind, backends: someBackends(k + m) });
    points.push({ x: (k + m) / k, label: kind, costs });
    parts.context.say(`  redundancy ${kind}`);
  }
  return { name: 'redundancy', title: 'Cost by redundancy', along: 'redundancy', unit: 'MiB', points };
}

export async function alongConcurrency(parts: CurveParts, inFlight: readonly number[]): Promise<Curve> {
  const total = 1024;
  const points: Point[] = [];
  for (const count of inFlight) {
    points.push(
      await onStore(parts, {}, async (store) => {
        const inTurns = (work: (nth: number) => Promise<unknown>) => async (): Promise<void> => {
          let next = 0;
          const worker = async (): Promise<void> => {
            while (next < total) await work(next++);
          };
          await Promise.all(Array.from({ length: count }, worker));
        };
        const put = await costOf(
          total,
          inTurns((nth) => store.put(`entry-${nth}`, systemRandom(RANGE_BYTES))),
        );
        const get = await costOf(
          total,
          inTurns((nth) => store.get(`entry-${nth}`)),
        );
        return { x: count, label: String(count), costs: { put, get } };
      }),
    );
    parts.context.say(`  ${count} in flight`);
  }
  return {
    name: 'concurrency',
    title: 'Cost of 4 KiB by calls in flight',
    along: 'calls in flight',
    unit: 'call',
    points,
  };
}
