/** Files on their way into the store. */
import { encodeKey } from '../../src/client/connection.ts';
import { createValue } from '../lib/value.ts';
import { BASE, currentToken } from './session.ts';

/** `exists`: a file of this name is there, and whoever uploads is asked. */
export type UploadState = 'waiting' | 'sending' | 'done' | 'exists' | 'failed';

export interface Upload {
  readonly id: number;
  readonly key: string;
  readonly scope: string;
  readonly file: File;
  readonly state: UploadState;
  readonly sent: number;
  readonly problem?: string;
}

const AT_ONCE = 3;

export const uploads = createValue<readonly Upload[]>([]);
/** Counts what has arrived, so that lists are read anew. */
export const arrivals = createValue(0);

const running = new Map<number, XMLHttpRequest>();
const replacing = new Set<number>();
let made = 0;

function change(id: number, next: Partial<Upload>): void {
  uploads.set(uploads.get().map((one) => (one.id === id ? { ...one, ...next } : one)));
}

function end(id: number, next: Partial<Upload>): void {
  running.delete(id);
  change(id, next);
  if (next.state === 'done') arrivals.set(arrivals.get() + 1);
  begin();
}

/** What the server says of an upload that it did not take. */
function problemOf(request: XMLHttpRequest): string {
  try {
    return String((JSON.parse(request.responseText) as { detail?: string }).detail);
  } catch {
    return `the server answered ${request.status}`;
  }
}

function send({ id, key, scope, file }: Upload): void {
  const request = new XMLHttpRequest();
  running.set(id, request);
  const within = scope === 'default' ? '' : `/namespaces/${encodeURIComponent(scope)}`;
  request.open('PUT', `${BASE}${within}/files/${encodeKey(key)}`);
  const token = currentToken();
  if (token !== undefined) request.setRequestHeader('authorization', `Bearer ${token}`);
  request.setRequestHeader('content-type', file.type || 'application/octet-stream');
  // Nothing is replaced unless somebody said so.
  if (!replacing.has(id)) request.setRequestHeader('if-none-match', '*');
  request.upload.onprogress = ({ loaded }) => change(id, { sent: loaded });
  request.onload = () => {
    if (request.status === 201) end(id, { state: 'done', sent: file.size });
    else if (request.status === 412 || request.status === 409) end(id, { state: 'exists', sent: 0 });
    else end(id, { state: 'failed', problem: problemOf(request) });
  };
  request.onerror = () => end(id, { state: 'failed', problem: 'the connection was cut' });
  change(id, { state: 'sending', sent: 0 });
  request.send(file);
}

function begin(): void {
  for (const one of uploads.get()) {
    if (running.size >= AT_ONCE) return;
    if (one.state === 'waiting' && !running.has(one.id)) send(one);
  }
}

/** Sends files, some at a time. @param files with the names they are to have */
export function upload(scope: string, files: readonly { readonly key: string; readonly file: File }[]): void {
  const added = files.map(({ key, file }): Upload => {
    made += 1;
    return { id: made, key, scope, file, state: 'waiting', sent: 0 };
  });
  uploads.set([...uploads.get(), ...added]);
  begin();
}

/** Tries again; `replaces`: also where a file is there. */
export function retry(id: number, replaces = false): void {
  if (replaces) replacing.add(id);
  change(id, { state: 'waiting', sent: 0 });
  begin();
}

/** Stops an upload, of which nothing stays, or forgets one that has ended. */
export function dismiss(id: number): void {
  running.get(id)?.abort();
  running.delete(id);
  uploads.set(uploads.get().filter((one) => one.id !== id));
  begin();
}
