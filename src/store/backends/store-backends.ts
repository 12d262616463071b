import type { Backend } from '../../backend/contract.ts';
import { toHex } from '../../bytes/bytes.ts';
import { formatRedundancy, parseRedundancy } from '../../erasure/index.ts';
import { argumentTypeError } from '../../errors/argument-error.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import {
  type ConfigBackend,
  type ConfigPlacement,
  encodeStoreConfig,
  PLACEMENT_FEATURE,
  STORE_CONFIG_KEY,
  type StoreConfig,
} from '../../format/index.ts';
import { BACKEND_NUMBER_MAX, STORE_BACKENDS_MAX } from '../../limits.ts';
import { findUnknownPlaces } from '../../maintenance/find-places.ts';
import { type RebalanceReport, rebalance } from '../../maintenance/rebalance.ts';
import { SOLE_BACKEND } from '../../placement/backend-set.ts';
import type { Engine } from '../engine.ts';
import type { StoreCalls } from '../scoped-calls.ts';
import type { Settings } from '../settings.ts';
import type { CallOptions, ProgressOptions } from '../types.ts';
import { checkChange, checkNew, nameFor } from './backend-arguments.ts';
import type {
  BackendChange,
  BackendInfo,
  Backends,
  NewBackend,
  PlacementStatus,
  RebalanceOptions,
  RemoveOptions,
  RemoveReport,
} from './backend-types.ts';
import { backendUrl, openBackendUrl } from './backend-url.ts';
import { openMarked, writeMarker } from './connect.ts';
import { forgetBackend, surveyRemoval } from './forget-backend.ts';
import { checkEmptyBackend, checkNewBackend } from './new-backend.ts';
import { placementStatus } from './placement-status.ts';
import { spreadKeyPages } from './spread-key-pages.ts';

