import type { Route } from '../route.ts';
import { batchFiles, copyFile, renameFile } from './changes.ts';
import { deleteFile, postContent, postFile, putFile } from './files.ts';
import { listFiles, statFile } from './list.ts';
import { getFile } from './read-file.ts';
import { healthz, namespaceStats, readyz, storeStats } from './stats.ts';
import { forgetVersions, listVersions, restoreVersion } from './versions.ts';

/** Every route, in the order of the document. */
export const ROUTES: readonly Route[] = [
  putFile,
  postFile,
  postContent,
  getFile,
  deleteFile,
  listFiles,
  statFile,
  copyFile,
  renameFile,
  batchFiles,
  listVersions,
  restoreVersion,
  forgetVersions,
  storeStats,
  namespaceStats,
  healthz,
  readyz,
];
