import { expect, it } from 'vitest';
import { SORT_SLICE_NAMES } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { sortNames } from './sort-names.ts';

it.each([
  0,
  1,
  2,
  SORT_SLICE_NAMES,
  SORT_SLICE_NAMES + 1,
  3 * SORT_SLICE_NAMES,
  5 * SORT_SLICE_NAMES - 1,
])('sorts %d names by their bytes', async (count) => {
  const random = seededRandom(count);
  const names = Array.from({ length: count }, () => Buffer.from(random.bytes(random.integer(6))).toString('latin1'));
  const bytes = names.map((name) => Buffer.from(name, 'latin1')).sort(Buffer.compare);
  const sorted = await sortNames(names);
  expect(sorted.length).toBe(count);
  expect(sorted.every((name, index) => name === bytes[index]?.toString('latin1'))).toBe(true);
});