/** The backends of an open store: the API in front of config, links and what moves shards. */
export class StoreBackends implements Backends {
  readonly #parts: StoreCalls;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(parts: StoreCalls) {
    this.#parts = parts;
  }

  list(options: CallOptions = {}): Promise<readonly BackendInfo[]> {
    return this.#call(options, async () => {
      await this.#engine.followBackends();
      return Object.freeze(this.#infos());
    });
  }

  add(backend: NewBackend, options: CallOptions = {}): Promise<BackendInfo> {
    return this.#change(options, async () => {
      const { facts } = await this.#add(backend);
      return this.#info(facts.name);
    });
  }

  change(name: string, change: BackendChange, options: CallOptions = {}): Promise<BackendInfo> {
    return this.#change(options, async () => {
      const facts = this.#find(name);
      checkChange(change);
      if (change.weight === 0) this.#refuseLastTaker(facts);
      const url = change.location === undefined ? undefined : backendUrl(change.location);
      const { storeId } = this.#engine.config;
      const { fileSystem, backendModules: modules } = this.#engine.connection.surroundings;
      const how = { storeId, readOnly: false, fileSystem, modules };
      const moved = url === undefined ? undefined : await openMarked({ ...facts, url }, how);
      const { name: newName = facts.name, domain = facts.domain, weight = facts.weight, mode = facts.mode } = change;
      const next = { ...facts, name: newName, domain, weight, mode, url: url ?? facts.url };
      await this.#set((placement) => withBackend(placement, next), moved && new Map([[facts.id, moved]]));
      return this.#info(next.name);
    });
  }

  setMap(names: readonly string[], options: CallOptions = {}): Promise<void> {
    return this.#change(options, async () => {
      if (!Array.isArray(names)) throw argumentTypeError('names', 'an array of names', names);
      const map = names.map((name: string) => this.#find(name).number);
      await this.#set((placement) => ({ ...placement, map }));
    });
  }

  replace(name: string, location: string | Backend, options: RemoveOptions = {}): Promise<RemoveReport> {
    return this.#change(options, async () => {
      const old = this.#find(name);
      this.#refuseHome(old);
      const report = await this.#checkLoss(old, options);
      const { domain, weight } = old;
      // Not before the new one is known to be good: a slip of the pen must not make the old one lost.
      const leaving = {
        number: old.number,
        forget: () => this.#forget(old.number, options),
      };
      await this.#add({ location, name, domain, weight }, leaving);
      await this.#forget(old.number, options);
      return report;
    });
  }

  drain(name: string, options: ProgressOptions & { readonly dryRun?: boolean } = {}): Promise<RebalanceReport> {
    return this.#change(options, async () => {
      const facts = this.#find(name);
      this.#refuseLastTaker(facts);
      if (!options.dryRun) await this.#set((placement) => withBackend(placement, { ...facts, mode: 'draining' }));
      return await this.#rebalance({ ...options, only: facts.number });
    });
  }

  remove(name: string, options: RemoveOptions = {}): Promise<RemoveReport> {
    return this.#change(options, async () => {
      const facts = this.#find(name);
      this.#refuseHome(facts);
      if (this.#placement.backends.length === 1) throw inUse(name, 'is the last backend of the store');
      this.#refuseLastTaker(facts);
      const report = await this.#checkLoss(facts, options);
      if (!options.lost && report.shardsLost > 0)
        throw inUse(name, `holds ${report.shardsLost} shards: drain it first`);
      // Before as well: who is stopped in between must not leave packs behind that nobody knows to lack a shard.
      await this.#forget(facts.number, options);
      await this.#set((placement) => withoutBackend(placement, facts.number));
      await this.#forget(facts.number, options);
      return report;
    });
  }

  rebalance(options: RebalanceOptions = {}): Promise<RebalanceReport> {
    return this.#change(options, async () => {
      const { redundancy } = options;
      if (redundancy !== undefined && !options.dryRun) await this.#setRedundancy(redundancy);
      return await this.#rebalance(options);
    });
  }

  status(options: CallOptions = {}): Promise<PlacementStatus> {
    return this.#call(options, async () => {
      await this.#engine.followBackends();
      const { metadata, config, connection } = this.#engine;
      const { backends } = connection;
      return await placementStatus({ metadata, config, backends, infos: this.#infos() }, options);
    });
  }

  get #engine(): Engine {
    return this.#parts.engine;
  }

  /** The placement of the config; of a store that never had a second backend, what it comes to. */
  get #placement(): ConfigPlacement {
    const { placement } = this.#engine.config;
    if (placement) return placement;
    const { backends, homeUrl } = this.#engine.connection;
    const sole = { ...backends.get(SOLE_BACKEND).facts, id: '', url: homeUrl };
    return { nextNumber: SOLE_BACKEND + 1, backends: [sole], map: [] };
  }

  #infos(): BackendInfo[] {
    const { backends, home } = this.#engine.connection;
    return this.#placement.backends.flatMap(({ number, name, url, domain, weight, mode }) => {
      const link = backends.find(number);
      const facts = { number, name, url, domain, weight, mode, home: number === home };
      return link ? [Object.freeze({ ...facts, health: link.health })] : [];
    });
  }

  #info(name: string): BackendInfo {
    const found = this.#infos().find((info) => info.name === name);
    if (found) return found;
    throw notFound(name);
  }

  #find(name: string): ConfigBackend {
    if (typeof name !== 'string') throw argumentTypeError('name', 'the name of a backend', name);
    const found = this.#placement.backends.find((backend) => backend.name === name);
    if (found) return found;
    throw notFound(name);
  }

  #refuseHome({ number, name }: ConfigBackend): void {
    if (number === this.#engine.connection.home)
      throw inUse(name, 'is where the store was opened: give it the weight 0, or open the store at another one');
  }

  /** Without any that takes new data nothing could be written any more, not even the journal of what was committed. */
  #refuseLastTaker({ number, name }: ConfigBackend): void {
    const takers = this.#placement.backends.filter(({ weight, mode }) => weight > 0 && mode === 'active');
    if (takers.length === 1 && takers[0]?.number === number)
      throw inUse(name, 'is the only one that takes new data: give another one a weight above 0 first');
  }

  /** @param leaving the backend that leaves with the same change, and what makes its shards missing before */
  async #add(
    backend: NewBackend,
    leaving?: { readonly number: number; forget(): Promise<void> },
  ): Promise<{ readonly facts: ConfigBackend }> {
    const inPlaceOf = leaving?.number;
    const { name, domain, weight } = checkNew(backend);
    const isUrl = typeof backend.location === 'string';
    const url = isUrl ? backendUrl(backend.location) : '';
    const known = this.#placement.backends.filter(({ number }) => number !== inPlaceOf);
    checkNewBackend({ url, name }, known);
    const { fileSystem, random, backendModules: modules } = this.#engine.connection.surroundings;
    const how = { readOnly: false, create: true, fileSystem, modules };
    const opened = isUrl ? await openBackendUrl(url, how) : (backend.location as Backend);
    const id = toHex(random(16));
    try {
      await checkEmptyBackend(opened, this.#engine.config.storeId, known);
      await this.#mark(opened, id);
      await leaving?.forget();
      let facts: ConfigBackend | undefined;
      await this.#set(
        (placement) => {
          const rest = inPlaceOf === undefined ? placement : withoutBackend(placement, inPlaceOf);
          const { nextNumber: number } = rest;
          if (rest.backends.length >= STORE_BACKENDS_MAX || number > BACKEND_NUMBER_MAX)
            throw storeError('BACKEND_INVALID', `a store has at most ${STORE_BACKENDS_MAX} backends`);
          const named = name ?? nameFor(url, rest);
          facts = { number, id, name: named, url, domain: domain ?? named, weight: weight ?? 1, mode: 'active' };
          checkNewBackend(facts, rest.backends);
          return { ...rest, nextNumber: number + 1, backends: [...rest.backends, facts] };
        },
        new Map([[id, opened]]),
      );
      await this.#share(opened);
      return { facts: facts as ConfigBackend };
    } catch (error) {
      if (isUrl && !this.#isLinked(opened)) await opened.close();
      throw error;
    }
  }

  /** Gives a backend that belongs to the store what all of them have. */
  async #share(opened: Backend): Promise<void> {
    const { connection, metadata, settings, keychain } = this.#engine;
    try {
      await opened.put(STORE_CONFIG_KEY, encodeStoreConfig(settings.config));
      // Only now that it belongs to the store: what is shredded from here on is shredded there, too.
      if (keychain) await spreadKeyPages(connection.backends, metadata);
    } catch (cause) {
      if (!isStoreError(cause)) throw cause;
      const message = `the backend is added, but what all of them share could not be written there yet: ${cause.message}`;
      throw storeError('CONFIG_PENDING', message, { retry: false, cause });
    }
  }

  /** Makes the shards of a backend missing. */
  async #forget(number: number, options: CallOptions): Promise<void> {
    await this.#tell();
    await forgetBackend(this.#engine.metadata, number, options.signal);
  }

  /** Has the metadata know where everything lies. */
  async #learnPlaces({ signal }: CallOptions): Promise<void> {
    const { metadata, connection } = this.#engine;
    await this.#tell();
    await findUnknownPlaces(metadata, connection.backends, signal);
  }

  /**
   * Tells the metadata what it would else be told with the next commit: where the last journal pack lies. After a backend has
   * left it would be told as if that were still there.
   */
  async #tell(): Promise<void> {
    const engine = this.#engine;
    await engine.committer.flush();
    await engine.settle();
  }

  #isLinked(opened: Backend): boolean {
    return this.#engine.connection.backends.links.some(({ backend }) => backend === opened);
  }

  async #mark(opened: Backend, backendId: string): Promise<void> {
    const { storeId } = this.#engine.config;
    await writeMarker(opened, { storeId, backendId });
  }

  async #setRedundancy(text: string): Promise<void> {
    const redundancy = formatSetting(text);
    await this.#engine.settings.change((now) => ({ ...settingsOf(now), redundancy }));
  }

  async #rebalance(options: RebalanceOptions & { readonly only?: number }): Promise<RebalanceReport> {
    const { engine } = this.#parts;
    const { backends } = engine.connection;
    await this.#learnPlaces(options);
    const redundancy = parseRedundancy(options.redundancy ?? engine.config.redundancy);
    return await rebalance(engine.upkeep.context(), { ...options, backends, redundancy });
  }

  /** Whether packs would be lost with a backend. @throws `conflict/BACKEND_IN_USE` */
  async #checkLoss(facts: ConfigBackend, options: RemoveOptions): Promise<RemoveReport> {
    await this.#learnPlaces(options);
    const survey = await surveyRemoval(this.#engine.metadata, facts.number, options.signal);
    if (survey.packsLost > 0 && !options.acceptLoss)
      throw inUse(facts.name, `is needed by ${survey.packsLost} packs, which cannot be read without it`);
    return Object.freeze({ name: facts.name, ...survey });
  }

  /** Changes the placement, here and in the config. @param opened backends by id that need not be opened again */
  async #set(
    change: (placement: ConfigPlacement) => ConfigPlacement,
    opened?: ReadonlyMap<string, Backend>,
  ): Promise<void> {
    const { settings, metadata, connection } = this.#engine;
    const first = settings.config.placement ? undefined : await this.#firstPlacement();
    await settings.change((now) => {
      const placement = change(now.placement ?? (first as ConfigPlacement));
      return settingsOf({ ...now, placement });
    });
    await this.#engine.followChange(opened);
    if (first) await findUnknownPlaces(metadata, connection.backends);
  }

  /**
   * A store that gets its first placement: its one backend is marked, so that it can be told from others. With the id of
   * the store, so that two processes which do this at once write the same mark, and the config fits it whoever was first.
   */
  async #firstPlacement(): Promise<ConfigPlacement> {
    const placement = this.#placement;
    const { storeId: id } = this.#engine.config;
    await this.#mark(this.#engine.backend, id);
    return { ...placement, backends: placement.backends.map((backend) => ({ ...backend, id })) };
  }

  #change<T>(options: CallOptions, work: () => Promise<T>): Promise<T> {
    return this.#call(options, () => {
      this.#engine.assertWritable();
      const changing = this.#changing.then(async () => {
        await this.#engine.followBackends();
        return await work();
      });
      this.#changing = changing.catch(() => undefined);
      return changing;
    });
  }

  async #call<T>(options: CallOptions, work: () => Promise<T>): Promise<T> {
    this.#parts.assertOpen();
    options.signal?.throwIfAborted();
    return await this.#parts.calls.run(work);
  }
}

