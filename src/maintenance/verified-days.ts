/** When what is stored was looked at last, told by days: what a calendar of verifications shows. */
import type { ShardStore } from './shard-store.ts';
import { verifiedPacks } from './verify.ts';

/** Packs of which the shard that was not verified for longest was verified on one day. */
export interface VerifiedDay {
  /** `2026-01-31`, UTC; absent for packs with a shard that never was. */
  readonly day?: string;
  readonly packs: number;
}

/** What tells when packs were verified. */
interface VerifiedDaysOptions {
  readonly signal?: AbortSignal;
}

const DAY_TEXT = '2026-01-31'.length;

/** Newest day first, and at the end what never was verified. Looks at the rows of all packs, and reads no shard. */
export async function verifiedDays(
  { metadata }: Pick<ShardStore, 'metadata'>,
  { signal }: VerifiedDaysOptions = {},
): Promise<readonly VerifiedDay[]> {
  const days = new Map<string, number>();
  for await (const { verifiedAt } of verifiedPacks(metadata, 0, Number.MAX_SAFE_INTEGER)) {
    signal?.throwIfAborted();
    const day = verifiedAt > 0 ? new Date(verifiedAt).toISOString().slice(0, DAY_TEXT) : '';
    days.set(day, (days.get(day) ?? 0) + 1);
  }
  const newestFirst = [...days].sort(([a], [b]) => (a < b ? 1 : -1));
  return Object.freeze(newestFirst.map(([day, packs]) => Object.freeze({ ...(day !== '' && { day }), packs })));
}
