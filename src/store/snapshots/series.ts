/** Series of snapshots: the histories of refs that name them, and which of them are kept. */
import { storeError } from '../../errors/store-error.ts';
import { planRetention } from '../../history/retention.ts';
import type { MoveRow } from '../../metadata/object-contract.ts';
import { referenceOfRow } from '../objects/find-object.ts';
import { eachMove, eachRef, type RefsOf, refKey } from '../objects/ref-rows.ts';
import type { SnapshotForgetOptions, SnapshotForgetReport, SnapshotInfo } from './snapshot-types.ts';

/** Looked up together. */
const PAGE = 256;

async function* pages<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Snapshots that a ref names and named, newest first; moves to other objects and away are passed by. */
export async function* seriesOf(context: RefsOf, name: string): AsyncGenerator<SnapshotInfo> {
  const { engine, scope } = context;
  const [ref] = await engine.metadata.getRefs([refKey(scope, name)]);
  let newest = ref !== undefined;
  for await (const page of pages(eachMove(context, name))) {
    const targets = page.flatMap(({ to }) => to ?? []);
    const rows = (await engine.metadata.getObjects(targets)).values();
    for (const move of page) {
      const row = move.to && rows.next().value;
      const current = newest;
      newest = false;
      if (row?.type === 'snapshot') yield toInfo(name, move, { id: referenceOfRow(row).id, current });
    }
  }
}

function toInfo(
  ref: string,
  { number, time, message }: MoveRow,
  { id, current }: { readonly id: string; readonly current: boolean },
): SnapshotInfo {
  return Object.freeze({ id, ref, number, time: new Date(time).toISOString(), message, current });
}

/** Of all refs, in the order of their names. */
export async function* allSeries(context: RefsOf): AsyncGenerator<SnapshotInfo> {
  const names: string[] = [];
  for await (const { name } of eachRef(context)) names.push(name);
  for (const name of names.sort()) yield* seriesOf(context, name);
}

/**
 * See `Snapshots.forget`. The decision is made over what the history is now; what is added meanwhile is newer than all
 * of it, and stays.
 */
export async function forgetSeries(
  context: RefsOf,
  ref: string,
  options: SnapshotForgetOptions,
  commit: (forgotten: readonly SnapshotInfo[]) => Promise<unknown>,
): Promise<SnapshotForgetReport> {
  const series: SnapshotInfo[] = [];
  for await (const info of seriesOf(context, ref)) series.push(info);
  if (series.length === 0) {
    throw storeError('REF_NOT_FOUND', `the ref ${ref} names no snapshots`, { details: { key: ref } });
  }
  const moments = series.map(({ number, time }) => ({ number, time: Date.parse(time) }));
  const { rules, timeZone, dryRun = false } = options;
  const plan = planRetention(moments, rules, { now: context.engine.clock.now(), timeZone });
  const reasons = new Map(plan.keep.map((kept) => [kept.number, kept.reasons]));
  // What a ref names now is kept by the ref itself, whatever becomes of its history.
  const forgotten = series.filter(({ number, current }) => !reasons.has(number) && !current);
  if (!dryRun && forgotten.length > 0) await commit(forgotten);
  const kept = series
    .filter((info) => !forgotten.includes(info))
    .map((info) => Object.freeze({ ...info, reasons: reasons.get(info.number) ?? ['current'] }));
  return Object.freeze({ ref, dryRun, kept, forgotten });
}
