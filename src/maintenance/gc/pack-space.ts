/** How much of a pack is dead, as far as its row tells. */
import { ISOLATED_NAMESPACE_MIN, PACK_ITEM_OVERHEAD_BYTES } from '../../limits.ts';
import type { PackRow } from '../../metadata/index.ts';

/** Bytes of the shards of a pack: of what lives in it with what frames it, and of the rest. */
export function packSpace(pack: PackRow): { readonly live: number; readonly dead: number } {
  const { items, liveBytes, packBytes, storedBytes } = pack;
  if (liveBytes === 0) return { live: 0, dead: storedBytes };
  // Frames and directory; how many of the items live is not known, so that all of theirs count as live.
  const framed = Math.min(packBytes, liveBytes + items * PACK_ITEM_OVERHEAD_BYTES);
  const live = Math.round((storedBytes * framed) / packBytes);
  return { live, dead: storedBytes - live };
}

/** Whether a pack is one of those that are collected: isolated entries go as a whole, the journal by its own rules. */
export function isCollected(pack: PackRow, blocked: readonly number[]): boolean {
  const namespace = pack.seal?.namespace ?? 0;
  if (pack.class !== 'data' && pack.class !== 'meta') return false;
  return namespace < ISOLATED_NAMESPACE_MIN && !blocked.includes(namespace);
}

/** @param deadShare that makes it worth writing the rest anew */
export function isWorthCompacting(pack: PackRow, deadShare: number): boolean {
  if (pack.liveBytes === 0) return true;
  const { live, dead } = packSpace(pack);
  return dead > 0 && dead >= deadShare * (live + dead);
}
