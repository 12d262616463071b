import { compareBytes, equalBytes } from '../../bytes/bytes.ts';
import type { EntryRow } from '../contract.ts';
import type { EntryRowChange } from './contract.ts';
import type { LoggedChange } from './names-tables.ts';
import { type EntryOrder, itemOf } from './order-items.ts';
import type { ItemChange } from './tree-writer.ts';

/** What a change means to the orders; `undefined` when the entry stays where it is in all of them. */
export function loggedChangeOf({ before, after }: EntryRowChange): LoggedChange | undefined {
  const key = (after ?? before)?.key;
  if (!key || (before?.modified === after?.modified && before?.size === after?.size)) return undefined;
  const place = (row: EntryRow | undefined) => row && { modified: row.modified, size: row.size };
  return { key, before: place(before), after: place(after) };
}

/** What changes mean to the items of one order, in the order of the changes; an item may come several times. */
export function itemChangesOf(changes: readonly LoggedChange[], order: EntryOrder): readonly ItemChange[] {
  return changes.flatMap(({ key, before, after }) => {
    const removed = before && itemOf({ key, ...before }, order);
    const added = after && itemOf({ key, ...after }, order);
    if (removed && added && equalBytes(removed, added)) return [];
    return [
      ...(removed ? [{ item: removed, present: false }] : []),
      ...(added ? [{ item: added, present: true }] : []),
    ];
  });
}

/** The last change of each item, ascending by item: what a tree is to be changed by. */
export function lastChanges(changes: readonly ItemChange[]): readonly ItemChange[] {
  // Sorting is stable, so of equal items the last one is the latest.
  const sorted = changes.toSorted((a, b) => compareBytes(a.item, b.item));
  return sorted.filter(({ item }, index) => {
    const next = sorted[index + 1];
    return !next || compareBytes(item, next.item) !== 0;
  });
}
