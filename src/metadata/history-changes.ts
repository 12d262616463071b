/**
 * What changes and journal operations do to histories: rows of numbered steps, the newest last. A commit decides which
 * steps leave; the journal says what it decided.
 */

import { namespaceOfKey } from '../format/scoped-key.ts';
import type { Operation, VersionPolicy } from '../format/types.ts';
import type { EntryRow, KeepVersions } from './contract.ts';
import { factsOfEntry } from './entry-facts.ts';
import { encodeMoveStep, encodeVersionStep } from './history-steps.ts';
import type { MoveRow, ObjectChange } from './object-contract.ts';
import { type HistoryRow, historyKey, stepKey } from './object-rows.ts';
import { neverWritten } from './state-errors.ts';
import type { WorkingState } from './working-state.ts';

type HistoryForget = Extract<ObjectChange, { readonly type: 'history-forget' }>;

const NO_STEPS = { first: 1, last: 0, steps: 0 } as const;

async function historyOf(state: WorkingState, key: Uint8Array): Promise<HistoryRow> {
  await state.histories.load(state.transaction, [[key]]);
  return state.histories.get([key]) ?? { key, ...NO_STEPS };
}

/** A history without steps has no row. */
function putHistory(state: WorkingState, row: HistoryRow): void {
  if (row.steps > 0) state.histories.put(row);
  else state.histories.remove([row.key]);
}

async function append(state: WorkingState, history: HistoryRow, value: Uint8Array): Promise<HistoryRow> {
  const last = history.last + 1;
  const key = stepKey(history.key, last);
  await state.steps.load(state.transaction, [[key]]);
  state.steps.put({ key, time: state.time, value });
  return { ...history, last, steps: history.steps + 1 };
}

/** Removes the oldest step, or passes by a number whose step is gone. */
async function dropFirst(state: WorkingState, history: HistoryRow): Promise<HistoryRow> {
  const key = [stepKey(history.key, history.first)];
  await state.steps.load(state.transaction, [key]);
  const there = state.steps.get(key) !== undefined;
  state.steps.remove(key);
  return { ...history, first: history.first + 1, steps: history.steps - Number(there) };
}

async function timeOfFirst(state: WorkingState, history: HistoryRow): Promise<number | undefined> {
  const key = [stepKey(history.key, history.first)];
  await state.steps.load(state.transaction, [key]);
  return state.steps.get(key)?.time;
}

/** Without the steps that a policy lets go of. */
async function trimmed(state: WorkingState, kept: HistoryRow, policy: VersionPolicy): Promise<HistoryRow> {
  const { last = Number.POSITIVE_INFINITY, forMs = Number.POSITIVE_INFINITY } = policy;
  let history = kept;
  while (history.first <= history.last) {
    const time = await timeOfFirst(state, history);
    if (time !== undefined && history.steps <= last && time > state.time - forMs) break;
    history = await dropFirst(state, history);
  }
  return history;
}

async function policyFor(state: WorkingState, key: Uint8Array): Promise<VersionPolicy | undefined> {
  if (!state.mayHave('policies')) return undefined;
  const namespace = namespaceOfKey(key);
  await state.policies.load(state.transaction, [[namespace], [0]]);
  return (state.policies.get([namespace]) ?? state.policies.get([0]))?.policy;
}

/**
 * Keeps what an entry is just now, before it is replaced or deleted, if the policy says so. An isolated entry has a key
 * that is destroyed with it: nothing of it is kept.
 * @param keep of the change; default: the policy of the namespace, or else of the store
 */
export async function keepVersion(
  state: WorkingState,
  before: EntryRow | undefined,
  keep: KeepVersions | undefined,
): Promise<readonly Operation[]> {
  if (before === undefined || keep === 'none') return [];
  const policy = keep ?? (await policyFor(state, before.key));
  if (policy === undefined) return [];
  if (state.isSealed && factsOfEntry(before.entry).isolation !== undefined) return [];
  const history = await historyOf(state, historyKey('version', before.key));
  if (policy.last === 0 && history.steps === 0) return [];
  const after = await trimmed(state, await append(state, history, encodeVersionStep(before)), policy);
  putHistory(state, after);
  return [{ type: 'version-keep', key: before.key, first: after.first }];
}

/** Repeats what {@link keepVersion} did. The row of the entry must be loaded. */
export async function replayVersionKeep(
  state: WorkingState,
  { key, first }: Extract<Operation, { readonly type: 'version-keep' }>,
): Promise<void> {
  const before = state.entries.get([key]);
  if (before === undefined) throw neverWritten('keeps a version of an entry that is not there');
  const history = await historyOf(state, historyKey('version', key));
  let after = await append(state, history, encodeVersionStep(before));
  while (after.first < first && after.first <= after.last) after = await dropFirst(state, after);
  putHistory(state, after);
}

/** Adds a move to the history of a ref. */
export async function addMove(
  state: WorkingState,
  key: Uint8Array,
  move: Pick<MoveRow, 'from' | 'to' | 'message'>,
): Promise<void> {
  const history = await historyOf(state, historyKey('move', key));
  putHistory(state, await append(state, history, encodeMoveStep(move)));
}

/** Removes steps; those that are not there, or not of their time, are passed by. @returns the numbers that left */
export async function forgetSteps(
  state: WorkingState,
  { history: kind, key, numbers, times }: Omit<HistoryForget, 'type'>,
): Promise<readonly number[]> {
  let history = await historyOf(state, historyKey(kind, key));
  const wanted = new Map<number, number | undefined>();
  for (const [index, number] of numbers.entries())
    if (number >= history.first && number <= history.last) wanted.set(number, times?.[index]);
  const stepOf = (number: number): readonly [Uint8Array] => [stepKey(history.key, number)];
  await state.steps.load(state.transaction, [...wanted.keys()].map(stepOf));
  const found: number[] = [];
  for (const [number, time] of wanted) {
    const step = state.steps.get(stepOf(number));
    if (!step || (time ?? step.time) !== step.time) continue;
    state.steps.remove(stepOf(number));
    found.push(number);
  }
  if (found.length === 0) return found;
  history = { ...history, steps: history.steps - found.length };
  while (history.steps > 0 && (await timeOfFirst(state, history)) === undefined) {
    history = { ...history, first: history.first + 1 };
  }
  putHistory(state, history);
  return found;
}
