import path from 'node:path';
import { usageError } from '../usage-error.ts';

/**
 * The name a path is stored under: as typed, made relative and plain. `./docs//a.txt` is `docs/a.txt`, `/etc/hosts` is
 * `etc/hosts`, `.` is empty: what lies in it has names of its own. A name never depends on the current folder.
 *
 * @throws a usage error for a path that leaves by `..`, because nothing then says where its name begins
 */
export function sourceName(typed: string): string {
  if (typed === '') throw usageError('a path must not be empty');
  const normal = path.normalize(typed);
  const components = normal.slice(path.parse(normal).root.length).split(path.sep);
  if (components[0] === '..') {
    throw usageError(
      `${typed} lies outside the current folder; name it with --key KEY, or put it from a folder above it`,
    );
  }
  return components.filter((component) => component !== '' && component !== '.').join('/');
}

/** Puts a name below a prefix, with exactly one `/` between; an absent or empty prefix changes nothing. */
export function withPrefix(prefix: string | undefined, name: string): string {
  if (!prefix) return name;
  return `${prefix.replace(/\/+$/, '')}/${name}`;
}
