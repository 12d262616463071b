/** Small sealed stores with something of every kind in them, and what attacks on them need. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { EMPTY_BYTES, equalBytes, utf8Encode } from '../../src/bytes/bytes.ts';
import { decodeStoreConfig, STORE_CONFIG_KEY } from '../../src/format/index.ts';
import { type CreateOptions, createStore, type Entries, isStoreError, type Store } from '../../src/index.ts';
import type { KeySource } from '../../src/keys/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemProcessLife } from '../../src/runtime/process-life.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { connectStore } from '../../src/store/connect-store.ts';
import { Engine } from '../../src/store/engine.ts';
import { Telemetry } from '../../src/store/events.ts';
import { HoldfastStore } from '../../src/store/holdfast-store.ts';
import { storeIdOf } from '../../src/store/location.ts';
import { unlockConfig } from '../../src/store/unlock.ts';
import { noise, pieces } from './contents.ts';

/** What opens the stores of these tests: costs no passphrase. */
export const STORE_KEY = new Uint8Array(32).fill(0x5e);
export const TENANT_NAME = 'tenant-of-the-tests';

/** Small chunks, and no reserve: 16 MiB for each store are the subject of other tests. */
export const SEALED_OPTIONS = {
  keys: { key: STORE_KEY },
  reserveBytes: 0,
  chunking: 'fastcdc:256:1024:4096',
} as const satisfies CreateOptions;

/** An entry and what must be read under its key. */
export interface KnownEntry {
  /** Absent: the default one. */
  readonly namespace?: string;
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** The entries of the sample store, by what is special of each. */
export function sampleEntries(seed = 1): readonly (KnownEntry & { readonly kind: string })[] {
  const inTenant = { namespace: TENANT_NAME };
  return [
    { kind: 'rides in the journal', key: 'inline', bytes: utf8Encode(`something small of store ${seed}`) },
    { kind: 'has a pack of its own', key: 'packed', bytes: noise(66_000, seed) },
    { kind: 'has a key of its own', key: 'isolated', bytes: noise(900, seed + 1) },
    { kind: 'is of a tenant', ...inTenant, key: 'one', bytes: noise(700, seed + 2) },
    { kind: 'shares a pack', ...inTenant, key: 'two', bytes: noise(700, seed + 3) },
    { kind: 'has a manifest in a pack', ...inTenant, key: 'many', bytes: noise(16_000, seed + 4) },
    { kind: 'is of the second epoch', key: 'later', bytes: utf8Encode(`something newer of store ${seed}`) },
    { kind: 'is a tenant’s of the second epoch', ...inTenant, key: 'three', bytes: noise(700, seed + 5) },
    { kind: 'is a second one with a key', ...inTenant, key: 'isolated too', bytes: noise(900, seed + 6) },
  ];
}

/** The entries of a store, or of one of its namespaces. */
export function entriesOf(store: Store, namespace: string | undefined): Entries {
  return namespace === undefined ? store : store.namespace(namespace);
}

/**
 * Makes the sample store in a folder: two namespaces, two epochs, isolated entries, packs of every class.
 * @param left keys of entries to leave out
 */
export async function makeSampleStore(folder: string, seed = 1, left: readonly string[] = []): Promise<void> {
  const store = await createStore(folder, SEALED_OPTIONS);
  try {
    await store.namespaces.create(TENANT_NAME);
    const [inline, packed, isolated, one, two, many, later, three, second] = sampleEntries(seed);
    const put = (entry: KnownEntry | undefined, isolation?: 'entry') =>
      entry &&
      !left.includes(entry.key) &&
      entriesOf(store, entry.namespace).put(entry.key, entry.bytes, {
        attributes: { colour: `blue ${seed}` },
        ...(isolation && { isolation }),
      });
    await put(inline);
    await put(packed);
    await put(isolated, 'entry');
    // In one commit, so that one pack has both.
    const both = [one, two].flatMap((entry) => (entry ? [{ key: entry.key, source: entry.bytes }] : []));
    await store.namespace(TENANT_NAME).putMany(both);
    // More chunks than a manifest in the metadata row holds.
    if (many && !left.includes(many.key))
      await store.namespace(TENANT_NAME).put(many.key, pieces(many.bytes, 32), { chunking: 'given' });
    await store.keys.rotate();
    await put(later);
    await put(three);
    await put(second, 'entry');
    await nameThings(store, seed);
  } finally {
    await store.close();
  }
}

/**
 * One of everything that is neither entry nor content: an object, a ref with moves, versions, relations, a policy. Called
 * again with another seed it changes them all.
 */
export async function nameThings(store: Store, seed: number): Promise<void> {
  const [inline, , , , , , later] = sampleEntries(seed);
  if (!inline || !later) throw new Error('the sample has these entries');
  const { id } = await store.objects.putBundle({ seed, of: 'the sample' });
  await store.refs.set('sample', id, { message: `move ${seed}` });
  await store.versions.setPolicy({ last: 3 + seed });
  await store.put(inline.key, await store.get(inline.key), { attributes: { colour: `named ${seed}` } });
  const [child, parent] = seed % 2 === 0 ? [inline, later] : [later, inline];
  await store.relations.remove(parent.key);
  await store.relations.set(child.key, parent.key);
}

/** Every file under a folder by its path with `/`; those that are deleted meanwhile are left out. */
export async function filesOf(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, Uint8Array>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const bytes = await readIfThere(file);
    if (bytes) files.set(path.relative(folder, file).replaceAll(path.sep, '/'), bytes);
  }
  return files;
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/**
 * What a crash at this instant would leave of a folder: a copy of a store that is open. Made again until nothing has
 * changed meanwhile: merging goes on in the background.
 */
export async function crashCopy(folder: string, copy: string): Promise<void> {
  for (;;) {
    const before = await filesOf(folder);
    if (!isSameImage(before, await filesOf(folder))) continue;
    for (const [name, bytes] of before) {
      await mkdir(path.dirname(path.join(copy, name)), { recursive: true });
      await writeFile(path.join(copy, name), bytes);
    }
    return;
  }
}

function isSameImage(one: ReadonlyMap<string, Uint8Array>, other: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    one.size === other.size && [...one].every(([name, bytes]) => equalBytes(bytes, other.get(name) ?? EMPTY_BYTES))
  );
}

