/** From the config of a store to its backends: opens each, and believes none that does not say which it is. */
import type { Backend } from '../../backend/contract.ts';
import { parseRedundancy } from '../../erasure/index.ts';
import { isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import {
  BACKEND_MARKER_KEY,
  type BackendMarker,
  type ConfigBackend,
  decodeBackendMarker,
  encodeBackendMarker,
  type StoreConfig,
} from '../../format/index.ts';
import { type BackendFacts, BackendLink, type BackendStateListener } from '../../placement/backend-link.ts';
import { BackendSet, SOLE_BACKEND, soleBackend } from '../../placement/backend-set.ts';
import { MirroredBackend } from '../../placement/mirrored-backend.ts';
import { parityNeeded } from '../../placement/stripe-writer.ts';
import { sleep } from '../../runtime/timers.ts';
import { type Place, surroundingsOf } from '../location.ts';
import type { Surroundings } from '../surroundings.ts';
import { backendUrl, openBackendUrl } from './backend-url.ts';

/** A disk that does not answer must not keep a store from being opened. */
const OPEN_TIMEOUT_MS = 10_000;

/** The backends of an open store. */
export interface Connection {
  readonly backends: BackendSet;
  /** What all of them hold alike. Closing it closes them all. */
  readonly control: Backend;
  /** Number of the one that the store was opened at. */
  readonly home: number;
  /** Where that one is; empty for a backend of the caller's. */
  readonly homeUrl: string;
  readonly surroundings: Surroundings;
  /** Follows a newer config. @param opened by id */
  follow(config: StoreConfig, opened?: ReadonlyMap<string, Backend>): Promise<void>;
}

export interface ConnectOptions {
  readonly place: Place;
  /** The backend at the place; open. */
  readonly home: Backend;
  readonly config: StoreConfig;
  readonly readOnly: boolean;
  /** Told when a backend goes down, and when it is back. */
  readonly onBackendState?: BackendStateListener | undefined;
}

/**
 * Connects to every backend of a store. Those that cannot be reached, or are not what they should be, are links that
 * fail: the store works without them as far as its redundancy goes.
 * @throws `conflict/BACKEND_MISMATCH` when the home is none of the store's backends
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { home, config, readOnly, place } = options;
  const surroundings = surroundingsOf(place);
  let now = config;
  const number = config.placement ? await findHome(home, config) : SOLE_BACKEND;
  const backends = config.placement ? new BackendSet([]) : soleBackend(home, surroundings.clock);
  const own = config.placement?.backends.find((facts) => facts.number === number);
  if (own) await relink(backends, options, new Map([...(await givenBackends(options)), [own.id, home]]));
  // As many as the shards that a pack must have beyond those it is read from: what is acknowledged bears the same losses.
  const copiesMin = (): number => 1 + parityNeeded(parseRedundancy(now.redundancy).m);
  const control = new MirroredBackend({ set: backends, home: number, readOnly, copiesMin });
  const follow = async (newer: StoreConfig, opened: ReadonlyMap<string, Backend> = new Map()): Promise<void> => {
    await relink(backends, { ...options, config: newer }, opened);
    now = newer;
  };
  return { backends, control, home: number, homeUrl: urlOf(place), surroundings, follow };
}

/** Where a place is; empty for what has no URL. */
export function urlOf(place: Place): string {
  if (place.kind === 'folder') return backendUrl(place.folder);
  if (place.kind === 'bucket') return place.url;
  return place.kind === 'file' ? backendUrl(place.file) : '';
}

/**
 * Brings a set to what a config says. What is open stays open; backends that left the store are closed.
 * @param opened by id
 */
async function relink(set: BackendSet, options: ConnectOptions, opened: ReadonlyMap<string, Backend>): Promise<void> {
  const { placement } = options.config;
  if (placement === undefined) return;
  const links = await Promise.all(
    placement.backends.map(async (facts) => {
      const known = set.find(facts.number);
      if (known && !opened.has(facts.id) && isSame(known.facts, facts)) return known;
      const backend = opened.get(facts.id) ?? known?.backend ?? (await openLink(facts, options));
      const { fileSystem, clock, backendModules: modules } = surroundingsOf(options.place);
      const how = { readOnly: options.readOnly, fileSystem, modules, storeId: options.config.storeId };
      const reopen = (): Promise<Backend> => openMarked(facts, how);
      const { onBackendState: onState } = options;
      const parts = { facts, backend, clock, ...(onState && { onState }), ...(known && { before: known }) };
      return new BackendLink({ ...parts, ...(facts.url !== '' && { reopen }) });
    }),
  );
  const kept = new Set(links.map(({ backend }) => backend));
  const gone = set.links.filter(({ backend }) => backend !== undefined && !kept.has(backend));
  set.replace(links, placement);
  // One that hangs would never be closed: nobody who works with the others waits for it.
  for (const { backend } of gone) backend?.close().catch(() => undefined);
}

/** What is known of a backend stays while it is the same, and meant for the same. */
function isSame(known: BackendFacts, now: BackendFacts): boolean {
  return (['name', 'domain', 'weight', 'mode'] as const).every((fact) => known[fact] === now[fact]);
}

async function findHome(home: Backend, config: StoreConfig): Promise<number> {
  const marker = await readMarker(home);
  const found = config.placement?.backends.find(({ id }) => id === marker?.backendId);
  if (found && marker?.storeId === config.storeId) return found.number;
  const message = marker
    ? 'this folder carries the mark of a backend that its store does not have'
    : `this folder has no ${BACKEND_MARKER_KEY}: nobody can tell which backend of the store it is`;
  throw storeError('BACKEND_MISMATCH', message, { details: { backendKey: BACKEND_MARKER_KEY } });
}

/**
 * Backends that the caller passes, by the ids they carry. One whose mark is another store's, is damaged or cannot be read
 * is none of them: the store works without it as far as its redundancy goes.
 */
async function givenBackends({ place, config }: ConnectOptions): Promise<ReadonlyMap<string, Backend>> {
  const given = new Map<string, Backend>();
  for (const backend of place.kind === 'backend' ? (place.backends ?? []) : []) {
    const marker = await readableMarker(backend);
    if (marker?.storeId === config.storeId) given.set(marker.backendId, backend);
  }
  return given;
}

async function readableMarker(backend: Backend): Promise<BackendMarker | undefined> {
  try {
    return await readMarker(backend);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return undefined;
  }
}

async function openLink(
  facts: ConfigBackend,
  { config, readOnly, place }: ConnectOptions,
): Promise<Backend | StoreError> {
  if (facts.url === '')
    return unreachable(facts, 'none that was passed when the store was opened says that it is this one');
  try {
    const { fileSystem, backendModules: modules } = surroundingsOf(place);
    return await openMarked(facts, { storeId: config.storeId, readOnly, fileSystem, modules });
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return error;
  }
}

/**
 * Opens a backend by its URL and makes sure that it is the one that is meant.
 * @throws `conflict/BACKEND_MISMATCH`, and what opening and reading it throw
 */
export async function openMarked(
  facts: Pick<ConfigBackend, 'id' | 'name' | 'url'>,
  options: Omit<Parameters<typeof openBackendUrl>[1], 'create'> & { readonly storeId: string },
): Promise<Backend> {
  const { storeId, ...how } = options;
  const opening = openBackendUrl(facts.url, { ...how, create: false });
  const backend = await inTime(opening, () => unreachable(facts, `it did not open within ${OPEN_TIMEOUT_MS} ms`));
  try {
    const marker = await readMarker(backend);
    if (marker?.backendId === facts.id && marker.storeId === storeId) return backend;
    throw mismatch(facts, marker, storeId);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function inTime(opening: Promise<Backend>, late: () => StoreError): Promise<Backend> {
  const over = new AbortController();
  const timeout = sleep(OPEN_TIMEOUT_MS, { signal: over.signal, background: true }).then(() => {
    throw late();
  });
  timeout.catch(() => {
    if (over.signal.aborted) return;
    opening.then((backend) => backend.close()).catch(() => undefined);
  });
  try {
    return await Promise.race([opening, timeout]);
  } finally {
    over.abort();
  }
}

/** @throws `corrupt/CONFIG_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`, and what the backend throws */
export async function readMarker(backend: Backend): Promise<BackendMarker | undefined> {
  const bytes = await backend.get(BACKEND_MARKER_KEY);
  return bytes && decodeBackendMarker(bytes);
}

/** Marks a backend as one of a store. */
export async function writeMarker(backend: Backend, marker: BackendMarker): Promise<void> {
  await backend.put(BACKEND_MARKER_KEY, encodeBackendMarker(marker));
}

function unreachable({ name }: Pick<ConfigBackend, 'name'>, why: string): StoreError {
  return storeError('BACKEND_UNREACHABLE', `backend ${name} cannot be reached: ${why}`, { details: { backend: name } });
}

function mismatch(
  { name }: Pick<ConfigBackend, 'name'>,
  marker: BackendMarker | undefined,
  storeId: string,
): StoreError {
  const found =
    marker === undefined
      ? 'nothing of this store'
      : marker.storeId === storeId
        ? 'another backend of this store'
        : 'a backend of another store';
  return storeError('BACKEND_MISMATCH', `where backend ${name} should be, there is ${found}`, {
    details: { backend: name },
  });
}
