/** What rebuilding a store is made of, wherever its metadata lies. */
import { toHex } from '../bytes/bytes.ts';
import { parseRedundancy } from '../erasure/index.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { STORE_CONFIG_KEY } from '../format/index.ts';
import type { GuardState } from '../keys/index.ts';
import { allPacks } from '../maintenance/all-packs.ts';
import type { UnreadablePack } from '../maintenance/journal-reader.ts';
import type { Problem } from '../maintenance/problems.ts';
import { type RecoveryReport, recoverFromJournal } from '../maintenance/recover.ts';
import type { Metadata } from '../metadata/contract.ts';
import { PackStore } from '../placement/pack-store.ts';
import type { Connection } from './backends/connect.ts';
import { connectedStore, type PlacedStore } from './connect-store.ts';
import { JournalWriter } from './journal-writer.ts';
import type { Keychain } from './keychain.ts';
import { type Place, storeIdOf, surroundingsOf } from './location.ts';
import { openMetadata } from './open.ts';
import { Session } from './session.ts';
import type { OpenOptions } from './types.ts';
import type { OpenedConfig, Unlocking } from './unlock.ts';
import type { RebuildReport } from './upkeep-types.ts';

/** A store whose metadata is made anew. */
export interface PlacedToRebuild extends PlacedStore {
  readonly place: Exclude<Place, { readonly kind: 'memory' }>;
}

/** The same, connected to its backends. */
export interface StoreToRebuild extends PlacedToRebuild {
  readonly connection: Connection;
  /** What this client remembers of the store: another one in its place is refused before anything is written. */
  readonly remembered: GuardState | undefined;
  /** The last commit that the old metadata knows; absent before it was asked. */
  readonly known?: number;
}

/** Metadata of a store being rebuilt, and the packs that its keys open. */
export async function openParts(
  store: StoreToRebuild,
  options: { readonly create: boolean; readonly path?: string },
): Promise<{ readonly metadata: Metadata; readonly packs: PackStore; readonly keychain: Keychain | undefined }> {
  const { place, unlocking, remembered, connection } = store;
  const { config } = unlocking.opened;
  const metadata = await openMetadata(place, config, { ...options, backend: store.backend, readOnly: false });
  try {
    await refuseOtherKeys(metadata, unlocking);
    const { keychain } = await connectedStore({ ...store, metadata }, connection, { readOnly: false, remembered });
    const packs = new PackStore({
      backends: connection.backends,
      storeId: storeIdOf(config),
      random: surroundingsOf(place).random,
      keys: keychain,
      redundancy: () => parseRedundancy(config.redundancy),
    });
    return { metadata, packs, keychain };
  } catch (error) {
    await metadata.close();
    throw error;
  }
}

/**
 * A config that somebody made for the slots of this store opens with the caller's secret. With the journal gone as well,
 * a rebuild under its keys would end in an empty store: the old metadata knows better.
 */
async function refuseOtherKeys(metadata: Metadata, unlocking: Unlocking): Promise<void> {
  const kept = await metadata.config();
  if (kept === undefined || !(await unlocking.isOfOther(kept))) return;
  const message =
    'the config has other keys than the metadata, so one of them is of another store: restore holdfast.json from a ' +
    'copy; only if you know that it is right, move the metadata away and rebuild again';
  throw storeError('CONFIG_CORRUPT', message, { details: { backendKey: STORE_CONFIG_KEY } });
}

/**
 * What was committed and is not in the journal yet would be lost with the old metadata: written now, as far as it can
 * still be read and goes on from the journal.
 * @returns the config: the old metadata may hold a newer one than the backend; and the last commit that it knows, 0 when
 *   it cannot be read
 */
export async function flushOldOutbox(
  store: StoreToRebuild,
  options: OpenOptions,
): Promise<{ readonly opened: OpenedConfig; readonly commit: number }> {
  const { unlocking } = store;
  const { control: backend } = store.connection;
  let metadata: Metadata | undefined;
  let opened = unlocking.opened;
  let commit = 0;
  try {
    const old = await openParts(store, { create: false });
    metadata = old.metadata;
    const { packs, keychain } = old;
    if (keychain) opened = { config: keychain.config, keyring: keychain.keyring };
    // First of all compared with the journal: a record that contradicts it, flushed now, would stay there for ever.
    await recoverFromJournal({ backend, metadata, packs, signal: options.signal });
    const head = await metadata.head();
    commit = head.commit;
    if (head.flushed === head.commit) return { opened, commit };
    const session = new Session({
      storeId: storeIdOf(opened.config),
      sessionId: await metadata.openSession(),
      schedule: () => keychain?.schedule,
      random: surroundingsOf(store.place).random,
    });
    await new JournalWriter({ metadata, packs, session, head }).flush();
  } catch (error) {
    if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
    // It is the store that is in doubt, and not the old metadata.
    if (error.code === 'ROLLBACK_DETECTED' || error.code === 'CONFIG_CORRUPT') throw error;
    if (error.code === 'METADATA_MISSING') return { opened, commit };
    options.logger?.warn('the old metadata cannot be used: what it may hold beyond the journal is lost', { error });
  } finally {
    await metadata?.close();
  }
  return { opened, commit };
}

/**
 * The end of a journal that lies on a backend which is away leaves no gap: only the old metadata can tell that it is not
 * there.
 * @throws `unavailable/BACKEND_UNREACHABLE`, `corrupt/JOURNAL_GAP`
 */
export async function refuseShorter(metadata: Metadata, known: number, { backends }: Connection): Promise<void> {
  const { commit } = await metadata.head();
  if (commit >= known) return;
  const away = backends.links.filter((link) => link.backend === undefined || link.health.state === 'down');
  const names = away.map(({ facts }) => facts.name).join(', ');
  const why = names === '' ? '' : `; it may be on ${names}, which cannot be reached`;
  const message = `the journal ends with commit ${commit}, and the metadata knows ${known}${why}`;
  const [first] = away;
  const code = first ? 'BACKEND_UNREACHABLE' : 'JOURNAL_GAP';
  throw storeError(code, message, { details: { commit, ...(first && { backend: first.facts.name }) } });
}

/** What the new metadata holds, and what is missing of it. */
export async function toReport(
  metadata: Metadata,
  { unreadable, passedOver, checkpoint }: Pick<RecoveryReport, 'unreadable' | 'passedOver' | 'checkpoint'>,
): Promise<RebuildReport> {
  const doubtful = new Map(unreadable.map((pack) => [pack.packId, pack]));
  const problems: Problem[] = passedOver.map(({ code, message }) => ({ code, message: `a checkpoint: ${message}` }));
  if (doubtful.size > 0) {
    for await (const { id } of allPacks(metadata)) {
      const found = doubtful.get(toHex(id));
      // Packs that a later merge dropped are not missed.
      if (found) problems.push(toProblem(found));
    }
  }
  const [{ entries, chunks, packs }, { commit }] = await Promise.all([metadata.counters(), metadata.head()]);
  return { commit, entries, chunks, packs, ...(checkpoint !== undefined && { checkpoint }), problems };
}

function toProblem({ packId, error }: UnreadablePack): Problem {
  if (error) return { code: error.code, message: error.message, packId };
  return { code: 'CHUNK_MISSING', message: `pack ${packId} is gone`, packId };
}
