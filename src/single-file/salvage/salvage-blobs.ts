import type { Backend } from '../../backend/contract.ts';
import { discardBytes } from '../../bytes/discard.ts';
import { BLOB_BYTES_MAX } from '../../limits.ts';
import { type FoundBlob, findBlobs, readFoundBlob } from './found-blobs.ts';
import type { RawPages } from './raw-pages.ts';

/** A blob that was found and is not whole. */
export interface DamagedBlob {
  readonly key: string;
  readonly bytes: number;
  readonly rows: number;
  /** Rows that were found, some of which may be damaged. */
  readonly rowsFound: number;
  /** Whether an older version of it was whole, and was taken in its place. */
  readonly replacedByOlder: boolean;
}

/** What a salvage got out of a file. */
export interface SalvagedBlobs {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedBlob[];
}

/** How far a salvage is: in pages looked at, then in blobs. */
export type SalvageProgress = (phase: 'scan' | 'salvage', done: number, total: number, bytes: number) => void;

/**
 * Puts every blob that can be found whole: of several versions of one key the newest that is.
 * @param to where they are put; with none they are only counted
 */
export async function salvageBlobs(
  pages: RawPages,
  to: Backend | undefined,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress: SalvageProgress },
): Promise<SalvagedBlobs> {
  const { signal, onProgress } = options;
  const found = await findBlobs(pages, (page) => {
    signal?.throwIfAborted();
    onProgress('scan', page, pages.pageCount, 0);
  });
  const versions = versionsByKey(found);
  const damaged: DamagedBlob[] = [];
  let [blobs, bytes, done] = [0, 0, 0];
  for (const ofKey of versions) {
    signal?.throwIfAborted();
    const { whole, broken } = await newestWhole(pages, ofKey);
    if (whole) {
      await to?.put(whole.key, whole.bytes, { spendReserve: true });
      blobs += 1;
      bytes += whole.bytes.length;
      discardBytes(whole.bytes);
    }
    const [newest] = broken;
    if (newest) damaged.push(describeDamage(newest, whole !== undefined));
    done += 1;
    onProgress('salvage', done, versions.length, bytes);
  }
  return { blobs, bytes, damaged };
}

function versionsByKey(found: readonly FoundBlob[]): readonly (readonly FoundBlob[])[] {
  const newestFirst = found.toSorted((a, b) => b.number - a.number);
  return [...Map.groupBy(newestFirst, ({ key }) => key).values()];
}

async function newestWhole(pages: RawPages, versions: readonly FoundBlob[]) {
  const broken: FoundBlob[] = [];
  for (const version of versions) {
    const bytes = version.bytes > BLOB_BYTES_MAX ? undefined : await readFoundBlob(pages, version);
    if (bytes) return { whole: { key: version.key, bytes }, broken };
    broken.push(version);
  }
  return { whole: undefined, broken };
}

function describeDamage({ key, bytes, rowCount, rows }: FoundBlob, replacedByOlder: boolean): DamagedBlob {
  return { key, bytes, rows: rowCount, rowsFound: rows.size, replacedByOlder };
}
