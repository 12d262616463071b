import type { z } from 'zod';
import { utf8Decode } from '../bytes/bytes.ts';
import { CREDENTIAL_FILE_BYTES_MAX } from '../limits.ts';
import { credentialError } from './credential-error.ts';

/**
 * Reads a JSON document of a known shape from text or UTF-8 bytes.
 * @param what what it should be, with its article; for messages, which never quote the document
 * @throws `invalid/CREDENTIAL_INVALID`
 */
export function parseDocument<T>(document: string | Uint8Array, schema: z.ZodType<T>, what: string): T {
  if (document.length > CREDENTIAL_FILE_BYTES_MAX) throw credentialError(what, `it has ${document.length} bytes`);
  const parsed = schema.safeParse(parseJson(document, what));
  if (parsed.success) return parsed.data;
  const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw credentialError(what, `wrong or missing: ${paths}`);
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
