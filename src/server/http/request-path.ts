import { storeError } from '../../errors/store-error.ts';

/** Paths that end in a key, which may hold any character. */
const KEYED =
  /^((?:\/namespaces\/[^/]*)?\/(?:files|stat|versions|chunks|proofs|relations|children|ancestors|descendants|refs|ref-history)\/)(.+)$/s;

/**
 * The path of a request as routes see it: percent-encoded like it came, with the slashes of a key encoded too, so that a key is
 * one part of the path whatever it holds.
 */
export function requestPath(request: Request): string {
  const { pathname } = new URL(request.url);
  const [, before, key] = KEYED.exec(pathname) ?? [];
  return before === undefined || key === undefined ? pathname : before + key.replaceAll('/', '%2F');
}

/** @throws `invalid/REQUEST_INVALID` for what is no percent-encoding of UTF-8 */
export function checkEncoding(path: string): void {
  try {
    decodeURIComponent(path);
  } catch {
    throw storeError('REQUEST_INVALID', 'the path is not UTF-8, percent-encoded', { details: { field: 'path' } });
  }
}

/** A key as the path of an address. */
export function encodeKeyPath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
