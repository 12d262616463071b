/** What a name in a folder stands for, and what the stat cache says of a folder as a whole. */
import type { ScannedNode } from '../../folders/index.ts';
import { blake3 } from '../../hash/index.ts';
import type { TreeName } from '../../objects/index.ts';

/** What is stored, or was when it was as it is: a file by its blob, a folder by its tree, a link by where it points. */
export interface StoredNode {
  readonly kind: 'file' | 'folder' | 'link';
  readonly node: ScannedNode;
  readonly value: Uint8Array;
  /** Path of the first name of the same file, where it has several. */
  readonly sameAs?: TreeName;
}

const SLASH = Buffer.from('/');

/** Where the names of a folder, and what they stand for, are remembered: no path ends so. */
export function listingOf(node: ScannedNode): ScannedNode {
  return { ...node, path: Buffer.concat([node.path, SLASH]) };
}

/** Of what is in a folder, in the order of the names. */
export function digestOfListing(children: readonly StoredNode[]): Uint8Array {
  const heads = children.map(({ kind, node, value }) => `${kind} ${node.name.length} ${value.length}:`);
  let length = 0;
  for (const [index, { node, value }] of children.entries())
    length += (heads[index] as string).length + node.name.length + value.length;
  const listing = Buffer.allocUnsafe(length);
  let end = 0;
  for (const [index, { node, value }] of children.entries()) {
    end += listing.write(heads[index] as string, end, 'latin1');
    listing.set(node.name, end);
    listing.set(value, end + node.name.length);
    end += node.name.length + value.length;
  }
  return blake3(listing);
}
