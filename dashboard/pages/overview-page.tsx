import { useEffect } from 'preact/hooks';
import { changes } from '../api/live.ts';
import { useMay } from '../api/may.ts';
import { namespace } from '../api/session.ts';
import { stats, storeStatus } from '../api/store.ts';
import type { PlacementStatus } from '../api/types.ts';
import { formatBytes } from '../lib/format.ts';
import { useEvery, useLoad } from '../lib/load.ts';
import { placesOf } from '../lib/safety.ts';
import { useValue } from '../lib/value.ts';
import { Badge, Failure, Note, PageHead, Skeleton } from '../parts/basics.tsx';
import { DemoCard } from '../parts/demo-card.tsx';
import { SafetyCard } from '../parts/safety-card.tsx';
import { SavingsCard } from '../parts/savings-card.tsx';

const REFRESH_MS = 15_000;

function Places({ status }: { readonly status: PlacementStatus }) {
  return (
    <section class="card" aria-labelledby="places">
      <div class="card-head">
        <h2 id="places">Storage places</h2>
      </div>
      <ul class="rows">
        {placesOf(status.backends).map(({ name, health, shardBytes, mode, freeBytes }) => (
          <li key={name}>
            <span class="wrap">
              <strong>{name}</strong>{' '}
              <span class="muted small">
                {formatBytes(shardBytes)}
                {freeBytes !== undefined && `, ${formatBytes(freeBytes)} free`}
              </span>
            </span>
            {health.state === 'up' ? (
              <Badge tone={mode === 'active' ? 'good' : 'plain'}>{mode === 'active' ? 'Working' : mode}</Badge>
            ) : (
              <Badge tone="bad">Not reachable</Badge>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Safety() {
  const { value, error, reload } = useLoad(storeStatus, []);
  const changed = useValue(changes);
  useEvery(REFRESH_MS, reload);
  useEffect(reload, [changed]);
  if (error && !value) return <Failure error={error} onRetry={reload} />;
  if (!value)
    return (
      <section class="card wide">
        <Skeleton rows={3} />
      </section>
    );
  return (
    <>
      <SafetyCard status={value} onChange={reload} />
      <DemoCard onChange={reload} />
      <Places status={value} />
    </>
  );
}

function Savings() {
  const { readAll } = useMay();
  const scope = useValue(namespace);
  const about = readAll ? undefined : scope;
  const { value, error, reload } = useLoad((signal) => stats(signal, about), [about]);
  const changed = useValue(changes);
  useEvery(REFRESH_MS, reload);
  useEffect(reload, [changed]);
  if (error && !value) return <Failure error={error} onRetry={reload} />;
  return <SavingsCard stats={value} />;
}

/** Whether the data is safe, and what keeping it here saves. */
export function OverviewPage() {
  const { admin, read } = useMay();
  return (
    <>
      <PageHead title="Overview" />
      <div class="grid">
        {admin ? (
          <Safety />
        ) : (
          <div class="wide">
            <Note>This token may not see where the data lies, so the dashboard cannot tell here how safe it is.</Note>
          </div>
        )}
        {read && <Savings />}
      </div>
    </>
  );
}
