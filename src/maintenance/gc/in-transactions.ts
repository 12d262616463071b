import { GC_ITEMS } from '../../limits.ts';

/** Items as they go to the metadata: no more at once than one transaction takes. */
export function* inTransactions<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += GC_ITEMS) yield items.slice(start, start + GC_ITEMS);
}