/** Where a store in a folder keeps its metadata. */
export function metadataPath(folder: string): string {
  return path.join(folder, '.metadata', 'store.sqlite');
}

/** How the files of a store are to be taken. */
export interface ImageOptions {
  /** What opens it; `none` for a plain store. Default: the key of these tests. */
  readonly keys?: KeySource | 'none';
  /** Folders of its other backends. */
  readonly disks?: readonly string[];
}

/**
 * A store whose blobs lie in memory and whose metadata is read in this thread: what an attacker changes costs no file, and
 * opening it again no thread.
 */
export class StoreImage {
  readonly backend: MemoryBackend;
  /** Those beside the one at the place of the store. */
  readonly others: readonly MemoryBackend[];
  /** The blobs at the place of the store as it wrote them. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly keySource: KeySource | undefined;
  metadata: Metadata;
  readonly #metadataPath: string;

  private constructor(parts: {
    backends: readonly [MemoryBackend, ...MemoryBackend[]];
    blobs: ReadonlyMap<string, Uint8Array>;
    keys: KeySource | undefined;
    metadata: Metadata;
    path: string;
  }) {
    [this.backend, ...this.others] = parts.backends;
    this.blobs = parts.blobs;
    this.keySource = parts.keys;
    this.metadata = parts.metadata;
    this.#metadataPath = parts.path;
  }

  /** Takes a closed store's files; its metadata is read where it lies and must stay there. */
  static async of(folder: string, { keys = SEALED_OPTIONS.keys, disks = [] }: ImageOptions = {}): Promise<StoreImage> {
    const blobs = await blobsOf(folder);
    const backends = [await backendOf(blobs)] as const;
    const others = await Promise.all(disks.map(async (disk) => backendOf(await blobsOf(disk))));
    const file = metadataPath(folder);
    const metadata = await readMetadata(file, blobs, keys !== 'none');
    const keySource = keys === 'none' ? undefined : keys;
    return new StoreImage({ backends: [...backends, ...others], blobs, keys: keySource, metadata, path: file });
  }

