/**
 * The file in which the tokens of one store are kept, hashed. It lies outside of the store: who may come in by HTTP is a matter
 * of the machine that serves, and revoking must need neither the keys of the store nor a restart.
 */
import type { BigIntStats } from 'node:fs';
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { TOKEN_FILE_WAIT_MS, TOKEN_NAME_LENGTH_MAX, TOKENS_MAX } from '../../limits.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { nodeFileSystem } from '../../runtime/file-system.ts';
import { systemRandom } from '../../runtime/random.ts';
import { sleep } from '../../runtime/timers.ts';
import type { Grant, Verb } from './grant.ts';
import { VERBS } from './grant.ts';
import { createToken, isSecretOf, parseToken } from './token-text.ts';

/** What is known of a token. */
export interface TokenInfo extends Grant {
  /** Names it in lists; the text of the token begins with `hft_` and this. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly expires?: string;
}

/** What a new token may do. */
export interface NewTokenOptions {
  readonly verbs: readonly Verb[];
  /** Default: all, and the store as a whole. */
  readonly namespaces?: readonly string[];
  /** How long it is good for, in milliseconds. Default: until it is revoked. */
  readonly validMs?: number;
}

const RETRY_MS = 20;
const MODE_OWNER = 0o600;

const fileSchema = z.strictObject({
  version: z.literal(1),
  tokens: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[0-9a-f]{16}$/),
        name: z.string().min(1).max(TOKEN_NAME_LENGTH_MAX),
        digest: z.string().regex(/^[0-9a-f]{64}$/),
        verbs: z.array(z.enum(VERBS)).min(1),
        namespaces: z.array(z.string().min(1)).min(1).exactOptional(),
        created: z.iso.datetime(),
        expires: z.iso.datetime().exactOptional(),
      }),
    )
    .max(TOKENS_MAX),
});

type KeptToken = z.infer<typeof fileSchema>['tokens'][number];

