/** Files on their way into the store. */
import { createValue } from '../lib/value.ts';
import { createSender, type Sender } from './sender.ts';

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

/** Those of a file stay, so that trying again goes on where it was. */
const senders = new Map<number, Sender>();
const running = new Set<number>();
const replacing = new Set<number>();
let made = 0;

function change(id: number, next: Partial<Upload>): void {
  uploads.set(uploads.get().map((one) => (one.id === id ? { ...one, ...next } : one)));
}

function end(id: number, next: Partial<Upload>): void {
  running.delete(id);
  change(id, next);
  if (next.state === 'done') senders.delete(id);
  if (next.state === 'done') arrivals.set(arrivals.get() + 1);
  begin();
}

function send(one: Upload): void {
  const { id, file } = one;
  const sender = senders.get(id) ?? createSender(one);
  senders.set(id, sender);
  running.add(id);
  change(id, { state: 'sending' });
  sender.start({
    // Nothing is replaced unless somebody said so.
    replaces: replacing.has(id),
    onProgress: (sent) => change(id, { sent }),
    onEnd: (outcome) => {
      if (outcome === 'stored') end(id, { state: 'done', sent: file.size });
      else if (outcome === 'exists') end(id, { state: 'exists', sent: 0 });
      else end(id, { state: 'failed', problem: outcome.problem });
    },
  });
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
  change(id, { state: 'waiting' });
  begin();
}

/** Stops an upload, of which nothing stays, or forgets one that has ended. */
export function dismiss(id: number): void {
  senders.get(id)?.stop();
  senders.delete(id);
  running.delete(id);
  uploads.set(uploads.get().filter((one) => one.id !== id));
  begin();
}
