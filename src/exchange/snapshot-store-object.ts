import { fromBase64 } from '../bytes/base64.ts';
import { toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { digestOf } from '../hash/index.ts';
import { type PythonJson, PythonNumber, parsePythonJson } from './python-json.ts';

type Fields = { readonly [name: string]: PythonJson };

/** One object of a snapshot-store, verified. Numbers are kept as Python wrote them. */
export interface SnapshotStoreObject {
  /** 64 hex digits: BLAKE3 or SHA-256 of its bytes, by whether a package was installed when it was written. */
  readonly id: string;
  readonly algorithm: 'blake3' | 'sha256';
  readonly content:
    | { readonly type: 'blob'; readonly bytes: Uint8Array }
    | { readonly type: 'bundle'; readonly value: Fields }
    | { readonly type: 'tree'; readonly children: readonly string[] }
    | { readonly type: 'snapshot'; readonly bundles: readonly string[]; readonly parent?: string };
  readonly metadata: Fields;
}

const ID = /^[0-9a-f]{64}$/;

export function isObjectId(text: unknown): text is string {
  return typeof text === 'string' && ID.test(text);
}

function isObject(value: PythonJson | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PythonNumber);
}

function idsOf(value: PythonJson | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every(isObjectId) ? (value as string[]) : undefined;
}

function contentOf(
  type: PythonJson | undefined,
  content: PythonJson | undefined,
): SnapshotStoreObject['content'] | undefined {
  if (type === 'blob') {
    const bytes = typeof content === 'string' ? fromBase64(content) : undefined;
    return bytes && { type, bytes };
  }
  if (!isObject(content)) return undefined;
  if (type === 'bundle') return Object.keys(content).length > 0 ? { type, value: content } : undefined;
  if (type === 'tree') {
    const children = idsOf(content.children);
    return children && Object.keys(content).length === 1 ? { type, children } : undefined;
  }
  const bundles = idsOf(content.bundles);
  const { parent } = content;
  const known = Object.keys(content).length === (parent === undefined ? 1 : 2);
  if (type !== 'snapshot' || !bundles || !known || !(parent === undefined || isObjectId(parent))) return undefined;
  return { type, bundles, ...(parent !== undefined && { parent }) };
}

/** The objects that an object refers to, in order; a repeated one comes once. */
export function referencesOf({ content }: SnapshotStoreObject): readonly string[] {
  if (content.type === 'tree') return [...new Set(content.children)];
  if (content.type !== 'snapshot') return [];
  return [...new Set([...(content.parent === undefined ? [] : [content.parent]), ...content.bundles])];
}

/**
 * Reads an object from the bytes of its file. They are hashed as they are, and must be the canonical text of what they
 * say.
 * @param file its path, for the error
 * @throws `corrupt/IMPORT_CORRUPT`
 */
export function parseSnapshotObject(bytes: Uint8Array, id: string, file: string): SnapshotStoreObject {
  const blake3 = toHex(digestOf('blake3', bytes));
  const algorithm = blake3 === id ? 'blake3' : 'sha256';
  if (algorithm === 'sha256' && toHex(digestOf('sha256', bytes)) !== id) {
    const message = `the object ${file} has neither the BLAKE3 nor the SHA-256 of its name`;
    throw storeError('IMPORT_CORRUPT', message, { details: { path: file, digest: id, expected: id, actual: blake3 } });
  }
  const value = parsePythonJson(bytes);
  const fields = isObject(value) ? value : {};
  const content = contentOf(fields.type, fields.content);
  const metadata = fields.metadata ?? {};
  const known = Object.keys(fields).every((name) => ['type', 'content', 'metadata'].includes(name));
  if (content === undefined || !isObject(metadata) || !known) {
    throw storeError('IMPORT_CORRUPT', `${file} is no object of snapshot-store`, {
      details: { path: file, digest: id },
    });
  }
  return { id, algorithm, content, metadata };
}
