import type { Route } from '../route.ts';
import { tellAccess } from './access.ts';
import { batchFiles, copyFile, renameFile } from './changes.ts';
import { deleteFile, postContent, postFile, putFile } from './files.ts';
import { cancelJob, getJob, listJobs, pauseJob, resumeJob, startJob, watchJob, watchStore } from './jobs.ts';
import { listFiles, statFile } from './list.ts';
import { explainObject, findObject, getBlob, getObject, listObjects, putBlob, putObject } from './objects.ts';
import { listChunks, proveRange } from './proofs.ts';
import { getFile } from './read-file.ts';
import { deleteRef, getRef, listRefs, refHistory, setRef } from './refs.ts';
import { getRelations, listAncestors, listChildren, listDescendants, listRoots, setParent } from './relations.ts';
import {
  createSnapshot,
  diffSnapshots,
  downloadSnapshot,
  exportSnapshot,
  forgetSnapshots,
  importSnapshot,
  listSnapshots,
  mergeSnapshots,
  restoreFile,
  snapshotFile,
  snapshotLog,
  snapshotNames,
  thawSnapshot,
  uploadSnapshot,
  zipSnapshot,
} from './snapshots.ts';
import { healthz, namespaceStats, prometheus, readyz, spaceHistory, storeStats } from './stats.ts';
import {
  createNamespace,
  dropNamespace,
  getNamespace,
  listKeys,
  listNamespaces,
  setQuota,
  storeStatus,
  verifiedPacks,
} from './store.ts';
import { askUploads, continueUpload, createUpload, deleteUpload, getUpload } from './uploads.ts';
import { forgetVersions, listVersions, restoreVersion } from './versions.ts';

const FILES = [
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
];
const UPLOADS = [askUploads, createUpload, getUpload, continueUpload, deleteUpload];
const VERSIONS = [listVersions, restoreVersion, forgetVersions];
const RELATIONS = [getRelations, setParent, listChildren, listDescendants, listAncestors, listRoots];
const OBJECTS = [listObjects, putObject, getObject, putBlob, getBlob, findObject, explainObject];
const REFS = [listRefs, getRef, setRef, deleteRef, refHistory];
const SNAPSHOTS = [
  listSnapshots,
  createSnapshot,
  uploadSnapshot,
  downloadSnapshot,
  zipSnapshot,
  exportSnapshot,
  importSnapshot,
  mergeSnapshots,
  forgetSnapshots,
  snapshotLog,
  snapshotNames,
  diffSnapshots,
  snapshotFile,
  restoreFile,
  thawSnapshot,
];
const STORE = [
  storeStats,
  namespaceStats,
  spaceHistory,
  listNamespaces,
  createNamespace,
  getNamespace,
  setQuota,
  dropNamespace,
  listKeys,
  storeStatus,
  verifiedPacks,
];
const JOBS = [startJob, listJobs, getJob, pauseJob, resumeJob, cancelJob, watchJob, watchStore];

/** Every route, in the order of the document. */
export const ROUTES: readonly Route[] = [
  ...FILES,
  ...UPLOADS,
  ...VERSIONS,
  listChunks,
  proveRange,
  ...RELATIONS,
  ...OBJECTS,
  ...REFS,
  ...SNAPSHOTS,
  ...STORE,
  ...JOBS,
  tellAccess,
  prometheus,
  healthz,
  readyz,
];
