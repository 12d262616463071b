import { equalBytes } from '../bytes/bytes.ts';
import type { ChunkingSpec } from '../chunking/index.ts';
import { invariant, isStoreError } from '../errors/store-error.ts';
import { decodeEntryRow, type EntryValue, namespaceOfKey, plainIds } from '../format/index.ts';
import { DEFAULT_NAMESPACE as DEFAULT_NAMESPACE_NAME } from '../keys/index.ts';
import type { EntryRow, Metadata } from '../metadata/contract.ts';
import { ItemReader, type ItemSource } from '../pipeline/item-reader.ts';
import { keyText, namingEntry, type OpenedEntry } from './entry-info.ts';
import { type Keychain, needKeychain } from './keychain.ts';
import { Scope } from './scope.ts';

/** A put under a key of its own, on its way. */
export interface IsolatedPut {
  readonly scope: Scope;
  /** Number of its namespace of one. */
  readonly namespace: number;
  /** The entry's value as the metadata keeps it, and the version it shows. */
  seal(value: EntryValue): { readonly entry: Uint8Array; readonly version: Uint8Array };
  /** Nothing is sealed any more: the key need not stay at hand. */
  release(): void;
}

const DEFAULT_NAMESPACE = 0;

/** The scopes of an open store, and the entries that they open. */
export class Scopes {
  readonly #keychain: Keychain | undefined;
  readonly #metadata: Metadata;
  readonly #chunking: ChunkingSpec;
  readonly #source: Omit<ItemSource, 'ids' | 'keys'>;
  readonly #known = new Map<number, Scope>();

  constructor(parts: {
    readonly keychain: Keychain | undefined;
    readonly metadata: Metadata;
    /** Default of the store. */
    readonly chunking: ChunkingSpec;
    /** What readers read from. */
    readonly source: Omit<ItemSource, 'ids' | 'keys'>;
  }) {
    this.#keychain = parts.keychain;
    this.#metadata = parts.metadata;
    this.#chunking = parts.chunking;
    this.#source = parts.source;
  }

  /** Names of the namespaces by number, the default one among them. */
  get namespaces(): ReadonlyMap<number, string> {
    const all = this.#keychain?.keyring.namespaces ?? [{ number: DEFAULT_NAMESPACE, name: DEFAULT_NAMESPACE_NAME }];
    return new Map(all.map(({ number, name }) => [number, name]));
  }

  /** The default namespace, or the one of this name. @throws `not-found/NAMESPACE_NOT_FOUND` */
  async named(name?: string): Promise<Scope> {
    if (name === undefined) return this.of(DEFAULT_NAMESPACE);
    const { number } = await needKeychain(this.#keychain).namespace(name);
    return this.of(number);
  }

  /** Ids and cut points of a namespace never change, so its scope is made once. @throws `denied/NAMESPACE_KEY_GONE` */
  of(namespace: number): Scope {
    const scope = this.#known.get(namespace) ?? this.#make(namespace);
    this.#known.set(namespace, scope);
    return scope;
  }

  /** Its key is gone, and nothing may be made with what is left of it. */
  forget(namespace: number): void {
    this.#known.delete(namespace);
    this.#keychain?.forget(namespace);
  }

  /** Opens the value of an entry. @throws `corrupt/*` naming the key; `denied/NAMESPACE_KEY_GONE` */
  async openEntry(row: EntryRow, scope = this.of(namespaceOfKey(row.key))): Promise<OpenedEntry> {
    try {
      const decoded = decodeEntryRow(row.entry);
      if ('value' in decoded) {
        const { reader, ids } = scope;
        return { row, value: decoded.value, reader, ids, isolated: false };
      }
      const keychain = this.#keychain;
      invariant(keychain, 'only a sealed store has isolated entries');
      const { isolated } = decoded;
      return await keychain.using(isolated.namespace, () => {
        const { reader, ids } = this.#make(isolated.namespace);
        return { row, value: keychain.openIsolated(isolated), reader, ids, isolated: true };
      });
    } catch (error) {
      throw namingEntry(error, keyText(row));
    }
  }

  /** Opens an entry that was looked up a moment ago; `undefined` when it was shredded since. */
  async openCurrent(row: EntryRow, scope: Scope): Promise<OpenedEntry | undefined> {
    try {
      return await this.openEntry(row, scope);
    } catch (error) {
      if (!isStoreError(error, 'KEY_PAGE_MISSING')) throw error;
      const [now] = await this.#metadata.getEntries([row.key]);
      if (now && equalBytes(now.version, row.version)) throw error;
      return now && (await this.openCurrent(now, scope));
    }
  }

  /** A scope for one entry, with a key that is durable when this resolves. @throws `denied/STORE_NOT_SEALED` */
  async isolate(): Promise<IsolatedPut> {
    const keychain = needKeychain(this.#keychain);
    const namespace = await keychain.createIsolated();
    return {
      scope: this.#make(namespace),
      seal: (value) => keychain.sealIsolated(namespace, value),
      release: () => keychain.releaseIsolated(namespace),
      namespace,
    };
  }

  #make(namespace: number): Scope {
    const keys = this.#keychain;
    const ids = keys?.ids(namespace) ?? plainIds;
    const reader = new ItemReader({ ...this.#source, ids, keys });
    const chunkerSeed = keys?.schedule.chunkerSeed(namespace) ?? 0n;
    return new Scope({ namespace, ids, reader, chunking: this.#chunking, chunkerSeed });
  }
}
