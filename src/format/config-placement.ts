/**
 * The backends of a store as its config names them: which there are, and where shards go. Layout in `docs/format.md`,
 * section "Placement".
 */
import { z } from 'zod';
import { BACKEND_NUMBER_MAX, BACKEND_URL_LENGTH_MAX, BACKEND_WEIGHT_MAX, STORE_BACKENDS_MAX } from '../limits.ts';

/** Names of backends and failure domains: short, and the same in files, tables and on a command line. */
export const BACKEND_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/**
 * What a backend is used for.
 * - `active`: read and written
 * - `read-only`: read; nothing is put there or deleted
 * - `draining`: read, and emptied: its shards move to others
 */
export type BackendMode = 'active' | 'read-only' | 'draining';
const BACKEND_MODES = ['active', 'read-only', 'draining'] as const satisfies readonly BackendMode[];

const name = z.string().regex(BACKEND_NAME);

export const placementSchema = z.strictObject({
  nextNumber: z
    .int()
    .min(2)
    .max(BACKEND_NUMBER_MAX + 1),
  backends: z
    .array(
      z.strictObject({
        number: z.int().min(1).max(BACKEND_NUMBER_MAX),
        id: z.string().regex(/^[0-9a-f]{32}$/),
        name,
        url: z.string().max(BACKEND_URL_LENGTH_MAX),
        domain: name,
        weight: z.int().min(0).max(BACKEND_WEIGHT_MAX),
        mode: z.enum(BACKEND_MODES),
      }),
    )
    .min(1)
    .max(STORE_BACKENDS_MAX),
  map: z.array(z.int().min(1).max(BACKEND_NUMBER_MAX)).max(STORE_BACKENDS_MAX),
});

/** One backend of a store. */
export interface ConfigBackend {
  /** From 1, never used again: what the metadata names it by. */
  readonly number: number;
  /** 16 random bytes in lower-case hex; the backend carries it too, so that no other one passes for it. */
  readonly id: string;
  /** For people; unique in its store. */
  readonly name: string;
  /** Where it is: a `file:` URL. Empty for one that the caller passes at every opening. */
  readonly url: string;
  /** What fails together with it: backends of one domain count as one. */
  readonly domain: string;
  /** Its share of the shards beside the others. 0: none, only what every backend holds. */
  readonly weight: number;
  readonly mode: BackendMode;
}

/** Where the shards of a store go. */
export interface ConfigPlacement {
  /** The number of the next backend. */
  readonly nextNumber: number;
  /** By ascending number. */
  readonly backends: readonly ConfigBackend[];
  /** Numbers of backends: shard i goes to the i-th of them, going round. Empty: shards rotate over the domains. */
  readonly map: readonly number[];
}

/** Whether what must be unique is, and every number is one that was given. */
export function isSoundPlacement({ nextNumber, backends, map }: ConfigPlacement): boolean {
  const numbers = backends.map(({ number }) => number);
  const isRising = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
  const isUnique = (['id', 'name'] as const).every((field) => isDistinct(backends.map((backend) => backend[field])));
  const urls = backends.map(({ url }) => url).filter((url) => url !== '');
  const isMapped = map.every((number) => numbers.includes(number));
  return isRising && isUnique && isDistinct(urls) && isMapped && (numbers.at(-1) ?? 0) < nextNumber;
}

function isDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
