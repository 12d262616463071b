import { unscopeKey } from '../format/scoped-key.ts';

/** A scoped key for messages and details only: a damaged key must not hide the error that it belongs to. */
export function keyText(key: Uint8Array): string {
  return new TextDecoder().decode(unscopeKey(key).key);
}
