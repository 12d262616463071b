/** Tokens as text: `hft_`, an id by which one is looked up, and a secret of 32 random bytes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { TOKEN_SECRET_BYTES } from '../../limits.ts';
import type { RandomBytes } from '../../runtime/random.ts';

const ID_BYTES = 8;
const TOKEN = /^hft_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const DIGEST_BYTES = 32;

/** A new token, and what is kept of it. */
export interface NewToken {
  readonly text: string;
  readonly id: string;
  /** SHA-256 of the secret, hex. It has 256 random bits: there is nothing to guess, and so nothing to slow down. */
  readonly digest: string;
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

export function createToken(random: RandomBytes): NewToken {
  const id = Buffer.from(random(ID_BYTES)).toString('hex');
  const secret = Buffer.from(random(TOKEN_SECRET_BYTES)).toString('base64url');
  return { text: `hft_${id}_${secret}`, id, digest: digestOf(secret).toString('hex') };
}

/** @returns id and secret of a text that looks like a token */
export function parseToken(text: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Compares in a time that does not tell how much of a guess was right, nor whether there is a token of this id. */
export function isSecretOf(secret: string, digest: string | undefined): boolean {
  const kept = digest === undefined ? Buffer.alloc(DIGEST_BYTES) : Buffer.from(digest, 'hex');
  return kept.length === DIGEST_BYTES && timingSafeEqual(digestOf(secret), kept) && digest !== undefined;
}
