/**
 * Digests of content in headers.
 * @see RFC 9530: a body that is neither ranged nor encoded has one digest, so both fields mean the same here
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { storeError } from '../../errors/store-error.ts';
import { createHasher } from '../../hash/index.ts';

interface Running {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Names of the registry of RFC 9530, and `blake3`, which is not in it: it is what stores keep. */
const ALGORITHMS: Readonly<Record<string, () => Running>> = {
  'sha-256': () => createHash('sha256'),
  'sha-512': () => createHash('sha512'),
  blake3: () => createHasher('blake3'),
};

const MEMBER = /\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):\s*(?:,|$)/y;

interface Expected {
  readonly field: string;
  readonly bytes: Uint8Array;
  readonly running: Running;
}

function parseField(headers: Headers, field: string): readonly Expected[] {
  const text = headers.get(field) ?? '';
  const found: Expected[] = [];
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < text.length) {
    const [, name, base64] = MEMBER.exec(text) ?? [];
    if (name === undefined || base64 === undefined)
      throw storeError('REQUEST_INVALID', `${field} must be like sha-256=:<base64>:`, { details: { field } });
    const start = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
    // Digests of other algorithms are passed by (RFC 9530, section 2).
    if (start) found.push({ field, bytes: Buffer.from(base64, 'base64'), running: start() });
  }
  return found;
}

/** Compares what comes with what the fields of its request promise. */
export class DigestCheck {
  readonly #expected: readonly Expected[];

  /** @throws `invalid/REQUEST_INVALID` for a field that is none */
  constructor(headers: Headers) {
    this.#expected = [...parseField(headers, 'content-digest'), ...parseField(headers, 'repr-digest')];
  }

  update(bytes: Uint8Array): void {
    for (const { running } of this.#expected) running.update(bytes);
  }

  /** @throws `invalid/CONTENT_MISMATCH` */
  finish(): void {
    for (const { field, bytes, running } of this.#expected) {
      const actual = running.digest();
      if (actual.length === bytes.length && timingSafeEqual(actual, bytes)) continue;
      throw storeError('CONTENT_MISMATCH', `the body is not what ${field} says`, { details: { field } });
    }
  }
}

/** `Repr-Digest` of content whose digest a store keeps. @param digest `blake3:<hex>` */
export function formatReprDigest(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm}=:${Buffer.from(hex, 'hex').toString('base64')}:`;
}
