import { KIB, MIB } from '../limits.ts';
import type { BuzhashSpec, ChunkingSpec, FastCdcSpec, FixedSpec } from './spec.ts';

function fastcdc(sizes: Pick<FastCdcSpec, 'min' | 'avg' | 'max' | 'normalisation'>): FastCdcSpec {
  return Object.freeze({ kind: 'fastcdc', ...sizes, seed: 0n });
}

/** Chosen by measurement: docs/decisions/0011-default-chunking.md. */
const defaultProfile = fastcdc({ min: 32 * KIB, avg: 64 * KIB, max: 256 * KIB, normalisation: 2 });
const chunkstore = fastcdc({ min: 256 * KIB, avg: 4 * MIB, max: 8 * MIB, normalisation: 1 });
const buzhash: BuzhashSpec = Object.freeze({
  kind: 'buzhash',
  min: 128 * KIB,
  max: 512 * KIB,
  maskBits: 17,
  window: 32,
});
const fixed4m: FixedSpec = Object.freeze({ kind: 'fixed', bytes: 4 * MIB });

/**
 * Named settings. A name never changes its meaning, `default` excepted: stores record the spec, not the name.
 * - `default`: 64 KiB on average; small edits stay small, what a chunk costs in metadata stays near 0.3 per cent
 * - `chunkstore`: the CDC settings of chunkstore
 * - `buzhash`: ipfs/boxo and OuroborosDB
 * - `fixed-4m`: the fixed chunks of chunkstore; for content that is never shifted, such as disk images
 */
export const CHUNKING_PROFILES = Object.freeze({
  default: defaultProfile,
  chunkstore,
  buzhash,
  'fixed-4m': fixed4m,
}) satisfies Readonly<Record<string, ChunkingSpec>>;

/** Name of a profile. */
export type ChunkingProfile = keyof typeof CHUNKING_PROFILES;

/** @returns the spec of a profile, or `undefined` when there is none of that name */
export function profileNamed(name: string): ChunkingSpec | undefined {
  return Object.hasOwn(CHUNKING_PROFILES, name) ? CHUNKING_PROFILES[name as ChunkingProfile] : undefined;
}
