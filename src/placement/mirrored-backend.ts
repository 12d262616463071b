/**
 * What every backend of a store holds alike (config, key pages, messages of writers): one backend to whoever uses it.
 */
import { BaseBackend, type CheckedListOptions } from '../backend/base-backend.ts';
import type {
  Backend,
  BackendCapabilities,
  BackendSpace,
  BlobInfo,
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeadOptions,
  PutOptions,
} from '../backend/contract.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { SHARD_READ_TIMEOUT_MS } from '../limits.ts';
import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { Patience } from './patience.ts';

/** Backends that may not be written any more still say what they held: as much as can be asked of them. */
function capabilitiesOf(links: readonly BackendLink[], readOnly: boolean): BackendCapabilities {
  const all = links.flatMap(({ backend }) => (backend ? [backend.capabilities] : []));
  const least = (of: (capabilities: BackendCapabilities) => number): number => Math.min(...all.map(of));
  return {
    durable: all.every(({ durable }) => durable),
    ifAbsent: all.every(({ ifAbsent }) => ifAbsent),
    writable: !readOnly,
    concurrencyMax: least(({ concurrencyMax }) => concurrencyMax),
    blobBytesMax: least(({ blobBytesMax }) => blobBytesMax),
  };
}

/** Backends by whether they could be asked. */
interface Answers<T> {
  readonly answers: readonly { readonly link: BackendLink; readonly value: T }[];
  readonly unreachable: readonly StoreError[];
}

export class MirroredBackend extends BaseBackend {
  readonly #set: BackendSet;
  readonly #home: number;
  readonly #copiesMin: () => number;
  readonly #patience: Patience;

  /** @param parts `set` has a backend that can be reached at least */
  constructor(parts: {
    /** Its backends are closed with this one. */
    readonly set: BackendSet;
    /** Number of the backend that is asked first. */
    readonly home: number;
    readonly readOnly: boolean;
    /** On how many backends a blob must be before it counts as put; on all of them if they are fewer. */
    readonly copiesMin: () => number;
    /** How long one of them may take, milliseconds: a disk that hangs must not keep keys from being changed. */
    readonly timeoutMs?: number;
  }) {
    super(capabilitiesOf(parts.set.links, parts.readOnly));
    this.#set = parts.set;
    this.#home = parts.home;
    this.#copiesMin = parts.copiesMin;
    this.#patience = new Patience(parts.timeoutMs ?? SHARD_READ_TIMEOUT_MS);
  }

