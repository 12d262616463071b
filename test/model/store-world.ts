import { expect } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { type Entries, generateIdentity, isStoreError, type Store } from '../../src/index.ts';
import type { KeySecret } from '../../src/keys/index.ts';
import { blake3Text } from '../support/contents.ts';
import {
  type LivingStore,
  type MetadataHome,
  metadataHome,
  rebuiltMetadata,
  startProcess,
} from '../support/living-store.ts';
import { bytesOf } from '../support/operations.ts';
import { optionsOf } from '../support/run-operation.ts';
import { SOUND } from '../support/stores.ts';
import { DEFAULT_NAMESPACE, type ModelChange, OUTCOMES, type Outcome, StoreModel } from './store-model.ts';
import type { Step } from './store-steps.ts';

const STALE = '00'.repeat(32);
/** One pass may leave what another process was merging. */
const REKEY_PASSES_MAX = 5;

/** The conditions of a change, as options of the call. */
async function conditionOf(entries: Entries, change: Extract<ModelChange, { readonly key: string }>) {
  if (change.only === 'absent') return { ifAbsent: true };
  if (change.only === 'stale') return { ifMatch: STALE };
  if (change.only === undefined) return {};
  return { ifMatch: (await entries.has(change.key)) ? (await entries.stat(change.key)).version : STALE };
}

async function runChange(entries: Entries, change: ModelChange): Promise<void> {
  if (change.type === 'put') {
    const condition = await conditionOf(entries, change);
    await entries.put(change.key, bytesOf(change.content), { ...condition, ...optionsOf(change.content) });
  } else if (change.type === 'delete') {
    await entries.delete(change.key, await conditionOf(entries, change));
  } else await entries[change.type](change.from, change.to, { replace: change.replace });
}

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (isStoreError(error, ...OUTCOMES)) return error.code as Outcome;
    throw error;
  }
}

/** Conditions on what is there would need a look into the batch's own changes. */
function forBatch(change: ModelChange): ModelChange {
  return 'only' in change && change.only === 'present' ? { ...change, only: undefined } : change;
}

type StepOf<D extends Step['do']> = Extract<Step, { readonly do: D }>;

/** A store beside its model: two processes on one backend and one metadata. */
export class StoreWorld {
  readonly model = new StoreModel();
  readonly #keys: KeySecret | undefined;
  readonly #backend = new MemoryBackend();
  #home: MetadataHome;
  #processes: LivingStore[] = [];
  #slots = 0;

  private constructor(keys: KeySecret | undefined, home: MetadataHome) {
    this.#keys = keys;
    this.#home = home;
  }

  /** Takes all steps, compares, rebuilds, and compares again. */
  static async live(keys: KeySecret | undefined, steps: readonly Step[]): Promise<void> {
    const world = await StoreWorld.start(keys);
    for (const step of steps) await world.run(step);
    await world.compare();
    await world.run({ do: 'rebuild' });
    await world.compare();
    await world.end();
  }

  /** @param keys those of a sealed store */
  static async start(keys?: KeySecret): Promise<StoreWorld> {
    const world = new StoreWorld(keys, await metadataHome(keys));
    await world.#startAll();
    return world;
  }

  async run(step: Step): Promise<void> {
    switch (step.do) {
      case 'change':
        return await this.#runChange(step);
      case 'batch':
        return await this.#runBatch(step);
      case 'namespace':
        return await this.#runNamespace(step);
      case 'keys':
        return await this.#runKeys(step);
      case 'rebuild':
        return await this.#rebuild();
      default:
        return await this.#restart(step);
    }
  }

