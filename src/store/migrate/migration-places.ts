/** Where a move goes from and to, and what may be there. */
import type { Backend } from '../../backend/contract.ts';
import { listAll } from '../../backend/list-all.ts';
import { storeError } from '../../errors/store-error.ts';
import { type MigrationMark, STORE_CONFIG_KEY, type StoreConfig } from '../../format/index.ts';
import { backendUrl } from '../backends/backend-url.ts';
import {
  checkMetadataNamed,
  hasConfiguredMetadata,
  hasSharedMetadata,
  metadataPathOf,
  type Place,
  surroundingsOf,
} from '../location.ts';
import { type MetadataHome, metadataHome } from '../metadata-home.ts';
import { readMark } from './migration-mark.ts';

/** A place that others find by its name. */
type NamedPlace = Extract<Place, { readonly kind: 'folder' | 'bucket' }>;

/** One end of a move. */
export interface MigrationEnd {
  readonly place: NamedPlace;
  /** Of the bytes; without secrets. */
  readonly url: string;
  readonly home: MetadataHome;
  readonly isShared: boolean;
}

/** @throws `invalid/LOCATION_INVALID` for what has no name, is one file, or lacks its database */
export function endOf(place: Place): MigrationEnd {
  if (place.kind === 'memory' || place.kind === 'backend')
    throw storeError('LOCATION_INVALID', 'a store moves between folders and buckets that are named by a path or a URL');
  if (place.kind === 'file') {
    const message =
      'a store in one file does not move as a whole: add the other place as a backend, and drain the file';
    throw storeError('LOCATION_INVALID', message, { details: { path: place.file } });
  }
  checkMetadataNamed(place);
  const url = place.kind === 'bucket' ? place.url : backendUrl(place.folder);
  const home = metadataHome(place.metadataPath ?? '', surroundingsOf(place));
  return { place, url, home, isShared: hasSharedMetadata(place) };
}

/**
 * A store whose config says otherwise of its metadata than the source does is on its way: it was set aside there, and the
 * config is that of the target.
 * @throws `invalid/METADATA_ELSEWHERE`
 */
export async function checkSourceConfig(
  source: MigrationEnd,
  target: MigrationEnd,
  config: StoreConfig,
): Promise<void> {
  const isOnItsWay = source.url === target.url && hasConfiguredMetadata(target.place, config);
  if (isOnItsWay && !(await source.home.exists())) return;
  metadataPathOf(source.place, config);
}

/**
 * The mark of the move that is to go on here, if one began.
 * @param at the target; `undefined` where it has not been made yet
 * @throws `conflict/STORE_EXISTS`, `conflict/TARGET_EXISTS`
 */
export async function markOf(
  at: Backend | undefined,
  target: MigrationEnd,
  storeId: string,
): Promise<MigrationMark | undefined> {
  const mark = at && (await readMark(at));
  const details = { path: target.url };
  if (mark && mark.storeId !== storeId)
    throw storeError('TARGET_EXISTS', `another store is being moved to ${target.url}`, { details });
  if (mark || at === undefined) return mark;
  if (await at.head(STORE_CONFIG_KEY))
    throw storeError('STORE_EXISTS', `there is a store at ${target.url} already`, { details });
  for await (const { key } of listAll(at))
    throw storeError('TARGET_EXISTS', `${target.url} is not empty: it holds ${key}`, { details });
  return undefined;
}