function settingsOf({ features, redundancy, placement }: StoreConfig): Settings {
  const incompatible = [...new Set([...features.incompatible, PLACEMENT_FEATURE])];
  return {
    features: placement ? { ...features, incompatible } : features,
    redundancy,
    ...(placement && { placement }),
  };
}

/** The text of a redundancy as a config keeps it. @throws `invalid/REDUNDANCY_INVALID` */
export function formatSetting(text: string): string {
  const redundancy = parseRedundancy(text);
  return redundancy.k === 1 && redundancy.m === 0 ? 'none' : formatRedundancy(redundancy);
}

function withBackend(placement: ConfigPlacement, changed: ConfigBackend): ConfigPlacement {
  const others = placement.backends.filter(({ number }) => number !== changed.number);
  if (others.length === placement.backends.length) throw notFound(changed.name);
  checkNewBackend(changed, others);
  return { ...placement, backends: placement.backends.map((one) => (one.number === changed.number ? changed : one)) };
}

function withoutBackend(placement: ConfigPlacement, gone: number): ConfigPlacement {
  return {
    ...placement,
    backends: placement.backends.filter(({ number }) => number !== gone),
    map: placement.map.filter((number) => number !== gone),
  };
}

function notFound(name: string): Error {
  return storeError('BACKEND_NOT_FOUND', `the store has no backend ${JSON.stringify(name)}`, {
    details: { backend: name },
  });
}

function inUse(name: string, why: string): Error {
  return storeError('BACKEND_IN_USE', `backend ${name} ${why}`, { details: { backend: name } });
}