  async #runChange({ by, namespace, change }: StepOf<'change'>): Promise<void> {
    const found = await outcomeOf(runChange(this.#entries(by, namespace), change));
    expect(found).toBe(this.model.change(namespace, change));
  }

  async #runBatch({ by, namespace, changes: drawn, throws }: StepOf<'batch'>): Promise<void> {
    const changes = drawn.map(forBatch);
    const gaveUp = new Error('changed my mind');
    const running = this.#entries(by, namespace).batch(async (writer) => {
      for (const one of changes) {
        if (one.type === 'put') {
          const only = one.only === 'absent' ? { ifAbsent: true } : one.only === 'stale' ? { ifMatch: STALE } : {};
          await writer.put(one.key, bytesOf(one.content), { ...only, ...optionsOf(one.content) });
        } else if (one.type === 'delete') writer.delete(one.key, one.only === 'stale' ? { ifMatch: STALE } : {});
        else writer[one.type](one.from, one.to, { replace: one.replace });
      }
      if (throws) throw gaveUp;
    });
    if (throws && this.model.namespaces.has(namespace)) await expect(running).rejects.toBe(gaveUp);
    else expect(await outcomeOf(running)).toBe(this.model.change(namespace, ...changes));
  }

  async #runNamespace({ by, change }: StepOf<'namespace'>): Promise<void> {
    const { namespaces } = this.#store(by);
    const { name } = change;
    const running = {
      create: () => namespaces.create(name, 'quotaBytes' in change ? quotaOf(change) : {}),
      quota: () => namespaces.setQuota(name, 'quotaBytes' in change ? change.quotaBytes : undefined),
      drop: async () => expect(await namespaces.drop(name, { shred: true })).toEqual({ done: true, pending: [] }),
    }[change.type]();
    expect(await outcomeOf(running)).toBe(this.model.changeNamespace(change));
    await this.#reload();
  }

  async #runKeys({ by, change }: StepOf<'keys'>): Promise<void> {
    const { keys } = this.#store(by);
    const slots = (await keys.list()).filter(({ type }) => type === 'recipient');
    expect(slots).toHaveLength(this.#slots);
    const [slot] = slots;
    if (change === 'rotate') await keys.rotate();
    if (change === 'rekey') await this.#rekey(by);
    if (change === 'add') {
      await keys.add({ recipient: generateIdentity('ml-kem-1024') });
      this.#slots += 1;
    }
    if (change === 'remove' && slot) {
      await keys.remove(slot.id);
      this.#slots -= 1;
    }
    await this.#reload();
  }

  async #rekey(by: number): Promise<void> {
    const { keys } = this.#store(by);
    for (let pass = 1; (await keys.epochs()).length > 1; pass += 1) {
      expect(pass).toBeLessThanOrEqual(REKEY_PASSES_MAX);
      await keys.rekey();
    }
  }

  /** Both processes look at the keys: names of namespaces that one has dropped and made anew mean the new ones. */
  async #reload(): Promise<void> {
    for (const { store } of this.#processes) await store.keys.list();
  }

  async #restart(step: StepOf<'reopen' | 'abandon'>): Promise<void> {
    if (step.do === 'reopen') await this.#store(step.by).close();
    this.#processes[step.by]?.end();
    this.#processes[step.by] = await this.#startOne();
  }

  async #rebuild(): Promise<void> {
    await this.end();
    const { metadata, home, report } = await rebuiltMetadata(this.#backend, this.#keys);
    const live = (await metadata.listPacks({ limit: 10_000 })).map(({ id }) => toHex(id));
    expect(report.unreadable.filter(({ packId }) => live.includes(packId))).toEqual([]);
    const running = await startProcess({ backend: this.#backend, metadata: this.#home.open(), keys: this.#keys });
    expect(await metadata.stateDigests()).toEqual(await running.metadata.stateDigests());
    await running.store.close();
    this.#home = home;
    await this.#startAll();
  }

  /** Compares everything that can be asked. */
  async compare(): Promise<void> {
    const store = this.#store(0);
    if (store.sealed) await this.#compareNamespaces();
    for (const [name, { entries, logicalBytes }] of this.model.namespaces) {
      const found: Record<string, string> = {};
      for await (const info of this.#entries(0, name).list()) {
        expect(blake3Text(await this.#entries(0, name).get(info.key))).toBe(info.digest);
        found[info.key] = `${info.digest} ${info.size} ${info.isolated === true}`;
      }
      const wanted = [...entries].map(([key, one]) => [
        key,
        `${blake3Text(bytesOf(one))} ${one.bytes} ${one.isolated === true}`,
      ]);
      expect(found).toEqual(Object.fromEntries(wanted));
      if (name !== DEFAULT_NAMESPACE)
        expect(await this.#entries(0, name).stats()).toMatchObject({ entries: entries.size, logicalBytes });
    }
    const all = [...this.model.namespaces.values()];
    expect(await store.stats()).toMatchObject({
      entries: all.reduce((sum, { entries }) => sum + entries.size, 0),
      logicalBytes: all.reduce((sum, { logicalBytes }) => sum + logicalBytes, 0),
    });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  }

  async #compareNamespaces(): Promise<void> {
    const found = (await this.#store(0).namespaces.list()).map(({ name, quotaBytes }) => [name, quotaBytes]);
    const wanted = [...this.model.namespaces].map(([name, { quotaBytes }]) => [name, quotaBytes]);
    expect(found.sort()).toEqual(wanted.sort());
    expect(await this.#store(0).namespaces.shred()).toEqual({ done: true, pending: [] });
  }

  async end(): Promise<void> {
    for (const { store } of this.#processes) await store.close();
  }

  #store(by: number): Store {
    const process = this.#processes[by];
    if (process === undefined) throw new Error(`there is no process ${by}`);
    return process.store;
  }

  #entries(by: number, namespace: string): Entries {
    const store = this.#store(by);
    return namespace === DEFAULT_NAMESPACE ? store : store.namespace(namespace);
  }

  async #startAll(): Promise<void> {
    this.#processes = [await this.#startOne(), await this.#startOne()];
  }

  #startOne(): Promise<LivingStore> {
    return startProcess({ backend: this.#backend, metadata: this.#home.open(), keys: this.#keys });
  }
}

function quotaOf({ quotaBytes }: { readonly quotaBytes: number | undefined }) {
  return quotaBytes === undefined ? {} : { quotaBytes };
}
