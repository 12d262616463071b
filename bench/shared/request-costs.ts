/** What single calls of a store ask of a bucket and of PostgreSQL, as the store counts it itself. */

import type { Store, StoreRequests } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import type { Report } from '../harness/report.ts';
import type { SharedBench } from './ingest.ts';

/** Requests that object stores bill as writes, with their lists; and those that they bill as reads. */
const WRITES = ['PutObject', 'UploadPart', 'CreateMultipartUpload', 'CompleteMultipartUpload', 'ListObjectsV2'];
const READS = ['GetObject', 'HeadObject', 'HeadBucket'];
const PUTS_AT_ONCE = 64;

interface Cost {
  readonly writes: number;
  readonly reads: number;
  readonly deletes: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly statements: number;
  readonly roundTrips: number;
}

function costOf({ backends, metadata }: StoreRequests): Cost {
  const { calls, service } = backends[0] as StoreRequests['backends'][number];
  const sum = (names: readonly string[]): number =>
    names.reduce((total, name) => total + (service?.requests[name] ?? 0), 0);
  return {
    ...{ writes: sum(WRITES), reads: sum(READS), deletes: sum(['DeleteObject']) },
    ...{ bytesOut: calls.put.bytes, bytesIn: calls.get.bytes + calls.getRange.bytes },
    ...{ statements: metadata?.statements ?? 0, roundTrips: metadata?.roundTrips ?? 0 },
  };
}

const NOTHING: Cost = { writes: 0, reads: 0, deletes: 0, bytesOut: 0, bytesIn: 0, statements: 0, roundTrips: 0 };

/** What `after` has more than `before`, divided by how often it was done. */
function between(before: Cost, after: Cost, times: number): Cost {
  const names = Object.keys(before) as (keyof Cost)[];
  return Object.fromEntries(names.map((name) => [name, (after[name] - before[name]) / times])) as unknown as Cost;
}

type Step = readonly [what: string, times: number, work: (store: Store) => Promise<unknown>];

function stepsOf(): readonly Step[] {
  const random = seededRandom(11);
  const [small, medium, large] = [4 * KIB, MIB, 64 * MIB].map((bytes) => random.bytes(bytes)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const many = Array.from({ length: PUTS_AT_ONCE }, () => random.bytes(4 * KIB));
  const drain = async (store: Store): Promise<void> => {
    for await (const _ of store.read('large'));
  };
  return [
    ['put of 4 KiB, alone', 1, (store) => store.put('small', small)],
    [
      'put of 4 KiB, one of 64 at once',
      PUTS_AT_ONCE,
      (store) => Promise.all(many.map((one, at) => store.put(`m${at}`, one))),
    ],
    [
      'put of 4 KiB, one of 64 in putMany',
      PUTS_AT_ONCE,
      (store) => store.putMany(many.map((source, at) => ({ key: `b${at}`, source: source.slice().reverse() }))),
    ],
    ['put of 1 MiB, alone', 1, (store) => store.put('medium', medium)],
    ['put of 64 MiB', 1, (store) => store.put('large', large)],
    ['the same 64 MiB under another key', 1, (store) => store.put('again', large)],
    ['get of 4 KiB', 1, (store) => store.get('small')],
    ['get of 1 MiB', 1, (store) => store.get('medium')],
    ['get of 64 MiB', 1, drain],
    [
      'read of 10 bytes of 64 MiB',
      1,
      (store) => Array.fromAsync(store.read('large', { offset: 40 * MIB, length: 10 })),
    ],
    ['stat', 1, (store) => store.stat('small')],
    ['list of 130 entries', 1, (store) => Array.fromAsync(store.list())],
    ['delete', 1, (store) => store.delete('small')],
    ['check of all', 1, (store) => store.maintenance.check()],
  ];
}

/** @returns requests by what was done; each step begins when what the one before set off has ended */
export async function measureRequests({ library, services, context }: SharedBench): Promise<Report> {
  const bucket = await services.makeBucket();
  const place = { backend: services.urlOf(bucket), metadata: services.newSchema() };
  const how = { keys: { key: new Uint8Array(32).fill(9) } } as const;
  const unattended = { gc: 'manual', heal: 'manual' } as const;
  const { createStore, openStore } = library.holdfast;
  const rows: { readonly what: string; readonly cost: Cost }[] = [];
  await (await createStore(place, { ...how, ...unattended })).close();
  for (const [what, times, work] of stepsOf()) {
    // A handle for each: what its closing writes belongs to it.
    const store = await openStore(place, { ...how, ...unattended });
    const before = costOf((await store.stats()).requests);
    if (rows.length === 0) rows.push({ what: 'open for writing', cost: between(NOTHING, before, 1) });
    await work(store);
    rows.push({ what, cost: between(before, costOf((await store.stats()).requests), times) });
    await store.close();
    context.say(`  requests: ${what}`);
  }
  const column = (key: string, head: string) => ({ key, head, unit: 'x' as const });
  await services.dropBucket(bucket);
  return {
    title: 'shared: requests, by what was done; sealed store in one bucket, metadata in PostgreSQL',
    columns: [
      { key: 'what', head: 'what' },
      column('writes', 'writes and lists'),
      column('reads', 'reads'),
      column('deletes', 'deletes'),
      { key: 'bytesOut', head: 'sent', unit: 'MB' },
      { key: 'bytesIn', head: 'received', unit: 'MB' },
      column('statements', 'statements'),
      column('roundTrips', 'round trips'),
    ],
    rows: rows.map(({ what, cost }) => ({ what, ...cost })),
    notes: ['where a row is one of many, each figure is the share of one'],
  };
}
