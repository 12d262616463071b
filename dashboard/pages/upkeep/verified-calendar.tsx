import { getJson } from '../../api/store.ts';
import { countOf, formatCount, formatDay } from '../../lib/format.ts';
import { useLoad } from '../../lib/load.ts';
import { Failure, Note, Skeleton } from '../../parts/basics.tsx';

interface Verified {
  readonly days: readonly { readonly day?: string; readonly packs: number }[];
}

const WEEKS = 13;
const DAY_MS = 86_400_000;

interface Cell {
  readonly day: string;
  readonly packs: number;
}

/** The last weeks, Monday first, up to today. */
function cellsOf({ days }: Verified, now: number): readonly Cell[] {
  const packsOf = new Map(days.map(({ day, packs }) => [day, packs]));
  const weekday = (new Date(now).getUTCDay() + 6) % 7;
  return Array.from({ length: (WEEKS - 1) * 7 + weekday + 1 }, (_, index) => {
    const back = (WEEKS - 1) * 7 + weekday - index;
    const day = new Date(now - back * DAY_MS).toISOString().slice(0, 10);
    return { day, packs: packsOf.get(day) ?? 0 };
  });
}

function Calendar({ found }: { readonly found: Verified }) {
  const cells = cellsOf(found, Date.now());
  const most = Math.max(1, ...cells.map(({ packs }) => packs));
  const shown = cells.reduce((sum, { packs }) => sum + packs, 0);
  const total = found.days.reduce((sum, { packs }) => sum + packs, 0);
  const never = found.days.find(({ day }) => day === undefined)?.packs ?? 0;
  return (
    <>
      <p>{`${formatCount(shown)} of ${countOf(total, 'pack')} of data were verified in the last ${WEEKS} weeks.`}</p>
      {never > 0 && <Note>{`${countOf(never, 'pack')} of data were not verified since they were stored.`}</Note>}
      {total - shown - never > 0 && (
        <Note tone="warn">{`${countOf(total - shown - never, 'pack')} of data were last verified before that.`}</Note>
      )}
      <ol class="calendar">
        {cells.map(({ day, packs }) => (
          <li
            key={day}
            data-heat={packs === 0 ? 0 : Math.ceil((4 * packs) / most)}
            title={`${formatDay(day)}: ${countOf(packs, 'pack')}`}
          >
            <span class="visually-hidden">{packs > 0 && `${formatDay(day)}: ${countOf(packs, 'pack')}`}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** When what is stored was looked at last. @param round asks again when it changes */
export function VerifiedCalendar({ round }: { readonly round: number }) {
  const { value, error, reload } = useLoad((signal) => getJson<Verified>('/verified', { signal }), [round]);
  return (
    <section class="card" aria-labelledby="verified">
      <h2 id="verified">When was it looked at last?</h2>
      {error !== undefined && !value && <Failure error={error} onRetry={reload} />}
      {!value && !error && <Skeleton rows={3} />}
      {value && <Calendar found={value} />}
    </section>
  );
}
