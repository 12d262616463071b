import { storeError } from '../errors/store-error.ts';
import { ActiveCalls } from './active-calls.ts';
import type { Backends } from './backends/backend-types.ts';
import { StoreBackends } from './backends/store-backends.ts';
import type { Engine } from './engine.ts';
import { EntryStore, toStats } from './entry-store.ts';
import { SealedInbox } from './inbox/sealed-inbox.ts';
import type { Namespaces, StoreKeys } from './key-types.ts';
import type { StoreCalls } from './scoped-calls.ts';
import { SealedCalls } from './sealed-calls.ts';
import { SealedKeys } from './sealed-keys.ts';
import { SealedNamespaces } from './sealed-namespaces.ts';
import { StoreMaintenance } from './store-maintenance.ts';
import { requestsOf } from './store-requests.ts';
import type { Store } from './store-types.ts';
import type { CallOptions, Entries, StoreStats } from './types.ts';
import type { StoreEvents, StoreMetrics } from './upkeep-types.ts';

/** The public face of an engine: its default entries, and what concerns the store as a whole. */
export class HoldfastStore extends EntryStore implements Store {
  readonly id: string;
  readonly sealed: boolean;
  readonly keys: StoreKeys;
  readonly namespaces: Namespaces;
  readonly inbox: SealedInbox;
  readonly maintenance: StoreMaintenance;
  readonly backends: Backends;
  readonly #engine: Engine;
  readonly #calls: ActiveCalls;
  readonly #parts: StoreCalls;
  #closing: Promise<void> | undefined;

  constructor(engine: Engine) {
    const calls = new ActiveCalls();
    const parts: StoreCalls = { engine, calls, assertOpen: () => this.#assertOpen() };
    super(parts, () => engine.scopes.named());
    this.#engine = engine;
    this.#calls = calls;
    this.#parts = parts;
    this.id = engine.config.storeId;
    this.sealed = engine.keychain !== undefined;
    const sealedCalls = new SealedCalls(parts);
    this.inbox = new SealedInbox(sealedCalls, engine.telemetry.logger);
    this.keys = new SealedKeys(sealedCalls, this.inbox);
    this.namespaces = new SealedNamespaces(sealedCalls);
    this.backends = new StoreBackends(parts);
    this.maintenance = new StoreMaintenance(parts);
    if (this.sealed && engine.writable) {
      this.inbox.start();
      engine.adoptInbox = () => this.inbox.adoptForGc();
    }
  }

  namespace(name: string): Entries {
    return new EntryStore(this.#parts, () => this.#engine.scopes.named(name));
  }

  override stats(options: CallOptions = {}): Promise<StoreStats> {
    return this.#call(options, async () => {
      const { metadata } = this.#engine;
      const [counters, head] = await Promise.all([metadata.counters(), metadata.head()]);
      const requests = requestsOf(this.#engine);
      return Object.freeze({ ...toStats(counters), packs: counters.packs, commit: head.commit, requests });
    });
  }

  metrics(): StoreMetrics {
    const { commits, packsWritten, telemetry } = this.#engine;
    return Object.freeze({ ...telemetry.counts, commits, packsWritten });
  }

  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    this.#engine.telemetry.on(event, listener);
    return this;
  }

  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    this.#engine.telemetry.off(event, listener);
    return this;
  }

  close(): Promise<void> {
    this.inbox.stop();
    this.maintenance.end();
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    await this.#calls.settled();
    await this.#engine.close();
    const { logger } = this.#engine.telemetry;
    logger?.debug('asked of backends and metadata since the store was opened', requestsOf(this.#engine));
  }

  #assertOpen(): void {
    if (this.#closing) throw storeError('STORE_CLOSED', 'the store is closed');
  }

  async #call<T>(options: CallOptions, work: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    return await this.#calls.run(work);
  }
}
