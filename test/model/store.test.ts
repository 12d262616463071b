import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { isStoreError, type Store } from '../../src/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { blake3Text } from '../support/contents.ts';
import { type LivingStore, newMetadata, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { bytesOf } from '../support/operations.ts';
import { SOUND } from '../support/stores.ts';
import { type ModelChange, type Outcome, StoreModel } from './store-model.ts';

const STALE = '00'.repeat(32);

const key = fc.constantFrom('a', 'b', 'c', 'ab', 'é');
const content = fc.record({
  bytes: fc.constantFrom(0, 1, 300, 3000, 66_000),
  seed: fc.integer({ min: 1, max: 3 }),
  noise: fc.boolean(),
});
const put = fc.record({
  type: fc.constant('put' as const),
  key,
  content,
  only: fc.constantFrom(undefined, undefined, undefined, 'absent' as const, 'present' as const, 'stale' as const),
});
const remove = fc.record({
  type: fc.constant('delete' as const),
  key,
  only: fc.constantFrom(undefined, undefined, 'present' as const, 'stale' as const),
});
const move = fc.record({
  type: fc.constantFrom('rename' as const, 'copy' as const),
  from: key,
  to: key,
  replace: fc.boolean(),
});
const change = fc.oneof(
  { arbitrary: put, weight: 5 },
  { arbitrary: remove, weight: 2 },
  { arbitrary: move, weight: 2 },
);
/** Which of two processes does it. */
const by = fc.nat({ max: 1 });
const step = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('change' as const), by, change }), weight: 12 },
  {
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      by,
      changes: fc.array(change, { minLength: 1, maxLength: 5 }),
      throws: fc.boolean(),
    }),
    weight: 3,
  },
  { arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'abandon' as const), by }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('rebuild' as const) }), weight: 1 },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The conditions of a change, as options of the call. */
async function conditionOf(store: Store, change: Extract<ModelChange, { readonly key: string }>) {
  if (change.only === 'absent') return { ifAbsent: true };
  if (change.only === 'stale') return { ifMatch: STALE };
  if (change.only === undefined) return {};
  return { ifMatch: (await store.has(change.key)) ? (await store.stat(change.key)).version : STALE };
}

async function runChange(store: Store, change: ModelChange): Promise<void> {
  if (change.type === 'put') {
    await store.put(change.key, bytesOf(change.content), await conditionOf(store, change));
  } else if (change.type === 'delete') {
    await store.delete(change.key, await conditionOf(store, change));
  } else await store[change.type](change.from, change.to, { replace: change.replace });
}

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (isStoreError(error, 'ENTRY_NOT_FOUND', 'ENTRY_EXISTS', 'PRECONDITION_FAILED')) return error.code as Outcome;
    throw error;
  }
}

/** The store beside its model: two processes on one backend and one metadata. */
class Pair {
  readonly model = new StoreModel();
  readonly #backend = new MemoryBackend();
  #metadata: Metadata;
  #processes: LivingStore[] = [];

  private constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  static async start(): Promise<Pair> {
    const pair = new Pair(await newMetadata());
    await pair.#startAll();
    return pair;
  }

  async run(step: Step): Promise<void> {
    switch (step.do) {
      case 'change':
        return await this.#runChange(step);
      case 'batch':
        return await this.#runBatch(step);
      case 'rebuild':
        return await this.#rebuild();
      default:
        return await this.#restart(step);
    }
  }

  async #runChange(step: Extract<Step, { readonly do: 'change' }>): Promise<void> {
    const found = await outcomeOf(runChange(this.#store(step.by), step.change));
    expect(found).toBe(this.model.change(step.change));
  }

  async #runBatch(step: Extract<Step, { readonly do: 'batch' }>): Promise<void> {
    // Conditions on what is there would need a look into the batch's own changes.
    const changes = step.changes
      .map((one) => (one.type !== 'put' || one.only !== 'present' ? one : { ...one, only: undefined }))
      .map((one) => (one.type !== 'delete' || one.only !== 'present' ? one : { ...one, only: undefined }));
    const gaveUp = new Error('changed my mind');
    const running = this.#store(step.by).batch(async (writer) => {
      for (const one of changes) {
        if (one.type === 'put') {
          const only = one.only === 'absent' ? { ifAbsent: true } : one.only === 'stale' ? { ifMatch: STALE } : {};
          await writer.put(one.key, bytesOf(one.content), only);
        } else if (one.type === 'delete') writer.delete(one.key, one.only === 'stale' ? { ifMatch: STALE } : {});
        else writer[one.type](one.from, one.to, { replace: one.replace });
      }
      if (step.throws) throw gaveUp;
    });
    if (step.throws) await expect(running).rejects.toBe(gaveUp);
    else expect(await outcomeOf(running)).toBe(this.model.batch(changes));
  }

  async #restart(step: Extract<Step, { readonly do: 'reopen' | 'abandon' }>): Promise<void> {
    if (step.do === 'reopen') await this.#store(step.by).close();
    this.#processes[step.by]?.end();
    this.#processes[step.by] = await this.#startOne();
  }

  async #rebuild(): Promise<void> {
    await this.end();
    const { metadata, report } = await rebuiltMetadata(this.#backend);
    expect(report.unreadable).toEqual([]);
    expect(await metadata.stateDigests()).toEqual(await this.#metadata.stateDigests());
    this.#metadata = metadata;
    await this.#startAll();
  }

  /** Compares everything that can be asked. */
  async compare(): Promise<void> {
    const store = this.#store(0);
    const found: Record<string, string> = {};
    for await (const info of store.list()) {
      expect(blake3Text(await store.get(info.key))).toBe(info.digest);
      found[info.key] = `${info.digest} ${info.size}`;
    }
    const entries = [...this.model.entries];
    expect(found).toEqual(
      Object.fromEntries(entries.map(([name, one]) => [name, `${blake3Text(bytesOf(one))} ${one.bytes}`])),
    );
    const logicalBytes = entries.reduce((sum, [, { bytes }]) => sum + bytes, 0);
    expect(await store.stats()).toMatchObject({ entries: entries.length, logicalBytes });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  }

  async end(): Promise<void> {
    for (const { store } of this.#processes) await store.close();
  }

  #store(by: number): Store {
    const process = this.#processes[by];
    if (process === undefined) throw new Error(`there is no process ${by}`);
    return process.store;
  }

  async #startAll(): Promise<void> {
    this.#processes = [await this.#startOne(), await this.#startOne()];
  }

  #startOne(): Promise<LivingStore> {
    return startProcess({ backend: this.#backend, metadata: this.#metadata });
  }
}

it('a store behaves as its model does, whatever is done to it by two processes that come and go', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      const pair = await Pair.start();
      for (const one of steps) await pair.run(one);
      await pair.compare();
      await pair.run({ do: 'rebuild' });
      await pair.compare();
      await pair.end();
    }),
    { numRuns: 60 },
  );
});