  /** The names of all blobs that begin so. */
  keys(prefix: string): readonly string[] {
    return [...this.blobs.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  blob(key: string): Uint8Array {
    const blob = this.blobs.get(key);
    if (blob === undefined) throw new Error(`the sample store has no ${key}`);
    return blob;
  }

  /** Opens the metadata anew, after its file was changed. */
  async reopenMetadata(): Promise<void> {
    await this.metadata.close();
    this.metadata = await readMetadata(this.#metadataPath, this.blobs, this.keySource !== undefined);
  }

  /** Opens the store read-only, as a new process does that knows nothing yet. */
  async open(
    keys: KeySource | undefined = this.keySource,
  ): Promise<{ readonly store: Store; readonly engine: Engine }> {
    const { backend, others, metadata } = this;
    const bytes = await backend.get(STORE_CONFIG_KEY);
    const config = decodeStoreConfig(bytes ?? new Uint8Array(0));
    const unlocking = await unlockConfig(config, keys);
    const place = { kind: 'backend', backend, backends: others, metadataPath: this.#metadataPath } as const;
    const engine = new Engine({
      ...(await connectStore({ place, backend, metadata, unlocking }, { readOnly: true })),
      metadata,
      telemetry: new Telemetry(undefined),
      clock: systemClock,
      random: systemRandom,
      life: systemProcessLife,
    });
    return { store: new HoldfastStore(engine), engine };
  }

  /** Runs `work` with other bytes (or none) under some keys, and puts the right ones back. */
  async with<T>(changed: Readonly<Record<string, Uint8Array | undefined>>, work: () => Promise<T>): Promise<T> {
    for (const [key, bytes] of Object.entries(changed)) {
      if (bytes === undefined) await this.backend.delete(key);
      else await this.backend.put(key, bytes);
    }
    try {
      return await work();
    } finally {
      for (const key of Object.keys(changed)) {
        const bytes = this.blobs.get(key);
        if (bytes === undefined) await this.backend.delete(key);
        else await this.backend.put(key, bytes);
      }
    }
  }

  async close(): Promise<void> {
    await this.metadata.close();
    for (const backend of [this.backend, ...this.others]) await backend.close();
  }
}

async function blobsOf(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map([...(await filesOf(folder))].filter(([name]) => !name.startsWith('.')));
}

async function backendOf(blobs: ReadonlyMap<string, Uint8Array>): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  for (const [key, bytes] of blobs) await backend.put(key, bytes);
  return backend;
}

function readMetadata(path: string, blobs: ReadonlyMap<string, Uint8Array>, sealed: boolean): Promise<Metadata> {
  const storeId = storeIdOf(decodeStoreConfig(blobs.get(STORE_CONFIG_KEY) ?? EMPTY_BYTES));
  return openSqlMetadata({ path, storeId, create: false, readOnly: true, busyTimeoutMs: 1000, sealed });
}

/** What readers may answer when somebody has changed the store; everything else is a defect. */
const HONEST_KINDS: ReadonlySet<string> = new Set(['corrupt', 'denied', 'invalid', 'not-found', 'unsupported']);

/** What became of an attempt: what it gave, or the code of the error that it is honest about. */
export async function honest<T>(work: () => Promise<T>): Promise<{ readonly value?: T; readonly code?: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (isStoreError(error) && HONEST_KINDS.has(error.kind)) return { code: error.code };
    throw error;
  }
}

/**
 * Reads every entry whole, looks it up, and lists what there is.
 * @param listed what lists may show; default: what is read
 * @returns the codes of what was refused; none when everything was right
 * @throws when anything gives wrong bytes, or an error that says nothing
 */
export async function readEverything(
  store: Store,
  known: readonly KnownEntry[],
  listed: readonly KnownEntry[] = known,
): Promise<ReadonlySet<string>> {
  const codes = new Set<string>();
  const note = ({ code }: { readonly code?: string }): void => {
    if (code !== undefined) codes.add(code);
  };
  for (const { namespace, key, bytes } of known) {
    const entries = entriesOf(store, namespace);
    const whole = await honest(() => entries.get(key));
    if (whole.value && !equalBytes(whole.value, bytes)) throw new Error(`${key} gives wrong bytes`);
    note(whole);
    const stat = await honest(() => entries.stat(key));
    if (stat.value && stat.value.size !== bytes.length) throw new Error(`${key} has a wrong size`);
    note(stat);
  }
  for (const namespace of new Set(listed.map((one) => one.namespace))) {
    const found = await honest(() => Array.fromAsync(entriesOf(store, namespace).list(), ({ key }) => key));
    const names = listed.filter((one) => one.namespace === namespace).map(({ key }) => key);
    if (found.value?.some((key) => !names.includes(key))) throw new Error('a list has a name that nobody put');
    if (found.value && found.value.length < names.length) codes.add('name missing');
    note(found);
  }
  return codes;
}
