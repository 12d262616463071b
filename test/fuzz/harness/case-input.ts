/** The input of one case: it follows from target, seed and number alone, so a failure is found again by these three. */
import { equalBytes, utf8Encode } from '../../../src/bytes/bytes.ts';
import { blake3 } from '../../../src/hash/index.ts';
import { type SeededRandom, seededRandom } from '../../../src/testing/seeded-random.ts';
import { pick } from '../mutations/mutation.ts';
import type { PreparedTarget } from './fuzz-target.ts';

/** What must come out of a case beside what always holds. */
export type Expected = 'anything' | 'accepted' | 'unsupported';

export interface CaseInput {
  readonly input: Uint8Array;
  readonly expected: Expected;
  /** Whether checksums were made right behind the mutations. */
  readonly isRepaired: boolean;
}

export interface CaseName {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
}

function randomOf({ target, seed, index }: CaseName): SeededRandom {
  const { buffer, byteOffset, byteLength } = blake3(utf8Encode(`${target}\n${seed}`));
  return seededRandom(new DataView(buffer, byteOffset, byteLength).getUint32(0, true) + index);
}

const MUTATIONS_MAX = 6;

/** One case in 16 is a sample as it is, one in 16 a sample of a newer version, the others are changed samples. */
export function caseInput(prepared: PreparedTarget, name: CaseName): CaseInput {
  const random = randomOf(name);
  const { samples, mutations, repair, newer } = prepared;
  const sample = pick(random, samples);
  const way = random.integer(16);
  if (way === 0) return { input: sample, expected: 'accepted', isRepaired: false };
  if (way === 1 && newer) return { input: newer(sample, random), expected: 'unsupported', isRepaired: false };
  let input = sample;
  const count = 1 + (random.integer(2) === 0 ? 0 : random.integer(MUTATIONS_MAX));
  for (let done = 0; done < count; done += 1) input = pick(random, mutations)(input, random, samples);
  const isRepaired = repair !== undefined && random.integer(4) > 0;
  if (isRepaired) input = repair(input);
  const isSample = samples.some((one) => equalBytes(one, input));
  return { input, expected: isSample ? 'accepted' : 'anything', isRepaired };
}
