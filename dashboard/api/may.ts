import { useValue } from '../lib/value.ts';
import { access } from './session.ts';
import type { Access } from './types.ts';

/** What the dashboard shows and hides. */
export interface May {
  readonly read: boolean;
  readonly put: boolean;
  readonly write: boolean;
  /** The store as a whole: where it lies, its upkeep, its keys. */
  readonly admin: boolean;
  /** Numbers of the whole store. */
  readonly readAll: boolean;
}

export function mayOf({ verbs, namespaces }: Pick<Access, 'verbs' | 'namespaces'>): May {
  const isAdmin = verbs.includes('admin');
  const write = isAdmin || verbs.includes('write');
  const read = isAdmin || verbs.includes('read');
  const isWhole = namespaces === undefined;
  return { read, write, put: write || verbs.includes('put'), admin: isAdmin && isWhole, readAll: read && isWhole };
}

const NOTHING: May = { read: false, put: false, write: false, admin: false, readAll: false };

/** What whoever is in front of the page may do. */
export function useMay(): May {
  const found = useValue(access);
  return found ? mayOf(found) : NOTHING;
}
