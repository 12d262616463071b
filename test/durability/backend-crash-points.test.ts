/** The process ends before every change that moving shards, or changing the backends, makes of backends and metadata. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/contract.ts';
import { MemoryBackend } from '../../src/backend/index.ts';
import { isStoreError, type Store } from '../../src/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { noise } from '../support/contents.ts';
import { Lifeline, ProcessEnded } from '../support/lifeline.ts';
import { KINDS, type MetadataHome, metadataHome, startProcess } from '../support/living-store.ts';
import { pointsOf, SAMPLE, someOf } from '../support/points.ts';

/** Of one operation in one run. */
const POINTS = 2;
const CONTENTS = [
  ['large', noise(150_000, 1)],
  ['small', noise(300, 2)],
] as const;

type Keys = (typeof KINDS)[number]['keys'];

interface Machine {
  readonly home: MemoryBackend;
  readonly others: readonly MemoryBackend[];
  /** One that the store does not have yet. */
  readonly spare: MemoryBackend;
  readonly metadata: MetadataHome;
  readonly keys: Keys;
}

interface Case {
  readonly title: string;
  /** @param spare a backend that the store does not have yet */
  run(store: Store, spare: Backend): Promise<unknown>;
  /** Whether `run` may be run again when it is not known whether it had ended. */
  isDone?(store: Store): Promise<boolean>;
}

async function names(store: Store): Promise<readonly string[]> {
  return (await store.backends.list()).map(({ name }) => name);
}

const CASES: readonly Case[] = [
  { title: 'draining a backend', run: (store) => store.backends.drain('b1') },
  { title: 'raising the redundancy', run: (store) => store.backends.rebalance({ redundancy: '2+2' }) },
  {
    title: 'adding a backend and spreading to it',
    run: async (store, spare) => {
      if (!(await names(store)).includes('new')) await store.backends.add({ location: spare, name: 'new' });
      await store.backends.rebalance();
    },
  },
  {
    title: 'taking a backend out that was lost',
    run: (store) => store.backends.remove('b2', { lost: true }),
    isDone: async (store) => !(await names(store)).includes('b2'),
  },
];

async function makeMachine(keys: Keys): Promise<Machine> {
  const home = new MemoryBackend();
  const others = Array.from({ length: 4 }, () => new MemoryBackend());
  const metadata = await metadataHome(keys);
  const machine = { home, others, spare: new MemoryBackend(), metadata, keys };
  const { store } = await open(machine);
  const kept = new Lifeline();
  for (const [at, backend] of others.entries()) {
    await store.backends.add({ location: kept.backend(backend), name: `b${at}` });
  }
  await store.backends.rebalance({ redundancy: '2+1' });
  for (const [key, content] of CONTENTS) await store.put(key, content);
  await store.close();
  return machine;
}

function open(machine: Machine, life?: Lifeline): ReturnType<typeof startProcess> {
  const { home, others, spare, metadata, keys } = machine;
  const parts = { backend: home, backends: [...others, spare], metadata: metadata.open() as Metadata };
  return startProcess({ ...parts, ...(keys && { keys }), ...(life && { life }) });
}

async function expectWhole(store: Store): Promise<void> {
  for (const [key, content] of CONTENTS) expect(await store.get(key)).toEqual(content);
}

/** Runs an operation in a process that ends after so many changes. */
async function runUntil(machine: Machine, one: Case, changes: number): Promise<void> {
  const life = new Lifeline();
  const { store } = await open(machine, life);
  life.endAfter(changes);
  try {
    await one.run(store, life.backend(machine.spare));
  } catch (error) {
    if (!(error instanceof ProcessEnded) && !isStoreError(error)) throw error;
    expect(life.alive, String(error)).toBe(false);
  }
  life.end();
}

describe.each(KINDS)('a $kind store of several backends', ({ keys }) => {
  describe.each(someOf(CASES))('whose process ends while $title', (one) => {
    let changes = 0;

    beforeAll(async () => {
      const machine = await makeMachine(keys);
      const { store, life } = await open(machine);
      const before = life.changes.length;
      await one.run(store, life.backend(machine.spare));
      changes = life.changes.length - before;
      await store.close();
    });

    it(`loses nothing, and ends it the next time (${SAMPLE})`, async () => {
      expect(changes).toBeGreaterThan(2);
      for (const point of pointsOf(changes, 0, POINTS)) {
        const machine = await makeMachine(keys);
        await runUntil(machine, one, point);
        const { store, life } = await open(machine);
        await expectWhole(store);
        if (!(await one.isDone?.(store))) await one.run(store, life.backend(machine.spare));
        await expectWhole(store);
        const { unreadable, survives } = await store.backends.status();
        expect({ unreadable, bears: survives.backends.lossesMax >= 0 }, `point ${point}`).toEqual({
          unreadable: 0,
          bears: true,
        });
        await store.close();
      }
    });
  });
});
