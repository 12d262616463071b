import { useEffect } from 'preact/hooks';
import { changes } from '../api/live.ts';
import { storeStatus } from '../api/store.ts';
import type { PlacementStatus } from '../api/types.ts';
import { countOf, formatBytes, formatMs } from '../lib/format.ts';
import { useLoad } from '../lib/load.ts';
import { describeLosses, placesOf } from '../lib/safety.ts';
import { useValue } from '../lib/value.ts';
import { Badge, Failure, Meter, Note, PageHead, Skeleton } from '../parts/basics.tsx';

type Backend = PlacementStatus['backends'][number];

/** A dot for some shards; places are compared by how many they have. */
const DOTS_MAX = 60;

function Dots({ count, most }: { readonly count: number; readonly most: number }) {
  const scale = Math.max(1, most / DOTS_MAX);
  return (
    <div class="dots" aria-hidden="true">
      {Array.from({ length: Math.ceil(count / scale) }, (_, index) => (
        <i key={index} />
      ))}
    </div>
  );
}

function Place({ backend, most }: { readonly backend: Backend; readonly most: number }) {
  const { name, health, mode, shards, shardBytes, usedBytes, freeBytes, url } = backend;
  const isUp = health.state === 'up';
  return (
    <li class={`place ${isUp ? '' : 'down'}`}>
      <div class="card-head">
        <h3 class="wrap">{name}</h3>
        <Badge tone={isUp ? 'good' : 'bad'}>{isUp ? (mode === 'active' ? 'Working' : mode) : 'Not reachable'}</Badge>
      </div>
      <Dots count={shards} most={most} />
      <p class="number">{`${countOf(shards, 'piece')}, ${formatBytes(shardBytes)}`}</p>
      {usedBytes !== undefined && freeBytes !== undefined && (
        <>
          <Meter
            share={usedBytes / Math.max(1, usedBytes + freeBytes)}
            label={`Space used on ${name}`}
            tone={freeBytes < usedBytes / 10 ? 'warn' : 'plain'}
          />
          <p class="muted small">{`${formatBytes(freeBytes)} free`}</p>
        </>
      )}
      {health.readMs50 !== undefined && health.readMs95 !== undefined && (
        <p class="muted small">{`Reads take ${formatMs(health.readMs50)}, the slow ones ${formatMs(health.readMs95)}`}</p>
      )}
      {!isUp && health.lastError && <p class="small wrap">{health.lastError}</p>}
      {url !== '' && <p class="muted small wrap">{url.replace(/^file:\/\//, '')}</p>}
    </li>
  );
}

function Losses({ status }: { readonly status: PlacementStatus }) {
  const { survives, redundancy, warnings, backends } = status;
  const { fatal } = survives.backends;
  const domains = new Set(placesOf(backends).map(({ domain }) => domain));
  return (
    <section class="card" aria-labelledby="losses">
      <h2 id="losses">What may fail</h2>
      <p>{describeLosses(status)}</p>
      {domains.size > 1 && (
        <p>
          {survives.domains.lossesMax > 0
            ? `Any ${survives.domains.lossesMax === 1 ? 'one' : survives.domains.lossesMax} of your ${domains.size} groups can fail as a whole.`
            : `What fails together stands in one group. No whole group may fail, of ${domains.size}.`}
        </p>
      )}
      <p class="muted">
        {redundancy === 'none'
          ? 'Data is written once.'
          : `Data is written as ${redundancy.replace('+', ' pieces and ')} spare ones; any ${redundancy.split('+')[0]} of them bring it back.`}
      </p>
      {fatal.length > 0 && (
        <details>
          <summary>Too much at once would be</summary>
          <ul class="plain-list">
            {fatal.map(({ lost, packs }) => (
              <li key={lost.join()}>{`${lost.join(' and ')}: ${countOf(packs, 'pack')} of data would be lost`}</li>
            ))}
          </ul>
        </details>
      )}
      {warnings.length > 0 && (
        <Note tone="warn">
          There are fewer groups than pieces, so that several pieces of the same data may lie in one group. Storage
          places in other groups make it safer: <code>holdfast backend add FOLDER --domain NAME</code>
        </Note>
      )}
    </section>
  );
}

function Groups({ backends }: { readonly backends: readonly Backend[] }) {
  const most = Math.max(1, ...backends.map(({ shards }) => shards));
  const groups = [...Map.groupBy(placesOf(backends), ({ domain }) => domain)];
  return (
    <div class="groups">
      {groups.map(([domain, members]) => (
        <section key={domain} class="card" aria-label={domain}>
          <div class="card-head">
            <h2 class="wrap">{members.length === 1 && members[0]?.name === domain ? 'On its own' : domain}</h2>
            {members.length > 1 && <span class="muted small">may fail together</span>}
          </div>
          <ul class="places">
            {members.map((backend) => (
              <Place key={backend.name} backend={backend} most={most} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** Where the data lies, and what of that may fail. */
export function StoragePage() {
  const { value, error, reload } = useLoad(storeStatus, []);
  const changed = useValue(changes);
  useEffect(reload, [changed]);
  if (error && !value) return <Failure error={error} onRetry={reload} />;
  if (!value) return <Skeleton rows={6} />;
  return (
    <>
      <PageHead title="Storage" about="Where your data lies. Each dot stands for pieces of it." />
      <Losses status={value} />
      <Groups backends={value.backends} />
    </>
  );
}
