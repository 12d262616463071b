import path from 'node:path';
import { type StoreError, storeError } from '../../errors/store-error.ts';

const WINDOWS_RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

function refusal(key: string, reason: string): StoreError {
  return storeError('LOCATION_INVALID', `${JSON.stringify(key)} cannot be restored as a file: ${reason}`, {
    details: { key },
  });
}

function badComponent(component: string): string | undefined {
  if (component === '') return 'it has an empty component';
  if (component === '.' || component === '..') return `it has a component "${component}"`;
  if (component.includes('\0')) return 'it holds a NUL character';
  if (path.sep === '/') return undefined;
  if (/[<>:"\\|?*]/.test(component) || /[. ]$/.test(component) || WINDOWS_RESERVED.test(component)) {
    return `Windows has no file of the name "${component}"`;
  }
  return undefined;
}

/**
 * The components of the file that a key becomes below a folder.
 * @param folder the part of the key to leave away, empty or ending with `/`
 * @throws `invalid/LOCATION_INVALID` for a key that would leave the folder or that no file can be named after
 */
export function restoreComponents(key: string, folder = ''): readonly string[] {
  const components = key.slice(folder.length).split('/');
  for (const component of components) {
    const reason = badComponent(component);
    if (reason !== undefined) throw refusal(key, reason);
  }
  return components;
}

/**
 * Notices keys that need as a folder what an earlier key is as a file. Keys must come in byte order; only those that
 * are a beginning of the present one are kept, so memory is bounded by the length of a key.
 */
export class FolderConflicts {
  readonly #beginnings: string[] = [];

  /** @throws `invalid/LOCATION_INVALID` when `key` lies below a key that was seen */
  check(key: string): void {
    while (this.#beginnings.length > 0 && !key.startsWith(this.#beginnings.at(-1) as string)) this.#beginnings.pop();
    const file = this.#beginnings.find((beginning) => key.startsWith(`${beginning}/`));
    this.#beginnings.push(key);
    if (file !== undefined) throw refusal(key, `${JSON.stringify(file)} is a file, not a folder`);
  }
}
