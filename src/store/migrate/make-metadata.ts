/** The metadata of a store that moves: finished at the source, made anew from the bytes at the target. */
import type { Backend } from '../../backend/contract.ts';
import { SHARED_METADATA_FEATURE, type StoreConfig } from '../../format/index.ts';
import type { Connection } from '../backends/connect.ts';
import { closingOnFailure } from '../closing-on-failure.ts';
import { connectBackends } from '../connect-store.ts';
import { exchangeMetadata } from '../exchange-metadata.ts';
import { openPlace, surroundingsOf } from '../location.ts';
import { newestConfig } from '../newest-config.ts';
import { flushOldOutbox, type StoreToRebuild } from '../rebuild-parts.ts';
import { rememberedOf } from '../rollback-watch.ts';
import { type Settings, StoreSettings } from '../settings.ts';
import type { OpenOptions, ProgressOptions } from '../types.ts';
import type { OpenedConfig, Unlocking } from '../unlock.ts';
import type { RebuildReport } from '../upkeep-types.ts';
import type { MigrationEnd } from './migration-places.ts';

/** What making metadata needs of a move. */
export interface MovingStore {
  readonly source: MigrationEnd;
  readonly target: MigrationEnd;
  readonly unlocking: Unlocking;
  readonly options: OpenOptions & ProgressOptions;
}

/** What the metadata of the source knew when it was last looked at. */
export interface KnownState {
  readonly opened: OpenedConfig;
  /** The last commit; 0 where an earlier move has set the metadata aside. */
  readonly commit: number;
}

/** Brings all that was committed at the source into the journal. */
export async function settleSource({ source, unlocking, options }: MovingStore): Promise<KnownState> {
  if (!(await source.home.exists())) return { opened: unlocking.opened, commit: 0 };
  const { place } = source;
  const { backend } = await openPlace(place, { readOnly: false, create: false, reserveBytes: 0 });
  const store = await closingOnFailure(backend, () =>
    connected({ source, target: source, unlocking, options }, backend),
  );
  try {
    return await flushOldOutbox(store, options);
  } finally {
    await store.connection.control.close();
  }
}

/** The store at the target of a move, over a backend that is closed with the connection. */
async function connected({ target, unlocking, options }: MovingStore, backend: Backend): Promise<StoreToRebuild> {
  const { place } = target;
  const { config } = unlocking.opened;
  const remembered = await rememberedOf(config.storeId, options, surroundingsOf(place));
  const connection = await connectBackends({ place, backend }, config, { readOnly: false });
  return await closingOnFailure(connection.control, async () => {
    const opened = await newestConfig(connection, unlocking);
    await connection.follow(opened.config);
    return { place, backend, unlocking: { ...unlocking, opened }, connection, remembered };
  });
}

/**
 * Makes the metadata at the target, sets that of the source aside, follows what was committed until then, and puts the new
 * one and the config that tells of it in their places.
 * @param at the backend of the target, closed in any case
 * @param follow brings to the target what the source got meanwhile; called when nobody commits there any more
 */
export async function makeMetadata(
  move: MovingStore,
  { at, known, follow }: { readonly at: Backend; readonly known: KnownState; readonly follow: () => Promise<void> },
): Promise<RebuildReport> {
  const { source, target, options } = move;
  const unlocking = { ...move.unlocking, opened: known.opened };
  const store = await closingOnFailure(at, () => connected({ ...move, unlocking }, at));
  const { connection } = store;
  const { config } = store.unlocking.opened;
  const { random } = surroundingsOf(target.place);
  try {
    await target.home.removeNew();
    return await exchangeMetadata(
      { ...store, known: known.commit },
      {
        from: source.home,
        to: target.home,
        onSettled: follow,
        onMade: async ({ metadata, keychain }) => {
          const settings = new StoreSettings({ metadata, control: connection.control, keychain, random, config });
          await settings.change((now) => settingsAt(target, now, connection));
        },
      },
      options,
    );
  } finally {
    await connection.control.close();
  }
}

/** What the config says of where its store is. */
function settingsAt({ isShared, url }: MigrationEnd, now: StoreConfig, { home }: Connection): Settings {
  const others = now.features.incompatible.filter((name) => name !== SHARED_METADATA_FEATURE);
  const incompatible = isShared ? [...others, SHARED_METADATA_FEATURE] : others;
  const { features, redundancy, placement } = now;
  const backends = placement?.backends.map((facts) => (facts.number === home ? { ...facts, url } : facts));
  return {
    features: { ...features, incompatible },
    redundancy,
    ...(placement && backends && { placement: { ...placement, backends } }),
  };
}
