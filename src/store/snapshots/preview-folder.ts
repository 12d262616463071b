import { type ScanItem, scanFolder } from '../../folders/index.ts';
import { concernsOneFile } from './snapshot-tally.ts';
import { type SnapshotFailure, type SnapshotOptions, toFailure } from './snapshot-types.ts';

/** What a snapshot of a folder would meet; paths are components from the folder on, separated by `/`. */
export type FolderPreview =
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
  | { readonly kind: 'folder' | 'link'; readonly path: string }
  | { readonly kind: 'skipped'; readonly path: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly path: string; readonly failure: SnapshotFailure };

/** Which of the options of a snapshot decide what goes into it. */
export type FolderPreviewOptions = Pick<
  SnapshotOptions,
  'excludes' | 'excludeFiles' | 'oneFileSystem' | 'avoid' | 'signal'
>;

/**
 * Walks a folder as a snapshot of it would, and tells what it meets; needs no store, and reads no file but those of
 * exclude rules. A folder comes before what is in it; the folder itself has the path `''`.
 * @throws `not-found/SOURCE_NOT_FOUND`, `invalid/SOURCE_INVALID`, `denied/PERMISSION_DENIED` for the folder itself
 */
export async function* previewFolder(
  folder: string,
  options: FolderPreviewOptions = {},
): AsyncGenerator<FolderPreview, void, undefined> {
  for await (const items of scanFolder(folder, options)) {
    for (const item of items) {
      const met = previewOf(item);
      if (met) yield met;
    }
  }
}

function previewOf(item: ScanItem): FolderPreview | undefined {
  switch (item.kind) {
    case 'leave':
      return undefined;
    case 'enter':
      return { kind: 'folder', path: item.node.path.toString() };
    case 'file':
      return { kind: 'file', path: item.node.path.toString(), size: item.node.size };
    case 'link':
      return { kind: 'link', path: item.node.path.toString() };
    case 'skipped':
      return { kind: 'skipped', path: item.path.toString(), reason: item.reason };
    case 'failed': {
      if (!concernsOneFile(item.error)) throw item.error;
      const path = item.path.toString();
      return { kind: 'failed', path, failure: toFailure(path, item.error) };
    }
  }
}
