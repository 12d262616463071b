import { scanFolder } from '../../folders/index.ts';
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
  for await (const item of scanFolder(folder, options)) {
    switch (item.kind) {
      case 'leave':
        break;
      case 'enter':
        yield { kind: 'folder', path: item.node.path.toString() };
        break;
      case 'file':
        yield { kind: 'file', path: item.node.path.toString(), size: item.node.size };
        break;
      case 'link':
        yield { kind: 'link', path: item.node.path.toString() };
        break;
      case 'skipped':
        yield { kind: 'skipped', path: item.path.toString(), reason: item.reason };
        break;
      case 'failed': {
        if (!concernsOneFile(item.error)) throw item.error;
        const path = item.path.toString();
        yield { kind: 'failed', path, failure: toFailure(path, item.error) };
      }
    }
  }
}
