/** Forgets earlier versions: of one entry, or of all. */
import { FORGET_ENTRIES_PER_COMMIT, FORGET_NUMBERS_PER_CHANGE, HISTORY_PAGE, LIST_PAGE_DEFAULT } from '../limits.ts';
import type { Change } from '../metadata/contract.ts';
import { keyText } from './entry-info.ts';
import type { Scope } from './scope.ts';
import type { ScopedCalls } from './scoped-calls.ts';
import type { Forgetting } from './version-arguments.ts';
import type {
  VersionForgetAllOptions,
  VersionForgetAllReport,
  VersionForgetReport,
  VersionForgetRules,
} from './version-types.ts';

interface Plan {
  readonly key: Uint8Array;
  /** When the forgotten versions were replaced, in the order of their numbers: numbers may begin anew meanwhile. */
  readonly times: readonly number[];
  readonly report: VersionForgetReport;
}

/** Which versions of an entry go; `now` in milliseconds since 1970. */
async function planOf(
  calls: ScopedCalls,
  key: Uint8Array,
  { which, dryRun }: { readonly which: Forgetting; readonly dryRun: boolean },
): Promise<Plan> {
  const { metadata, clock } = calls.engine;
  const now = clock.now();
  const goes = ({ number, time }: { number: number; time: number }, rank: number): boolean => {
    if ('numbers' in which) return which.numbers.has(number);
    const { last = 0, olderThanMs } = which;
    return rank >= last && (olderThanMs === undefined || time < now - olderThanMs);
  };
  const numbers: number[] = [];
  const times: number[] = [];
  let bytes = 0;
  let rank = 0;
  let before: number | undefined;
  for (;;) {
    const query = { limit: HISTORY_PAGE, ...(before !== undefined && { before }) };
    const steps = await metadata.getHistory('version', key, query);
    for (const step of steps) {
      if (goes(step, rank)) {
        numbers.push(step.number);
        times.push(step.time);
        bytes += step.row.size;
      }
      rank += 1;
    }
    before = steps.at(-1)?.number;
    if (steps.length < HISTORY_PAGE) break;
  }
  const kept = rank - numbers.length;
  return { key, times, report: Object.freeze({ key: keyText({ key }), numbers, bytes, kept, dryRun }) };
}

function changesOf({ key, times, report: { numbers } }: Plan): readonly Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < numbers.length; at += FORGET_NUMBERS_PER_CHANGE) {
    const part = <T>(all: readonly T[]): readonly T[] => all.slice(at, at + FORGET_NUMBERS_PER_CHANGE);
    changes.push({ type: 'history-forget', history: 'version', key, numbers: part(numbers), times: part(times) });
  }
  return changes;
}

async function commitPlans(calls: ScopedCalls, scope: Scope, plans: readonly Plan[]): Promise<void> {
  const changes = plans.flatMap(changesOf);
  // The oldest go first, so that what a crash leaves is what a smaller run would have left.
  changes.reverse();
  for (let at = 0; at < changes.length; at += FORGET_ENTRIES_PER_COMMIT)
    await calls.commit(scope, changes.slice(at, at + FORGET_ENTRIES_PER_COMMIT));
}

/** See `Versions.forget`. @param key scoped */
export async function forgetVersions(
  calls: ScopedCalls,
  scope: Scope,
  request: { readonly key: Uint8Array; readonly which: Forgetting; readonly dryRun: boolean },
): Promise<VersionForgetReport> {
  const plan = await planOf(calls, request.key, request);
  if (!request.dryRun) await commitPlans(calls, scope, [plan]);
  return plan.report;
}

async function* keysWithHistory(calls: ScopedCalls, scope: Scope, prefix: string): AsyncGenerator<Uint8Array> {
  const { metadata } = calls.engine;
  let after: Uint8Array | undefined;
  do {
    const query = { namespace: scope.namespace, limit: LIST_PAGE_DEFAULT, ...(after && { after }) };
    const { keys, next } = await metadata.listHistories('version', query);
    // What orders them is not the key in a sealed store, so nothing can be passed over.
    for (const key of keys) if (keyText({ key }).startsWith(prefix)) yield key;
    after = next;
  } while (after);
}

/** See `Versions.forgetAll`. */
export async function forgetAllVersions(
  calls: ScopedCalls,
  scope: Scope,
  options: Omit<VersionForgetAllOptions, keyof VersionForgetRules> & { readonly which: Forgetting },
): Promise<VersionForgetAllReport> {
  const { which, dryRun = false, prefix = '', signal, onProgress, onForget } = options;
  const sum = { entries: 0, versions: 0, bytes: 0, kept: 0 };
  let waiting: Plan[] = [];
  const flush = async (): Promise<void> => {
    if (!dryRun) await commitPlans(calls, scope, waiting);
    for (const { report } of waiting) onForget?.(report);
    waiting = [];
  };
  let done = 0;
  for await (const key of keysWithHistory(calls, scope, prefix)) {
    signal?.throwIfAborted();
    const plan = await planOf(calls, key, { which, dryRun });
    const { numbers, bytes, kept } = plan.report;
    sum.kept += kept;
    done += 1;
    if (numbers.length > 0) {
      sum.entries += 1;
      sum.versions += numbers.length;
      sum.bytes += bytes;
      waiting.push(plan);
    }
    onProgress?.({ phase: 'forget', done, bytes: sum.bytes });
    if (waiting.length >= FORGET_ENTRIES_PER_COMMIT) await flush();
  }
  await flush();
  return Object.freeze({ ...sum, dryRun });
}
