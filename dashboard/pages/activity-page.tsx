import { latencies, useLatency } from '../api/latency.ts';
import { type Happening, happenings, isLive, type Sample, samples } from '../api/live.ts';
import { countOf, formatCount, formatMs, formatRate, formatTime } from '../lib/format.ts';
import { useValue } from '../lib/value.ts';
import { Badge, Empty, PageHead } from '../parts/basics.tsx';
import { Chart } from '../parts/chart.tsx';
import { SpaceChart } from '../parts/space-chart.tsx';

type Counter = 'bytesIn' | 'bytesOut' | 'puts' | 'gets' | 'deletes';

/** How much a counter grew a second, between one sample and the next. */
function rates(all: readonly Sample[], name: Counter): readonly number[] {
  return all.slice(1).map(({ time, numbers }, index) => {
    const before = all[index] as Sample;
    return Math.max(0, ((numbers[name] - before.numbers[name]) * 1000) / Math.max(1, time - before.time));
  });
}

function describe({ event, data }: Happening): string {
  const told = data as Readonly<Record<string, unknown>>;
  switch (event) {
    case 'backend':
      return told.state === 'up' ? `${told.name} is back` : `${told.name} is not reachable: ${told.message}`;
    case 'damage':
      return `Damage was found: ${told.message}`;
    case 'repair':
      return `${countOf((told.shards as readonly unknown[]).length, 'piece')} made anew`;
    case 'loss':
      return `A piece on ${told.backend} is ${told.reason}; the data was read from the others`;
    case 'degraded':
      return `Data was written with ${told.missing} of ${told.shards} pieces missing, because storage places failed`;
    case 'merge':
      return `${told.dropped} small packs became ${told.added}`;
    case 'recovery':
      return `${told.records} changes were recovered after a crash`;
    default:
      return `${told.count} events were missed`;
  }
}

const BAD = new Set(['damage', 'loss', 'degraded']);

function Log() {
  const all = useValue(happenings);
  return (
    <section class="card" aria-labelledby="log">
      <h2 id="log">What happened</h2>
      {all.length === 0 ? (
        <p class="muted">Nothing worth telling since this page was opened.</p>
      ) : (
        <ol class="rows">
          {all.map((one) => (
            <li key={`${one.time} ${one.event} ${describe(one)}`}>
              <span class="wrap">{describe(one)}</span>
              <span class="actions">
                {BAD.has(one.event) && <Badge tone="warn">Look at this</Badge>}
                <span class="muted small">{formatTime(new Date(one.time).toISOString())}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** What goes on now, in lines and in words. */
export function ActivityPage() {
  const all = useValue(samples);
  const live = useValue(isLive);
  const slow = useValue(latencies);
  useLatency();
  const times = all.slice(1).map(({ time }) => time / 1000);
  const perSecond = (value: number): string =>
    `${value < 10 ? Math.round(value * 10) / 10 : formatCount(Math.round(value))}/s`;
  return (
    <>
      <PageHead title="Activity" about="What goes on, since this page was opened.">
        <Badge tone={live ? 'good' : 'warn'}>{live ? 'Live' : 'Not connected'}</Badge>
      </PageHead>
      {times.length < 2 ? (
        <section class="card">
          <Empty icon="activity" title="Numbers come in a moment" />
        </section>
      ) : (
        <div class="grid">
          <Chart
            title="Data in and out"
            times={times}
            format={formatRate}
            least={1000}
            series={[
              { label: 'In', values: rates(all, 'bytesIn') },
              { label: 'Out', values: rates(all, 'bytesOut') },
            ]}
          />
          <Chart
            title="Files stored and read"
            times={times}
            format={perSecond}
            least={2}
            series={[
              { label: 'Stored', values: rates(all, 'puts') },
              { label: 'Read', values: rates(all, 'gets') },
              { label: 'Deleted', values: rates(all, 'deletes') },
            ]}
          />
          <Chart
            title="Time to answer"
            times={slow.map(({ time }) => time / 1000)}
            format={formatMs}
            least={5}
            series={[{ label: 'Average', values: slow.map(({ ms }) => ms) }]}
          />
          <SpaceChart />
        </div>
      )}
      <Log />
    </>
  );
}
