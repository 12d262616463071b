/** Runs cases of one target, one after the other, up to the first failure. */
import { toHex } from '../../../src/bytes/bytes.ts';
import { caseInput } from './case-input.ts';
import type { FuzzTarget, PreparedTarget } from './fuzz-target.ts';
import { type Judgement, judgeCase } from './run-case.ts';
import { shrink } from './shrink.ts';

export interface CaseRange {
  readonly seed: number;
  /** Number of the first case, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

/** A case that failed, with what it takes to see it again. */
export interface FuzzFailure extends Judgement {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly input: Uint8Array;
  /** As short as it could be made and still fail so. */
  readonly shrunk: Uint8Array;
}

/** How often each thing came of the cases, and the first that failed. */
export interface TargetResult {
  readonly failure?: FuzzFailure | undefined;
  /** By `accepted`, `kind/CODE` or `argument`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** @param onCase told before each case, so that somebody else can tell which one never ends */
export async function runTarget(
  target: FuzzTarget,
  range: CaseRange,
  onCase: (index: number) => void = () => undefined,
): Promise<TargetResult> {
  const prepared = await target.prepare();
  const outcomes: Record<string, number> = {};
  try {
    for (let index = range.start; index < range.end; index += 1) {
      onCase(index);
      const { outcome, failure } = await runOne(target.name, prepared, { seed: range.seed, index });
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (failure) return { outcomes, failure };
    }
    return { outcomes };
  } finally {
    await prepared.close();
  }
}

async function runOne(
  name: string,
  prepared: PreparedTarget,
  { seed, index }: { readonly seed: number; readonly index: number },
): Promise<{ readonly outcome: string; readonly failure?: FuzzFailure }> {
  const { input, expected, isRepaired } = caseInput(prepared, { target: name, seed, index });
  const { outcome, judgement: found } = await judgeCase(prepared, input, expected);
  if (found === undefined) return { outcome };
  const repair = isRepaired ? prepared.repair : undefined;
  const finish = (candidate: Uint8Array): Uint8Array => repair?.(candidate) ?? candidate;
  // What is only wrong because it is a good sample is not to be made shorter.
  const fails = async (candidate: Uint8Array): Promise<boolean> =>
    isAlike((await judgeCase(prepared, finish(candidate))).judgement, found);
  const shrunk = expected === 'anything' ? finish(await shrink(input, fails)) : input;
  return { outcome, failure: { ...found, target: name, seed, index, input, shrunk } };
}

/** Numbers and names in messages follow the input; what is before them does not. */
function isAlike(one: Judgement | undefined, other: Judgement): boolean {
  const front = ({ what }: Judgement): string => what.replace(/[0-9a-f]{6,}|\d+/g, '#').slice(0, 40);
  return one?.fault === other.fault && front(one) === front(other);
}

/** What a failure says: what happened, the input, and how to see it again. */
export function describeFailure(failure: FuzzFailure): string {
  const { target, seed, index, fault, what, input, shrunk } = failure;
  return [
    `${target} ${fault}: ${what}`,
    `seed ${seed}, case ${index}; again: npm run test:slow -- fuzz --target ${target} --seed ${seed} --case ${index}`,
    `shrunk (${shrunk.length} bytes): ${toHex(shrunk)}`,
    `input (${input.length} bytes): ${toHex(input.subarray(0, SHOWN_BYTES_MAX))}${input.length > SHOWN_BYTES_MAX ? '...' : ''}`,
  ].join('\n');
}

const SHOWN_BYTES_MAX = 4096;
