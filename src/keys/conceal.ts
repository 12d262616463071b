import { inspect } from 'node:util';

/**
 * Keeps an object that holds secrets out of logs: `util.inspect` and `JSON.stringify` show `shown` in its place. Its
 * members stay as they are, and a structured clone (a message to a worker) carries them, without this protection.
 */
export function conceal<T extends object>(value: T, shown: string): T {
  const show = { value: () => shown };
  return Object.defineProperties(value, { toJSON: show, [inspect.custom]: show });
}

/** Overwrites secrets that nobody needs any more. JavaScript may have made copies; this leaves one place less. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
