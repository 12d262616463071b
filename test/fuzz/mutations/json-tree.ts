/**
 * JSON as a tree that keeps what a parsed value loses: names that come twice, the order of names, the spelling of
 * numbers. So a changed tree can be written as JSON that no program would write.
 */
import { utf8Encode } from '../../../src/bytes/bytes.ts';

export type JsonNode =
  | { readonly kind: 'list'; items: JsonNode[] }
  | { readonly kind: 'object'; members: (readonly [name: string, value: JsonNode])[] }
  | { readonly kind: 'text'; text: string }
  /** As it is spelt: a number, `true`, or what is no JSON at all. */
  | { readonly kind: 'spelling'; spelling: string };

function nodeOf(value: unknown): JsonNode {
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (Array.isArray(value)) return { kind: 'list', items: value.map(nodeOf) };
  if (typeof value === 'object' && value !== null) {
    return { kind: 'object', members: Object.entries(value).map(([name, one]) => [name, nodeOf(one)]) };
  }
  return { kind: 'spelling', spelling: JSON.stringify(value) };
}

const decoder = new TextDecoder();
/** What walks over trees here recurses. */
const DEPTH_MAX = 300;

function isShallow(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5b || unit === 0x7b) depth += 1;
    else if (unit === 0x5d || unit === 0x7d) depth -= 1;
    if (depth > DEPTH_MAX) return false;
  }
  return true;
}

/** @returns `undefined` for what is no JSON, or nested too deep to be changed */
export function parseTree(input: Uint8Array): JsonNode | undefined {
  const text = decoder.decode(input);
  if (!isShallow(text)) return undefined;
  try {
    return nodeOf(JSON.parse(text));
  } catch {
    // A mutation before this one made something else of it: whatever is thrown, the input is the reason.
    return undefined;
  }
}

/** @param indent as of `JSON.stringify`; 0 for one line */
export function formatTree(node: JsonNode, indent: number): string {
  const write = (one: JsonNode, depth: number): string => {
    if (one.kind === 'spelling') return one.spelling;
    if (one.kind === 'text') return JSON.stringify(one.text);
    const parts =
      one.kind === 'list'
        ? one.items.map((item) => write(item, depth + 1))
        : one.members.map(
            ([name, value]) => `${JSON.stringify(name)}:${indent > 0 ? ' ' : ''}${write(value, depth + 1)}`,
          );
    const [open, close] = one.kind === 'list' ? ['[', ']'] : ['{', '}'];
    if (indent === 0 || parts.length === 0) return open + parts.join(',') + close;
    const line = (at: number): string => `\n${' '.repeat(indent * at)}`;
    return open + parts.map((part) => line(depth + 1) + part).join(',') + line(depth) + close;
  };
  return write(node, 0);
}

/** How the documents of a target are spelt: 2 spaces and a line end, or all in one line. */
export function indentOf(input: Uint8Array): number {
  return input.subarray(0, 64).includes(0x0a) ? 2 : 0;
}

export function treeBytes(node: JsonNode, like: Uint8Array): Uint8Array {
  const indent = indentOf(like);
  return utf8Encode(formatTree(node, indent) + (indent > 0 && like.at(-1) === 0x0a ? '\n' : ''));
}

/** Every node, the outermost first. */
export function nodesOf(root: JsonNode): readonly JsonNode[] {
  const nodes = [root];
  // Grows while it is walked.
  for (const node of nodes) {
    if (node.kind === 'list') nodes.push(...node.items);
    if (node.kind === 'object') nodes.push(...node.members.map(([, value]) => value));
  }
  return nodes;
}
