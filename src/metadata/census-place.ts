/**
 * How far the census has come: the meeting of everything that refers to content and was there before counting began.
 * It goes through old counts first, which it forgets, then through tables in the order of their keys. A row that it has
 * passed tells of its changes itself; one that it is yet to meet will be met as it is then.
 *
 * As the head keeps it: the phase (u8), then the stored key of the last row that was met, if any.
 */
import { compareBytes, EMPTY_BYTES } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import type { SqlParameters } from './database.ts';

/** In their order. */
export const CENSUS_PHASES = [
  ...(['uncounted', 'chunks', 'manifests', 'loose', 'entries', 'steps', 'objects', 'refs', 'done'] as const),
] as const;

export type CensusPhase = (typeof CENSUS_PHASES)[number];

export interface CensusPlace {
  readonly phase: CensusPhase;
  /** Stored key of the last row that was met; empty before the first. */
  readonly after: Uint8Array;
}

export function encodePlace({ phase, after }: CensusPlace): Uint8Array {
  const bytes = new Uint8Array(1 + after.length);
  bytes[0] = CENSUS_PHASES.indexOf(phase);
  bytes.set(after, 1);
  return bytes;
}

/** The phase in which counts that were never made need not be forgotten. */
const FIRST: CensusPlace = { phase: 'entries', after: EMPTY_BYTES };

/** @param census as the head keeps it; `undefined`: it has not begun, and nothing was ever counted */
export function decodePlace(census: Uint8Array | undefined): CensusPlace {
  if (census === undefined) return FIRST;
  const phase = CENSUS_PHASES[census[0] ?? 0];
  invariant(phase, 'a census is in a phase that there is');
  return { phase, after: census.subarray(1) };
}

/** Nothing is left to be met. */
export const CENSUS_DONE = encodePlace({ phase: 'done', after: EMPTY_BYTES });
/** Counts there are; they are forgotten first. */
export const CENSUS_ANEW = encodePlace({ phase: 'uncounted', after: EMPTY_BYTES });

/** The place after a phase. */
export function nextPhase(phase: CensusPhase): CensusPlace {
  return { phase: CENSUS_PHASES[CENSUS_PHASES.indexOf(phase) + 1] ?? 'done', after: EMPTY_BYTES };
}

/** Whether the census has passed a row of a table. @param storedKey made only where it is needed */
export function hasMet(census: Uint8Array | undefined, table: CensusPhase, storedKey: () => SqlParameters): boolean {
  if (census === undefined) return false;
  const { phase, after } = decodePlace(census);
  const [at, own] = [CENSUS_PHASES.indexOf(phase), CENSUS_PHASES.indexOf(table)];
  if (at !== own) return at > own;
  const [key] = storedKey();
  invariant(key instanceof Uint8Array, 'what refers to content has a key of bytes');
  return compareBytes(key, after) <= 0;
}