interface Loaded {
  readonly stamp: string;
  readonly byId: ReadonlyMap<string, KeptToken>;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

function infoOf({ digest: _digest, ...info }: KeptToken): TokenInfo {
  return info;
}

/** Changes with every replacement of the file: nothing is believed of one that is no longer there. */
function stampOf({ ino, size, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${ctimeNs}`;
}

function parseFile(file: string, text: string): readonly KeptToken[] {
  try {
    return fileSchema.parse(JSON.parse(text)).tokens;
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof z.ZodError)) throw cause;
    throw storeError('TOKENS_INVALID', `${file} is no file of tokens`, { details: { path: file }, cause });
  }
}

/** Tokens in a file; each request looks whether the file has changed. */
export class TokenFile {
  readonly #file: string;
  readonly #clock: Clock;
  #loaded: Loaded | undefined;

  /** @param file need not be there: then there are no tokens yet */
  constructor(file: string, clock: Clock = systemClock) {
    this.#file = path.resolve(file);
    this.#clock = clock;
  }

  /** @throws `invalid/TOKENS_INVALID`, `denied/PERMISSION_DENIED` */
  async list(): Promise<readonly TokenInfo[]> {
    return [...(await this.#load()).byId.values()].map(infoOf);
  }

  /**
   * @returns the new token; its text is nowhere else, and cannot be had again
   * @throws `conflict/TOKEN_EXISTS` when the name is taken, `invalid/TOKENS_INVALID`, `denied/PERMISSION_DENIED`
   */
  async add(
    name: string,
    { verbs, namespaces, validMs }: NewTokenOptions,
  ): Promise<TokenInfo & { readonly token: string }> {
    const { text, id, digest } = createToken(systemRandom);
    const now = this.#clock.now();
    const created = new Date(now).toISOString();
    const expires = validMs === undefined ? {} : { expires: new Date(now + validMs).toISOString() };
    const kept: KeptToken = {
      id,
      name,
      digest,
      verbs: [...verbs],
      ...(namespaces && { namespaces: [...namespaces] }),
      created,
      ...expires,
    };
    await this.#change((tokens) => {
      if (tokens.some((one) => one.name === name))
        throw storeError('TOKEN_EXISTS', `there is a token ${JSON.stringify(name)} already`, {
          details: { key: name },
        });
      return [...tokens, kept];
    });
    return { ...infoOf(kept), token: text };
  }

  /** From now on the token opens nothing. @throws `not-found/TOKEN_NOT_FOUND`, as `add` */
  async revoke(name: string): Promise<TokenInfo> {
    let gone: KeptToken | undefined;
    await this.#change((tokens) => {
      gone = tokens.find((one) => one.name === name);
      return tokens.filter((one) => one !== gone);
    });
    if (gone === undefined)
      throw storeError('TOKEN_NOT_FOUND', `there is no token ${JSON.stringify(name)}`, { details: { key: name } });
    return infoOf(gone);
  }

  /** @returns what the bearer of a token may do; `undefined` for one that is unknown, revoked or expired */
  async find(token: string): Promise<Grant | undefined> {
    const parsed = parseToken(token);
    if (parsed === undefined) return undefined;
    const kept = (await this.#load()).byId.get(parsed.id);
    if (!isSecretOf(parsed.secret, kept?.digest) || kept === undefined) return undefined;
    return kept.expires !== undefined && Date.parse(kept.expires) <= this.#clock.now() ? undefined : infoOf(kept);
  }

  async #load(): Promise<Loaded> {
    try {
      const stamp = stampOf(await stat(this.#file, { bigint: true }));
      if (this.#loaded?.stamp === stamp) return this.#loaded;
      const tokens = parseFile(this.#file, await readFile(this.#file, 'utf8'));
      // Replaced between the two calls it has another stamp by now, and is read again next time.
      this.#loaded = { stamp, byId: new Map(tokens.map((one) => [one.id, one])) };
      return this.#loaded;
    } catch (error) {
      this.#loaded = undefined;
      if (codeOf(error) === 'ENOENT') return { stamp: '', byId: new Map() };
      throw this.#fileError(error);
    }
  }

  async #change(work: (tokens: readonly KeptToken[]) => readonly KeptToken[]): Promise<void> {
    const next = `${this.#file}.new`;
    try {
      await mkdir(path.dirname(this.#file), { recursive: true });
      const handle = await this.#claim(next);
      try {
        // What is read now stays the last word: nobody else writes before the name is free again.
        const tokens = work([...(await this.#load()).byId.values()]);
        await handle.writeFile(`${JSON.stringify({ version: 1, tokens }, null, 1)}\n`);
        await handle.sync();
      } catch (error) {
        await unlink(next);
        throw error;
      } finally {
        await handle.close();
      }
      await rename(next, this.#file);
      // Or a power cut could bring back what was revoked.
      await nodeFileSystem.syncDirectory(path.dirname(this.#file));
    } catch (error) {
      throw this.#fileError(error);
    }
  }

  /** The new file, which nobody else can make meanwhile; one that somebody died over is taken away. */
  async #claim(name: string) {
    const end = this.#clock.monotonicMs() + TOKEN_FILE_WAIT_MS;
    for (;;) {
      try {
        return await open(name, 'wx', MODE_OWNER);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      if (this.#clock.monotonicMs() > end) await unlink(name).catch(() => undefined);
      else await sleep(RETRY_MS);
    }
  }

  #fileError(cause: unknown): unknown {
    const system = codeOf(cause);
    if (isStoreError(cause) || typeof system !== 'string') return cause;
    const code =
      system === 'EACCES' || system === 'EPERM' || system === 'EROFS' ? 'PERMISSION_DENIED' : 'TOKENS_INVALID';
    const message = `${this.#file} cannot be used (${system})`;
    return storeError(code, message, { details: { path: this.#file, system }, cause });
  }
}
