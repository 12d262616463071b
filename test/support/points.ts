/** At which of its steps an operation is disturbed. */
import { seededRandom } from '../../src/testing/index.ts';

const { HOLDFAST_EVERY_POINT: every, HOLDFAST_SEED: given } = process.env;

/** Whether a run leaves nothing out, however long it takes. */
export const IS_THOROUGH = every === '1';
const SEEDS = 2 ** 31;

/** What the sample of a run follows from; `HOLDFAST_SEED` takes another one. */
export const SEED = Number(given ?? 1);

/** Stands in the names of the tests that take a sample. */
export const SAMPLE = IS_THOROUGH ? 'every point' : `seed ${SEED}`;

/** Variants of a test, which try different points. */
const VARIANTS = 3;

/**
 * The points of an operation that this run tries: all of them where there are no more than `most`, or else so many at
 * equal distances from each other, the first one where the seed says. `npm run test:slow -- points` tries every one.
 * @param variant from 0 to 2
 */
export function pointsOf(count: number, variant: number, most: number): readonly number[] {
  if (count <= most || IS_THOROUGH) return Array.from({ length: count }, (_, point) => point);
  const distance = count / most;
  const draw = seededRandom(SEED).integer(SEEDS) / SEEDS;
  const first = ((draw + variant / VARIANTS) % 1) * distance;
  return Array.from({ length: most }, (_, index) => Math.floor(first + index * distance));
}

/**
 * The cases that this run tries: every second one, which of the two halves the seed says; all of them in a thorough run.
 */
export function someOf<Case>(cases: readonly Case[]): readonly Case[] {
  return pointsOf(cases.length, 0, Math.ceil(cases.length / 2)).flatMap((point) => cases[point] ?? []);
}
