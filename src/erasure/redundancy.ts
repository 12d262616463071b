import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { STRIPE_SHARDS_MAX } from '../limits.ts';

/** How bytes are spread over shards: any `k` of the `k + m` restore them. */
export interface Redundancy {
  /** Data shards, from 1. */
  readonly k: number;
  /** Parity shards, from 0; `k + m` is at most 255. */
  readonly m: number;
}

/**
 * Named redundancies. A name never changes its meaning.
 * - `none`: one shard, which may not be lost
 * - `minimal`: 2 of 3 restore; three disks, half as much again
 * - `personal`: 3 of 5 restore; a few disks and a friend's
 * - `federation`: 5 of 9 restore; several sites
 * - `paranoid`: 7 of 15 restore, so that more than half may be lost
 */
export const REDUNDANCY_PRESETS = Object.freeze({
  none: Object.freeze({ k: 1, m: 0 }),
  minimal: Object.freeze({ k: 2, m: 1 }),
  personal: Object.freeze({ k: 3, m: 2 }),
  federation: Object.freeze({ k: 5, m: 4 }),
  paranoid: Object.freeze({ k: 7, m: 8 }),
}) satisfies Readonly<Record<string, Redundancy>>;

/** Name of a preset. */
export type RedundancyPreset = keyof typeof REDUNDANCY_PRESETS;

/** What a redundancy costs and bears. */
export interface RedundancyFigures extends Redundancy {
  /** The preset that is this redundancy. */
  readonly preset: RedundancyPreset | undefined;
  /** All shards: `k + m`. */
  readonly shards: number;
  /** Shards that may be lost, whichever they are: `m`. Of places, only as many as hold no more shards than that. */
  readonly lossesMax: number;
  /** Parity as per cent of the data, 100 * m / k. Padding, below k bytes, comes on top. */
  readonly overheadPercent: number;
}

const PRESET_NAMES = Object.keys(REDUNDANCY_PRESETS) as readonly RedundancyPreset[];
const COUNTS = /^([1-9]\d{0,2})\+(0|[1-9]\d{0,2})$/;
const LEGAL = `data+parity shards like 4+2, ${STRIPE_SHARDS_MAX} together at most, or one of ${PRESET_NAMES.join(', ')}`;

function redundancyInvalid(setting: string, message: string): Error {
  return storeError('REDUNDANCY_INVALID', message, { details: { setting } });
}

function checkCount(setting: string, value: unknown, { min, max }: { readonly min: number; readonly max: number }) {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw redundancyInvalid(setting, `${setting} must be an integer from ${min} to ${max}, got ${String(value)}`);
}

/**
 * Checks that a redundancy is possible; fields it does not know are ignored.
 *
 * 255 shards are the limit because the points of GF(2^8) are the shards, and their index, `k` and `m` are single bytes in
 * shard headers.
 * @throws `invalid/REDUNDANCY_INVALID` with the offending field in `details.setting` and its range in the message
 * @throws TypeError when it is no object
 */
export function checkRedundancy(redundancy: Redundancy): void {
  if (typeof redundancy !== 'object' || redundancy === null) {
    throw argumentTypeError('redundancy', 'an object with k and m', redundancy);
  }
  checkCount('redundancy.k', redundancy.k, { min: 1, max: STRIPE_SHARDS_MAX });
  checkCount('redundancy.m', redundancy.m, { min: 0, max: STRIPE_SHARDS_MAX - redundancy.k });
}

/**
 * Reads a redundancy from text, as it stands in settings and on the command line: `3+2`, or the name of a preset in any
 * case.
 * @throws `invalid/REDUNDANCY_INVALID` with the legal forms, TypeError when it is no text
 * @example parseRedundancy('personal') // { k: 3, m: 2 }
 */
export function parseRedundancy(text: string): Redundancy {
  if (typeof text !== 'string') throw argumentTypeError('text', 'a string', text);
  const name = text.toLowerCase();
  if (Object.hasOwn(REDUNDANCY_PRESETS, name)) return REDUNDANCY_PRESETS[name as RedundancyPreset];
  const match = COUNTS.exec(text);
  if (match === null) throw redundancyInvalid('redundancy', `redundancy must be ${LEGAL}`);
  const redundancy = { k: Number(match[1]), m: Number(match[2]) };
  checkRedundancy(redundancy);
  return redundancy;
}

/**
 * Writes a redundancy as its canonical text, `k+m`, which `parseRedundancy` reads. Never the name of a preset.
 * @throws as `checkRedundancy`
 */
export function formatRedundancy(redundancy: Redundancy): string {
  checkRedundancy(redundancy);
  return `${redundancy.k}+${redundancy.m}`;
}

/**
 * What a redundancy costs and bears.
 * @throws as `checkRedundancy`
 * @example redundancyFigures({ k: 3, m: 2 }) // 'personal', 5 shards, 2 may be lost, 66.7 % overhead
 */
export function redundancyFigures(redundancy: Redundancy): RedundancyFigures {
  checkRedundancy(redundancy);
  const { k, m } = redundancy;
  const preset = PRESET_NAMES.find((name) => REDUNDANCY_PRESETS[name].k === k && REDUNDANCY_PRESETS[name].m === m);
  return Object.freeze({ preset, k, m, shards: k + m, lossesMax: m, overheadPercent: (100 * m) / k });
}
