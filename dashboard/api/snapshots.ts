import { getLines, postJson } from './store.ts';
import type { SnapshotInfo } from './types.ts';

/** What lies in a snapshot: a file of the store, a file or folder of an archive. */
export interface SnapshotItem {
  readonly path: string;
  readonly child: {
    readonly type: string;
    readonly size?: number;
    readonly contentType?: string;
    readonly modified?: string;
  };
}

export interface Difference {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed' | string;
  readonly metadataOnly: boolean;
  readonly before?: SnapshotItem['child'];
  readonly after?: SnapshotItem['child'];
}

/** More than these nobody reads; the search finds the rest. */
export const ITEMS_MAX = 5000;

interface Call {
  readonly scope: string;
  readonly signal?: AbortSignal;
}

export const listSnapshots = (call: Call): Promise<readonly SnapshotInfo[]> =>
  getLines('/snapshots', { ...call, max: 1000 });

/** @param folder path in the snapshot; empty: its top */
export const itemsOf = (id: string, folder: string, call: Call): Promise<readonly SnapshotItem[]> =>
  getLines('/snapshots/names', { ...call, query: { address: addressOf(id, folder) }, max: ITEMS_MAX });

export const differencesOf = (from: string, to: string, call: Call): Promise<readonly Difference[]> =>
  getLines('/snapshots/diff', { ...call, query: { from, to }, max: ITEMS_MAX });

export function addressOf(id: string, path: string): string {
  return path === '' ? id : `${id}:${path}`;
}

/** Puts files of a snapshot back, each as the newest version under its name. @returns those that could not be */
export async function restoreItems(
  id: string,
  paths: readonly string[],
  scope: string,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  for (const path of paths) {
    try {
      await postJson('/snapshots/restore-file', { address: addressOf(id, path), key: path }, { scope });
    } catch (error) {
      failed.set(path, error);
    }
  }
  return failed;
}
