import { compareBytes, utf8Encode } from '../bytes/bytes.ts';
import { TREE_NAME_BYTES_MAX } from '../limits.ts';
import type { PythonJson } from './python-json.ts';
import { PythonNumber } from './python-json.ts';

/** A child of an old tree with the name it has now. */
export interface NamedChild {
  readonly name: string;
  readonly oldId: string;
}

/** What changed while the children of an old tree, a list of ids, were given names. */
export type NamingChange = 'child-unnamed' | 'child-renamed' | 'child-repeated' | 'order-changed' | 'name-unused';

function isName(name: PythonJson | undefined): name is string {
  if (typeof name !== 'string' || name === '' || name === '.' || name === '..') return false;
  return !/[/\0]/.test(name) && utf8Encode(name).length <= TREE_NAME_BYTES_MAX;
}

/**
 * Names the children: as `metadata.names` says, by the old id where it says nothing, nothing that can be a name, or the
 * name of another child. A tree here has names, each once, in their byte order: a child that was listed twice is listed
 * once.
 */
export function nameChildren(
  children: readonly string[],
  names: PythonJson | undefined,
  onChange: (change: NamingChange, oldId: string) => void,
): readonly NamedChild[] {
  const isMap =
    typeof names === 'object' && names !== null && !Array.isArray(names) && !(names instanceof PythonNumber);
  const given = new Map(isMap ? Object.entries(names as { readonly [id: string]: PythonJson }) : []);
  const taken = new Set<string>();
  const named = new Map<string, NamedChild>();
  for (const oldId of children) {
    if (named.has(oldId)) {
      onChange('child-repeated', oldId);
      continue;
    }
    const wanted = given.get(oldId);
    const fits = isName(wanted) && !taken.has(wanted) && !(wanted !== oldId && children.includes(wanted));
    if (!fits) onChange(wanted === undefined ? 'child-unnamed' : 'child-renamed', oldId);
    const name = fits ? wanted : oldId;
    taken.add(name);
    named.set(oldId, { name, oldId });
  }
  for (const id of given.keys()) if (!named.has(id)) onChange('name-unused', id);
  const listed = [...named.values()];
  const sorted = listed.toSorted((a, b) => compareBytes(utf8Encode(a.name), utf8Encode(b.name)));
  const moved = sorted.find((child, index) => child !== listed[index]);
  if (moved) onChange('order-changed', moved.oldId);
  return sorted;
}
