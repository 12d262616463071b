/** Two lists of bundles that grew from one are merged. */

/** What was merged, and whether the two sides had put the bundles they share in different orders. */
export interface MergedBundles {
  readonly bundles: readonly string[];
  /**
   * Bundles of the base that both sides kept and put in an order that is new on both and not the same; the merged list has
   * them in the order of `ours`. Empty when there is no conflict.
   */
  readonly conflicts: readonly string[];
}

/**
 * Merges two ordered lists of bundle ids that grew from a common one.
 *
 * A bundle cannot change, so it is kept or it is not: what either side removed is gone, what either side added is there,
 * what both added is there once. Bundles that both kept stand in the order of the side that changed it, in that of `ours`
 * when both did, which is a conflict if they did so differently. That side's list is the one that the additions of the
 * other are put into: those at its end come at the end, elsewhere right after what stands before them there. So two logs
 * that only grew give what they share, then what `ours` added, then what `theirs` added. The n-th of several equal ids
 * counts as a bundle of its own.
 */
export function mergeBundles(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): MergedBundles {
  const [b, o, t] = [occurrences(base), occurrences(ours), occurrences(theirs)];
  const [inBase, inOurs, inTheirs] = [new Set(b), new Set(o), new Set(t)];
  const isShared = (one: string) => inOurs.has(one) && inTheirs.has(one);
  const [ourOrder, theirOrder] = [o.filter(isShared), t.filter(isShared)];
  const baseOrder = b.filter(isShared);
  const [ourBase, theirBase] = [ourOrder, theirOrder].map((order) => order.filter((one) => inBase.has(one)));
  const oursMoved = !sameList(ourBase ?? [], baseOrder);
  const theirsMoved = !sameList(theirBase ?? [], baseOrder);
  const isConflict = oursMoved && theirsMoved && !sameList(ourBase ?? [], theirBase ?? []);

  // The side that only added and removed is laid over the one that moved.
  const [main, other] = theirsMoved && !oursMoved ? [t, o] : [o, t];
  const inMain = new Set(main);
  const kept = main.filter((one) => isShared(one) || !inBase.has(one));
  const merged = insertAdded(kept, other, (one) => !inBase.has(one) && !inMain.has(one));
  return { bundles: merged.map(idOf), conflicts: isConflict ? baseOrder.map(idOf) : [] };
}

/** Puts what one list has added where it stands there: after the one before it, or at the end. */
function insertAdded(
  kept: readonly string[],
  list: readonly string[],
  isAdded: (one: string) => boolean,
): readonly string[] {
  const present = new Set(kept);
  const after = new Map<string | undefined, string[]>();
  let before: string | undefined;
  for (const one of list) {
    if (isAdded(one)) after.set(before, [...(after.get(before) ?? []), one]);
    else if (present.has(one)) before = one;
  }
  // What follows the last one that both have stands at the end, whatever the other side has put there meanwhile.
  const tail = after.get(before) ?? [];
  after.delete(before);
  return [...(after.get(undefined) ?? []), ...kept.flatMap((one) => [one, ...(after.get(one) ?? [])]), ...tail];
}

/** The n-th of equal ids is told apart from the others. */
function occurrences(ids: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  return ids.map((id) => {
    const count = counts.get(id) ?? 0;
    counts.set(id, count + 1);
    return `${id}#${count}`;
  });
}

function idOf(occurrence: string): string {
  return occurrence.slice(0, occurrence.lastIndexOf('#'));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
