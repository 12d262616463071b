import { type StoreError, storeError } from '../errors/store-error.ts';
import { pathText } from './item-error.ts';

const WINDOWS_RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/i;
const NUL = 0;
const SLASH = 0x2f;

function unsafeReason(component: Buffer, windows: boolean): string | undefined {
  if (component.length === 0) return 'a component is empty';
  const text = component.toString('latin1');
  if (text === '.' || text === '..') return `a component is "${text}"`;
  if (component.includes(NUL)) return 'a component holds a NUL character';
  if (component.includes(SLASH)) return 'a component holds a separator';
  if (!windows) return undefined;
  // A colon names a stream of another file, and a point or space at the end is cut off: another file than it says.
  const name = pathText(component);
  const control = [...component].some((byte) => byte < 0x20);
  if (control || /[<>:"\\|?*]/.test(name) || /[. ]$/.test(name) || WINDOWS_RESERVED.test(name)) {
    return `Windows has no file of the name ${JSON.stringify(name)}`;
  }
  // Its names are UTF-16: other bytes would become the same few characters.
  return Buffer.from(name).equals(component) ? undefined : 'a component is not UTF-8';
}

/**
 * Why a path cannot be restored: what leads out of the target, or would become another file than it names.
 * @param windows whether the rules of Windows hold
 * @returns `invalid/PATH_UNSAFE`, or `undefined` for a path that is fine
 */
export function unsafePath(components: readonly Buffer[], windows: boolean): StoreError | undefined {
  for (const component of components) {
    const reason = unsafeReason(component, windows);
    if (reason === undefined) continue;
    const path = components.map(pathText).join('/');
    return storeError('PATH_UNSAFE', `${JSON.stringify(path)} is not restored: ${reason}`, { details: { path } });
  }
  return undefined;
}
