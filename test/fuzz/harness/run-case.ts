/** Runs one case and judges it: time, memory, what was thrown, what was given. */
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { equalBytes } from '../../../src/bytes/bytes.ts';
import { StoreError } from '../../../src/errors/store-error.ts';
import type { Expected } from './case-input.ts';
import { CheckFailed, type PreparedTarget } from './fuzz-target.ts';

/** What was wrong. */
export type Fault =
  | 'threw what it must not'
  | 'gave what it must not'
  | 'refused what is good'
  | 'did not ask for a newer version'
  | 'changed its input'
  | 'took too long'
  | 'took too much memory'
  | 'never ended'
  | 'ended its thread';

export interface Judgement {
  readonly fault: Fault;
  readonly what: string;
}

/** What came of a case: `accepted`, `kind/CODE` or `argument`; and what was wrong with it. */
export interface CaseResult {
  readonly outcome: string;
  readonly judgement?: Judgement | undefined;
}

/** Memory that one byte of input may cost beside the bound of the target. */
const MEMORY_PER_INPUT_BYTE = 64;
/** What is too slow or too large is tried again: another process may have had the processor. */
const CONFIRMATIONS = 2;

/** Runs one case: without a judgement all is as it must be. */
export async function judgeCase(
  target: PreparedTarget,
  input: Uint8Array,
  expected: Expected = 'anything',
): Promise<CaseResult> {
  const first = await measure(target, input);
  const outcome = outcomeOf(first.error);
  const wrong = wrongOutcome(first, target, expected) ?? (first.isChanged ? CHANGED : undefined);
  if (wrong) return { outcome, judgement: wrong };
  return excess(first, target, input) ? { outcome, judgement: await confirmExcess(target, input) } : { outcome };
}

function outcomeOf(error: unknown): string {
  if (error === undefined) return 'accepted';
  return error instanceof StoreError ? `${error.kind}/${error.code}` : 'argument';
}

const CHANGED: Judgement = { fault: 'changed its input', what: 'the bytes it was given are others now' };

interface Measured {
  /** Undefined when it gave a value that passed. */
  readonly error: unknown;
  readonly isChanged: boolean;
  readonly ms: number;
  readonly bytes: number;
}

async function measure(target: PreparedTarget, input: Uint8Array): Promise<Measured> {
  const given = input.slice();
  const before = getHeapStatistics();
  const start = performance.now();
  let error: unknown;
  try {
    const done = target.run(given);
    if (done instanceof Promise) await done;
  } catch (thrown) {
    error = thrown ?? new Error(`threw ${String(thrown)}`);
  }
  const ms = performance.now() - start;
  const after = getHeapStatistics();
  const external = after.external_memory - before.external_memory;
  const heap = after.used_heap_size - before.used_heap_size;
  return { error, isChanged: !equalBytes(given, input), ms, bytes: Math.max(external, 0) + Math.max(heap, 0) };
}

function wrongOutcome({ error }: Measured, target: PreparedTarget, expected: Expected): Judgement | undefined {
  if (error instanceof CheckFailed) return { fault: 'gave what it must not', what: error.message };
  if (error !== undefined && !isAllowed(error, target)) return { fault: 'threw what it must not', what: named(error) };
  if (expected === 'accepted' && error !== undefined) return { fault: 'refused what is good', what: named(error) };
  if (expected !== 'unsupported') return undefined;
  if (error instanceof StoreError && error.kind === 'unsupported') return undefined;
  return { fault: 'did not ask for a newer version', what: error === undefined ? 'it was accepted' : named(error) };
}

function isAllowed(error: unknown, target: PreparedTarget): boolean {
  if (error instanceof StoreError) return target.errors.has(error.code);
  const isArgument = error instanceof TypeError || error instanceof RangeError;
  return target.arguments && isArgument && (error as { code?: unknown }).code === 'ARGUMENT_INVALID';
}

function named(error: unknown): string {
  if (error instanceof StoreError) return `${error.kind}/${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function excess({ ms, bytes }: Measured, target: PreparedTarget, input: Uint8Array): Judgement | undefined {
  const bytesMax = target.memoryBytesMax + MEMORY_PER_INPUT_BYTE * input.length;
  if (ms > target.caseMsMax) return { fault: 'took too long', what: `more than ${target.caseMsMax} ms` };
  if (bytes > bytesMax) return { fault: 'took too much memory', what: `more than ${bytesMax} bytes` };
  return undefined;
}

async function confirmExcess(target: PreparedTarget, input: Uint8Array): Promise<Judgement | undefined> {
  let found: Judgement | undefined;
  for (let time = 0; time < CONFIRMATIONS; time += 1) {
    found = excess(await measure(target, input), target, input);
    if (found === undefined) return undefined;
  }
  return found;
}
