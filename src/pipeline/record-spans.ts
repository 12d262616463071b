import { RECORD_TRAILER_BYTES } from '../format/index.ts';
import { READ_COALESCE_BYTES } from '../limits.ts';
import type { ItemLocation, PackRow } from '../metadata/contract.ts';

/** Reading over a gap costs less than another round trip. */
const GAP_BYTES_MAX = 32 * 1024;

/** Where a record lies; in a pack. */
interface RecordPlace {
  readonly location: ItemLocation;
}

/** Records of one pack that are fetched with one read. */
export interface RecordSpan<Located extends RecordPlace> {
  readonly pack: PackRow;
  readonly offset: number;
  end: number;
  readonly records: Located[];
}

/** Brings records that lie near each other together, in the order they lie in. */
export function planSpans<Located extends RecordPlace>(plans: readonly Located[]): RecordSpan<Located>[] {
  const byPlace = plans.toSorted((a, b) => {
    const packs = (a.location.pack?.number ?? 0) - (b.location.pack?.number ?? 0);
    return packs === 0 ? a.location.offset - b.location.offset : packs;
  });
  const spans: RecordSpan<Located>[] = [];
  for (const plan of byPlace) {
    const pack = plan.location.pack as PackRow;
    const start = plan.location.offset;
    const end = start + plan.location.storedLength + RECORD_TRAILER_BYTES;
    const last = spans.at(-1);
    if (
      last &&
      last.pack.number === pack.number &&
      start - last.end <= GAP_BYTES_MAX &&
      end - last.offset <= READ_COALESCE_BYTES
    ) {
      last.end = end;
      last.records.push(plan);
    } else {
      spans.push({ pack, offset: start, end, records: [plan] });
    }
  }
  return spans;
}
