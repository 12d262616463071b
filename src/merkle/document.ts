/**
 * What the JSON documents of proofs share: strict reading, with bounds on what is believed before it is looked at, and
 * errors that quote nothing. Layouts in `docs/format.md`, section "Proofs".
 */

import { z } from 'zod';
import { fromHex } from '../bytes/bytes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import { DIGEST_ALGORITHMS, type Digest, type DigestAlgorithm } from '../hash/index.ts';
import { MERKLE_DOCUMENT_BYTES_MAX, MERKLE_PATH_DIGESTS_MAX } from '../limits.ts';

/** How many wrong fields a message names. */
const NAMED_FIELDS_MAX = 3;

/** A size, offset, index or count. */
export const countSchema = z.int().min(0);
/** A digest in lower-case hex; its algorithm stands beside it. */
export const hexSchema = z.string().regex(/^(?:[0-9a-f]{64}|[0-9a-f]{128})$/);
/** The names of {@link DIGEST_ALGORITHMS}. */
export const algorithmSchema = z.enum(Object.keys(DIGEST_ALGORITHMS) as [DigestAlgorithm, ...DigestAlgorithm[]]);
/** A digest as text, exactly as `formatDigest` writes it. */
export const rootSchema = z.string().regex(digestText());
/** Digests of a path. */
export const pathSchema = z.array(hexSchema).max(MERKLE_PATH_DIGESTS_MAX).readonly();

function digestText(): RegExp {
  const texts = Object.entries(DIGEST_ALGORITHMS).map(
    ([name, { digestBytes }]) => `${name}:[0-9a-f]{${2 * digestBytes}}`,
  );
  return new RegExp(`^(?:${texts.join('|')})$`);
}

/**
 * Reads a document of a known shape, as text or already parsed.
 * @param what what it should be, with its article
 * @throws `invalid/PROOF_INVALID`; `unsupported/FORMAT_UNSUPPORTED` for a document of its type in another version
 */
export function readDocument<T>(document: unknown, schema: z.ZodType<T>, what: string): T {
  const value = typeof document === 'string' ? parseJson(document, what) : document;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const actual = otherVersion(value, parsed.error.issues);
  if (actual !== undefined) {
    const message = `this is ${what} of version ${actual}, which needs a newer version of Holdfast`;
    throw storeError('FORMAT_UNSUPPORTED', message, { details: { actual } });
  }
  const fields = parsed.error.issues.slice(0, NAMED_FIELDS_MAX).map(({ path }) => path.join('.') || 'the whole');
  throw proofError(what, `wrong or missing: ${fields.join(', ')}`);
}

/** The version of a document that has the type it should, and not the version: then nothing else about it is known. */
function otherVersion(value: unknown, issues: readonly z.core.$ZodIssue[]): number | undefined {
  const isWrong = (name: string): boolean => issues.some(({ path }) => path.length === 1 && path[0] === name);
  const { version } = Object(value) as { readonly version?: unknown };
  return !isWrong('type') && isWrong('version') && Number.isSafeInteger(version) ? (version as number) : undefined;
}

function parseJson(text: string, what: string): unknown {
  if (text.length > MERKLE_DOCUMENT_BYTES_MAX) throw proofError(what, `it has ${text.length} characters`);
  try {
    return JSON.parse(text);
  } catch {
    // A pure function of the text: whatever it throws, it is the reason. Its message quotes the text.
    throw proofError(what, 'it is no JSON');
  }
}

/**
 * Digests of one algorithm out of their hex, which a schema has seen.
 * @throws `invalid/PROOF_INVALID` when one has the length of another algorithm's
 */
export function digestsOf(algorithm: DigestAlgorithm, hexes: readonly string[], what: string): Digest[] {
  const { digestBytes } = DIGEST_ALGORITHMS[algorithm];
  return hexes.map((hex) => {
    const bytes = fromHex(hex);
    if (bytes?.length !== digestBytes) throw proofError(what, `a digest is none of ${algorithm}`);
    return bytes as Digest;
  });
}

/** The error of everything that cannot be read as a document. */
export function proofError(what: string, problem: string): StoreError {
  return storeError('PROOF_INVALID', `this is not ${what}: ${problem}`);
}
