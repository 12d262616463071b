/**
 * Names within trees. A name is bytes; where they are UTF-8 the text says it all, where not the text has U+FFFD for what
 * is none, and the bytes stand beside it in base64.
 */

import { isUtf8 } from 'node:buffer';
import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { TREE_NAME_BYTES_MAX, TREE_PATH_BYTES_MAX } from '../limits.ts';
import type { TreeName, TreeNode } from './types.ts';

const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes of a text, or those that stand beside it; both are known to be right. */
export function bytesOfText(text: string, base64: string | undefined): Uint8Array {
  return base64 === undefined ? utf8Encode(text) : new Uint8Array(Buffer.from(base64, 'base64'));
}

/** The bytes of the name of a child. */
export function nameBytesOf({ name, nameBytes }: TreeName): Uint8Array {
  return bytesOfText(name, nameBytes);
}

/** The name of a child alone. */
export function nameOf(child: TreeName): TreeName {
  const { name, nameBytes } = child;
  return nameBytes === undefined ? { name } : { name, nameBytes };
}

/** The bytes of the first name below a node. */
export function firstBytesOf({ first, firstBytes }: TreeNode): Uint8Array {
  return bytesOfText(first, firstBytes);
}

/** Names bytes: the text alone where it says it all. */
export function treeName(bytes: Uint8Array): TreeName {
  const { text, base64 } = textOfBytes(bytes);
  return base64 === undefined ? { name: text } : { name: text, nameBytes: base64 };
}

/** A path as text, for messages and lists; bytes that are not UTF-8 show as U+FFFD. */
export function formatTreePath(path: readonly TreeName[]): string {
  return path.map(({ name }) => name).join('/');
}

/** Spells bytes as text, and in base64 where the text alone would not do. */
export function textOfBytes(bytes: Uint8Array): { readonly text: string; readonly base64?: string } {
  const text = lenient.decode(bytes);
  return isUtf8(bytes) ? { text } : { text, base64: toBase64(bytes) };
}

/** What is wrong with bytes that stand beside a text: they must be needed, and say the same. */
export function byteTextProblem(text: string, base64: unknown): string | undefined {
  const bytes = typeof base64 === 'string' ? fromBase64(base64) : undefined;
  if (bytes === undefined) return 'must be bytes in base64';
  const spelt = textOfBytes(bytes);
  if (spelt.base64 === undefined) return 'is there though the bytes are UTF-8';
  return spelt.text === text ? undefined : 'and its text differ';
}

/** What is wrong with the name of one file or folder: it must never lead anywhere but into its own folder. */
export function componentProblem(name: Uint8Array): string | undefined {
  if (name.length === 0 || name.length > TREE_NAME_BYTES_MAX) return `must have 1 to ${TREE_NAME_BYTES_MAX} bytes`;
  if (name.includes(0)) return 'holds a zero byte';
  if (name.includes(0x2f)) return 'holds a "/"';
  if (name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e))) return 'is "." or ".."';
  return undefined;
}

/** What is wrong with a path within a snapshot: components with `/` between them. */
export function pathProblem(path: Uint8Array): string | undefined {
  if (path.length === 0 || path.length > TREE_PATH_BYTES_MAX) return `must have 1 to ${TREE_PATH_BYTES_MAX} bytes`;
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(0x2f, start);
    const end = slash === -1 ? path.length : slash;
    const problem = componentProblem(path.subarray(start, end));
    if (problem !== undefined) return `has a component that ${problem}`;
    start = end + 1;
  }
  return undefined;
}
