import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BackendModules, openModuleBackend } from '../../backend/backend-module.ts';
import type { Backend } from '../../backend/contract.ts';
import { openFsBackend } from '../../backend/open-fs-backend.ts';
import { openS3Backend } from '../../backend/s3/open-s3-backend.ts';
import { formatS3Url, parseS3Url } from '../../backend/s3/s3-url.ts';
import { storeError } from '../../errors/store-error.ts';
import { BACKEND_URL_LENGTH_MAX } from '../../limits.ts';
import type { FileSystem } from '../../runtime/file-system.ts';
import { fileUrlOf, isPathText } from '../../runtime/file-url.ts';
import { isForeign, openSingleFile, sniffFile } from '../../single-file/index.ts';
import { FILE_ENDING, isFilePath } from '../file-place.ts';

/** One scheme and a colon; a single letter is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;
const OBJECT_STORE = /^s3:/i;
const FILE = /^file:/i;

/** Whether a location is a URL that nobody here knows to open: a module of the caller's may. */
function isModuleUrl(location: string): boolean {
  return SCHEME.test(location) && !OBJECT_STORE.test(location) && !FILE.test(location);
}

/**
 * The URL under which a config keeps a backend: of a folder or a single file, its absolute path; of a bucket, `s3://…`; of any
 * other scheme, as it is.
 * @param location a path or a URL
 * @throws `invalid/BACKEND_INVALID` for what is neither, or holds a password
 */
export function backendUrl(location: string): string {
  if (location === '') throw invalid(location);
  if (isObjectStoreUrl(location)) return formatS3Url(parseS3Url(location));
  if (isModuleUrl(location)) return moduleUrl(location);
  return fileUrlOf(SCHEME.test(location) ? pathOf(location) : checkPath(resolve(location), location)).href;
}

/** Whether a location is an object store. */
export function isObjectStoreUrl(location: string): boolean {
  return OBJECT_STORE.test(location);
}

/** A store keeps it for everybody to read who may read the config. */
function moduleUrl(location: string): string {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || url.password !== '' || url.href.length > BACKEND_URL_LENGTH_MAX) {
    const path = location.replace(/\/\/[^/]*@/, '//').slice(0, BACKEND_URL_LENGTH_MAX);
    const message = `${path} is no URL of a backend: it has no password in it, and at most ${BACKEND_URL_LENGTH_MAX} characters`;
    throw storeError('BACKEND_INVALID', message, { details: { path } });
  }
  return url.href;
}

/**
 * All that a backend may write to: those of two backends begin alike if one lies inside of the other. Of what a module opens
 * nobody here knows more than its URL.
 */
export function territoryOf(url: string): string {
  if (isModuleUrl(url)) return `${url} `;
  if (!isObjectStoreUrl(url)) return `${pathOf(url)}${sep}`;
  const { endpoint = 'aws', bucket, prefix } = parseS3Url(url);
  return `s3:${endpoint}/${bucket}/${prefix}`;
}

/** The folder or file of a backend. @throws as `backendUrl` */
function pathOf(url: string): string {
  if (!url.startsWith('file:')) throw invalid(url);
  try {
    return checkPath(resolve(fileURLToPath(url)), url);
  } catch (cause) {
    throw invalid(url, cause);
  }
}

/** @throws `invalid/BACKEND_INVALID` for what is the path of no file, or of another one than it says */
function checkPath(path: string, location: string): string {
  if (isPathText(path)) return path;
  throw invalid(location);
}

/**
 * Opens the backend of a URL that a config keeps.
 * @throws `conflict/BACKEND_MISMATCH` for a file that is none of a store; `unsupported/BACKEND_UNSUPPORTED` for a scheme
 *   without a module; what opening it throws
 */
export async function openBackendUrl(
  url: string,
  options: {
    readonly readOnly: boolean;
    readonly create: boolean;
    readonly fileSystem: FileSystem;
    /** Those that the caller named. Default: none. */
    readonly modules?: BackendModules | undefined;
  },
): Promise<Backend> {
  if (isObjectStoreUrl(url)) return await openS3Backend(url, { readOnly: options.readOnly });
  const { modules = {}, ...others } = options;
  if (isModuleUrl(url)) return await openModuleBackend(url, modules, options);
  const path = pathOf(url);
  // What is set aside for deletes on a full disk is the home's: the journal and the metadata grow there.
  const { fileSystem, ...given } = others;
  const how = { ...given, reserveBytes: 0 };
  if (!isFilePath(path)) return await openFsBackend(path, { ...how, fileSystem });
  const found = await sniffFile(path);
  if (isForeign(found) || (found === 'empty' && !path.endsWith(FILE_ENDING)))
    throw storeError('BACKEND_MISMATCH', `${path} is a file that no store has made: nothing was changed there`);
  return await openSingleFile(path, how);
}

function invalid(location: string, cause?: unknown): Error {
  const message = `${location === '' ? 'nothing' : location} is no backend that this version knows: give a folder, a file, or s3://bucket`;
  return storeError('BACKEND_INVALID', message, { details: { path: location }, ...(cause !== undefined && { cause }) });
}
