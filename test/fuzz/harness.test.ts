import { expect, it } from 'vitest';
import { argumentTypeError } from '../../src/errors/argument-error.ts';
import { storeError } from '../../src/errors/store-error.ts';
import { CheckFailed, fuzzTarget, type TargetParts } from './harness/fuzz-target.ts';
import type { Fault } from './harness/run-case.ts';
import { describeFailure, type FuzzFailure, runTarget } from './harness/run-target.ts';
import { BYTE_MUTATIONS } from './mutations/bytes.ts';

const SAMPLE = Uint8Array.of(1, 2, 3, 4);

/** Reads four bytes, the first of them a version. */
const SOUND: TargetParts<Uint8Array> = {
  name: 'four-bytes',
  samples: () => [SAMPLE],
  mutations: BYTE_MUTATIONS,
  read: (input) => {
    if (input[0] === 2) throw storeError('FORMAT_UNSUPPORTED', 'newer');
    if (input.length !== 4) throw storeError('PACK_CORRUPT', 'not four');
    return input.slice();
  },
  errors: ['FORMAT_UNSUPPORTED', 'PACK_CORRUPT'],
  newer: (sample) => Uint8Array.of(2, ...sample.subarray(1)),
};

async function found(parts: Partial<TargetParts<Uint8Array>>): Promise<FuzzFailure | undefined> {
  return (await runTarget(fuzzTarget({ ...SOUND, ...parts }), { seed: 1, start: 0, end: 500 })).failure;
}

it('a sound target passes, and its outcomes are counted', async () => {
  const { failure, outcomes } = await runTarget(fuzzTarget(SOUND), { seed: 1, start: 0, end: 500 });
  expect(failure).toBeUndefined();
  expect(Object.keys(outcomes).sort()).toEqual(['accepted', 'corrupt/PACK_CORRUPT', 'unsupported/FORMAT_UNSUPPORTED']);
});

const kept: Uint8Array[] = [];

const BROKEN: readonly { readonly fault: Fault; readonly parts: Partial<TargetParts<Uint8Array>> }[] = [
  { fault: 'threw what it must not', parts: { errors: ['FORMAT_UNSUPPORTED'] } },
  {
    fault: 'threw what it must not',
    parts: {
      read: (input) => {
        if (input.length === 3) throw argumentTypeError('input', 'four bytes', input);
        return input.slice();
      },
      newer: undefined as never,
    },
  },
  {
    fault: 'gave what it must not',
    parts: {
      check: (value) => {
        if (value[3] === 0) throw new CheckFailed('it ends with zero');
      },
    },
  },
  { fault: 'refused what is good', parts: { samples: () => [Uint8Array.of(1, 2, 3)] } },
  { fault: 'did not ask for a newer version', parts: { newer: () => Uint8Array.of(9, 9, 9) } },
  {
    fault: 'changed its input',
    parts: {
      read: (input) => {
        input.fill(0);
        return input;
      },
      newer: undefined as never,
    },
  },
  {
    fault: 'took too long',
    parts: {
      caseMsMax: 1,
      read: (input) => {
        const start = performance.now();
        while (performance.now() - start < 3);
        return input.slice();
      },
      newer: undefined as never,
    },
  },
  {
    fault: 'took too much memory',
    parts: {
      memoryBytesMax: 1024 * 1024,
      read: () => {
        kept.push(new Uint8Array(4 * 1024 * 1024));
        return SAMPLE;
      },
      newer: undefined as never,
    },
  },
];

it.each(BROKEN)('a target is caught that $fault', async ({ fault, parts }) => {
  const failure = await found(parts);
  kept.length = 0;
  expect(failure?.fault).toBe(fault);
});

it('a failure is made short, and named so that it is seen again', async () => {
  const failure = await found({
    read: (input) => {
      if (input.includes(0xff)) throw new Error('an error of nobody');
      return input.slice();
    },
    newer: undefined as never,
  });
  expect(failure?.shrunk).toEqual(Uint8Array.of(0xff));
  const told = describeFailure(failure as FuzzFailure);
  expect(told).toContain(`--target four-bytes --seed 1 --case ${failure?.index}`);
});