  protected override async putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    const { ifAbsent, ...others } = options;
    const links = this.#writable;
    const created = ifAbsent ? await this.#create(key, bytes, options) : undefined;
    const still = links.filter((link) => link !== created);
    const { answers, unreachable } = await this.#ask(still, (backend) => backend.put(key, bytes, others), {
      ...options,
      kind: 'write',
    });
    const copies = answers.length + (created ? 1 : 0);
    if (copies < Math.min(this.#copiesMin(), links.length)) throw unreachable[0];
  }

  protected override async getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    return await this.#first(options, (backend) => backend.get(key, options));
  }

  protected override async headBlob(key: string, options: HeadOptions): Promise<BlobInfo | undefined> {
    return await this.#first(options, (backend) => backend.head(key, options));
  }

  /**
   * Gone only when it is gone everywhere: what is deleted here is often a secret. Where nothing may be deleted it stays,
   * and that is told.
   */
  protected override async deleteBlob(key: string, options: DeleteOptions): Promise<void> {
    const { unreachable } = await this.#ask(this.#writable, (backend) => backend.delete(key, options), {
      ...options,
      kind: 'write',
    });
    const frozen = this.#links.filter(({ facts }) => facts.mode === 'read-only');
    const asked = await this.#ask(frozen, (backend) => backend.head(key, options), { ...options, kind: 'read' });
    const kept = asked.answers.find(({ value }) => value !== undefined);
    const [away] = [...unreachable, ...asked.unreachable];
    if (away) throw away;
    if (kept === undefined) return;
    const { name } = kept.link.facts;
    throw storeError('READ_ONLY', `backend ${name} is read-only, and still has ${key}`, {
      details: { backend: name, backendKey: key },
    });
  }

  /** What any backend has; those that cannot be asked are passed over while one can. */
  protected override async listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    const { answers, unreachable } = await this.#ask(this.#links, (backend) => backend.list(options), {
      ...options,
      kind: 'read',
    });
    if (answers.length === 0 && unreachable[0]) throw unreachable[0];
    const blobs = new Map<string, BlobInfo>();
    for (const { value } of answers) for (const blob of value) if (!blobs.has(blob.key)) blobs.set(blob.key, blob);
    return [...blobs.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(0, options.limit);
  }

  protected override async measureSpace(options: CallOptions): Promise<BackendSpace> {
    const { answers } = await this.#ask(this.#links, (backend) => backend.space(options), { ...options, kind: 'read' });
    let usedBytes = 0;
    for (const { value } of answers) usedBytes += value.usedBytes;
    return { usedBytes };
  }

  protected override async release(): Promise<void> {
    await Promise.all(this.#set.links.map(({ backend }) => backend?.close()));
  }

  get #links(): readonly BackendLink[] {
    const home = this.#set.find(this.#home);
    return [...(home ? [home] : []), ...this.#set.links.filter((link) => link !== home)];
  }

  /** All that blobs should be on, by number: whoever creates a blob begins with the same one. */
  get #writable(): readonly BackendLink[] {
    return this.#set.links.filter(({ facts }) => facts.mode !== 'read-only');
  }

  /** Creates a blob on the first backend that takes it, at most once there; the others have what it has. */
  async #create(key: string, bytes: Uint8Array, options: PutOptions): Promise<BackendLink> {
    const refusals: StoreError[] = [];
    for (const link of this.#writable) {
      const put = (backend: Backend): Promise<void> => backend.put(key, bytes, options);
      const { answers, unreachable } = await this.#ask([link], put, { ...options, kind: 'write' });
      if (answers.length > 0) return link;
      refusals.push(...unreachable);
    }
    throw refusals[0];
  }

  async #first<T>(options: CallOptions, work: (backend: Backend) => Promise<T | undefined>): Promise<T | undefined> {
    const unreachable: StoreError[] = [];
    const links = this.#links;
    for (const link of links) {
      const { answers, unreachable: failed } = await this.#ask([link], work, { ...options, kind: 'read' });
      const found = answers[0]?.value;
      if (found !== undefined) return found;
      unreachable.push(...failed);
    }
    // What counts as put is on more backends than could not be asked.
    const copies = Math.min(this.#copiesMin(), links.length);
    if (unreachable[0] && unreachable.length >= copies) throw unreachable[0];
    return undefined;
  }

  /** Asks backends side by side. @throws what one of them throws, but for its being away, full, or not allowed */
  async #ask<T>(
    links: readonly BackendLink[],
    work: (backend: Backend) => Promise<T>,
    { kind, signal }: { readonly kind: 'read' | 'write' } & CallOptions,
  ): Promise<Answers<T>> {
    const asked = links.map((link) => this.#patience.ask(link, () => link.call(kind, work, signal), { signal }));
    const results = await Promise.allSettled(asked);
    const unreachable: StoreError[] = [];
    const answers: { readonly link: BackendLink; readonly value: T }[] = [];
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') answers.push({ link: links[index] as BackendLink, value: result.value });
      else if (isRefusal(result.reason)) unreachable.push(result.reason);
      else throw result.reason;
    }
    return { answers, unreachable };
  }
}

/** Whether one backend is to blame, and not what it was asked. */
function isRefusal(error: unknown): error is StoreError {
  return isStoreError(error) && REFUSALS.has(error.kind);
}

const REFUSALS: ReadonlySet<StoreError['kind']> = new Set(['unavailable', 'exhausted', 'denied']);
