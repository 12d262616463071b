import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Session } from './session.ts';

/** The option of every command that is about tokens. */
export interface TokenFlags {
  /** File that tokens are kept in. */
  readonly tokens?: string;
}

const NAME_DIGITS = 16;

/**
 * A name in the folder of what this user remembers, for what a server of a store needs beside it. It is made of the place of the
 * store, so that a token needs nothing that opens the store; one that moved gets new tokens.
 */
async function besideStore(session: Session, kind: string): Promise<string> {
  const location = await session.storeLocation();
  const place = typeof location === 'string' ? location : `${location.backend} ${location.metadata}`;
  // A link to the store is the store. What is no path of this machine is a name already.
  const real = place.includes('://') ? place : await realpath(place).catch(() => path.resolve(place));
  const name = createHash('sha256').update(real).digest('hex').slice(0, NAME_DIGITS);
  return path.join(session.rollbackGuard, `${kind}-${name}`);
}

/** The folder of the unfinished uploads of a store: --uploads, else one in the folder of what this user remembers. */
export async function uploadsFolderOf(session: Session, uploads: string | undefined): Promise<string> {
  return uploads ?? (await besideStore(session, 'uploads'));
}

/** The file of the tokens of a store: --tokens, else HOLDFAST_TOKENS, else one in the folder of what this user remembers. */
export async function tokenFileOf(session: Session, { tokens }: TokenFlags): Promise<string> {
  const named = tokens ?? (process.env.HOLDFAST_TOKENS || undefined);
  return named ?? `${await besideStore(session, 'tokens')}.json`;
}
