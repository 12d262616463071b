import { findUnknownPlaces } from '../maintenance/find-places.ts';
import { recoverFromJournal } from '../maintenance/recover.ts';
import type { Metadata } from '../metadata/contract.ts';
import type { Keychain } from './keychain.ts';
import type { MetadataHome } from './metadata-home.ts';
import { openParts, refuseShorter, type StoreToRebuild, toReport } from './rebuild-parts.ts';
import type { OpenOptions, ProgressOptions } from './types.ts';
import type { RebuildReport } from './upkeep-types.ts';

/** From which metadata to which; the same for both where a store stays where it is. */
export interface MetadataExchange {
  readonly from: MetadataHome;
  readonly to: MetadataHome;
  /** Called when nobody commits any more, and before the end of the journal is read. */
  readonly onSettled?: () => Promise<void>;
  /** Called with the new metadata when they are whole. */
  readonly onMade?: (made: { readonly metadata: Metadata; readonly keychain: Keychain | undefined }) => Promise<void>;
}

/**
 * Makes the metadata of a store anew from its journal, beside what there is, and sets the old ones aside for them. Nobody
 * finds the new ones before they are whole; when anything fails they are removed.
 * @throws as `rebuildStore`
 */
export async function exchangeMetadata(
  store: StoreToRebuild,
  { from, to, onSettled, onMade }: MetadataExchange,
  options: OpenOptions & ProgressOptions,
): Promise<RebuildReport> {
  const { control: backend } = store.connection;
  const { metadata, packs, keychain } = await openParts(store, { create: true, path: to.newPath });
  let hadOld: boolean;
  let report: RebuildReport;
  try {
    const onPack = (done: number, total: number): void =>
      options.onProgress?.({ phase: 'rebuild', done, total, bytes: 0 });
    const first = await recoverFromJournal({ backend, metadata, packs, signal: options.signal, onPack });
    await refuseShorter(metadata, store.known ?? 0, store.connection);
    hadOld = await from.exists();
    await from.setAside();
    // From here on nobody commits; what somebody committed while the journal was read is in it by now.
    await onSettled?.();
    const second = await recoverFromJournal({ backend, metadata, packs });
    if (packs.isSpread) await findUnknownPlaces(metadata, store.connection.backends, options.signal);
    await onMade?.({ metadata, keychain });
    report = await toReport(metadata, { ...first, unreadable: [...first.unreadable, ...second.unreadable] });
  } catch (error) {
    await metadata.close();
    await to.removeNew();
    throw error;
  }
  await metadata.close();
  await to.putInPlace();
  return Object.freeze({ ...report, ...(hadOld && { setAside: from.setAsidePath }) });
}
