/** Number of ways to choose `size` of `count`. */
export function choiceCount(count: number, size: number): bigint {
  let ways = 1n;
  // Exact at every step: after step i it is the number of ways to choose i of count.
  for (let taken = 1; taken <= size; taken += 1) ways = (ways * BigInt(count - taken + 1)) / BigInt(taken);
  return ways;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

/** The choice of this rank, of all `total` in lexicographic order. */
function choiceAt(rank: bigint, total: bigint, { count, size }: { readonly count: number; readonly size: number }) {
  const chosen: number[] = [];
  let [left, ways] = [rank, total];
  for (let item = 0; chosen.length < size; item += 1) {
    // Of the ways to choose from the items that are left, these take the next one.
    const taking = (ways * BigInt(size - chosen.length)) / BigInt(count - item);
    if (left < taking) {
      chosen.push(item);
      ways = taking;
    } else {
      left -= taking;
      ways -= taking;
    }
  }
  return chosen;
}

/**
 * Ways to choose `size` of the numbers below `count`, each once: the first is 0, 1, 2 …, and the ones after it are
 * scattered. In order, a wrong shard at the front would be part of the first half of all choices; scattered, the chance
 * that it is left out is the same in each.
 * @param max stops after so many
 */
export function* scatteredChoices(count: number, size: number, max: number): Generator<number[]> {
  if (size > count || max < 1) return;
  // Nearly always the only one that is asked for, and then nothing has to be counted.
  yield Array.from({ length: size }, (_, item) => item);
  const total = choiceCount(count, size);
  // A step near the golden section spreads evenly; without a common divisor it comes to every rank before any twice.
  let step = (total * 618n) / 1000n + 1n;
  while (greatestCommonDivisor(step, total) !== 1n) step += 1n;
  let rank = 0n;
  for (let given = 1; given < max && BigInt(given) < total; given += 1) {
    rank = (rank + step) % total;
    yield choiceAt(rank, total, { count, size });
  }
}
