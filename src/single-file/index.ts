/** A store in one file: its blobs and its metadata in one SQLite database. */

export { copySingleFile } from './copy-single-file.ts';
export { openSingleFile } from './open-single-file.ts';
export { RawPages } from './salvage/raw-pages.ts';
export { type DamagedBlob, salvageBlobs } from './salvage/salvage-blobs.ts';
export { SingleFileBackend } from './single-file-backend.ts';
export { isForeign, sniffFile } from './sniff-file.ts';
