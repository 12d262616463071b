/** What the stat cache says of a folder as a whole: the tree it became, and a digest of what was in it. */
import { fromHex, utf8Encode } from '../../bytes/bytes.ts';
import type { ScannedNode } from '../../folders/index.ts';
import { createHasher } from '../../hash/index.ts';
import { nameBytesOf, type TreeChild } from '../../objects/index.ts';
import { textBytes } from './tree-items.ts';

export /** What is as it was when it was stored: a file by its blob, a folder by its tree, a link by where it points. */
interface Remembered {
  readonly kind: 'file' | 'folder' | 'link';
  readonly node: ScannedNode;
  readonly value: Uint8Array;
}

const SLASH = Buffer.from('/');

/** Where the names of a folder, and what they stand for, are remembered: no path ends so. */
export function listingOf(node: ScannedNode): ScannedNode {
  return { ...node, path: Buffer.concat([node.path, SLASH]) };
}

/** Of children that are remembered; in the order of their names. */
export function digestOfRemembered(children: readonly Remembered[]): Uint8Array {
  const hasher = createHasher('blake3');
  for (const { kind, node, value } of children) addToListing(hasher, { kind, name: node.name, value });
  return hasher.digest();
}

/** As {@link digestOfRemembered} of the same children. */
export function digestOfChildren(children: readonly TreeChild[]): Uint8Array {
  const hasher = createHasher('blake3');
  for (const child of children) {
    const value = child.type === 'link' ? textBytes(child.target, child.targetBytes) : fromHex(child.id);
    const { type: kind } = child;
    addToListing(hasher, { kind, name: nameBytesOf(child), value: value ?? new Uint8Array() });
  }
  return hasher.digest();
}

function addToListing(
  hasher: ReturnType<typeof createHasher>,
  { kind, name, value }: { readonly kind: string; readonly name: Uint8Array; readonly value: Uint8Array },
): void {
  hasher.update(utf8Encode(`${kind} ${name.length} ${value.length}:`));
  hasher.update(name);
  hasher.update(value);
}
