import type { z } from 'zod';
import { utf8Decode } from '../bytes/bytes.ts';
import { formatUnsupported } from '../format/damage.ts';
import { CREDENTIAL_FILE_BYTES_MAX } from '../limits.ts';
import { credentialError } from './credential-error.ts';

/**
 * Reads a JSON document of a known shape from text or UTF-8 bytes.
 * @param what what it should be, with its article; for messages, which never quote the document
 * @throws `invalid/CREDENTIAL_INVALID`; `unsupported/FORMAT_UNSUPPORTED` for a document of its type in another version
 */
export function parseDocument<T>(document: string | Uint8Array, schema: z.ZodType<T>, what: string): T {
  if (document.length > CREDENTIAL_FILE_BYTES_MAX) throw credentialError(what, `it has ${document.length} bytes`);
  const value = parseJson(document, what);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const version = otherVersion(value, parsed.error.issues);
  if (version !== undefined) throw formatUnsupported(what.replace(/^an? /, ''), `version ${version}`);
  const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw credentialError(what, `wrong or missing: ${paths}`);
}

/** The version of a document that has the type it should, and not the version: then nothing else about it is known. */
function otherVersion(value: unknown, issues: readonly z.core.$ZodIssue[]): number | undefined {
  const isWrong = (name: string): boolean => issues.some(({ path }) => path.length === 1 && path[0] === name);
  const { type, version } = Object(value) as { readonly type?: unknown; readonly version?: unknown };
  if (typeof type !== 'string' || isWrong('type') || !isWrong('version')) return undefined;
  return Number.isSafeInteger(version) ? (version as number) : undefined;
}

function parseJson(document: string | Uint8Array, what: string): unknown {
  try {
    return JSON.parse(typeof document === 'string' ? document : utf8Decode(document));
  } catch {
    // Pure functions over the document: whatever they throw, it is the reason. Their messages quote it.
    throw credentialError(what, 'it is no JSON');
  }
}

/** Spells a document: two spaces of indent and a final line end. */
export function formatDocument(document: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
