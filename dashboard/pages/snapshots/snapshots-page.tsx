import { useState } from 'preact/hooks';
import { useMay } from '../../api/may.ts';
import { namespace } from '../../api/session.ts';
import { listSnapshots } from '../../api/snapshots.ts';
import type { SnapshotInfo } from '../../api/types.ts';
import { formatAgo, formatTime } from '../../lib/format.ts';
import { useLoad } from '../../lib/load.ts';
import { goTo, linkTo, usePlace } from '../../lib/place.ts';
import { useValue } from '../../lib/value.ts';
import { Badge, Empty, Failure, PageHead, Skeleton } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { BrowseSnapshot } from './browse-snapshot.tsx';
import { CompareSnapshots } from './compare-snapshots.tsx';
import { TakeSnapshot } from './take-snapshot.tsx';

interface MomentProps {
  readonly snapshot: SnapshotInfo;
  readonly isTicked: boolean;
  readonly onTick: (isTicked: boolean) => void;
}

function Moment({ snapshot, isTicked, onTick }: MomentProps) {
  const { id, ref, time, message, current } = snapshot;
  const when = formatTime(time);
  return (
    <li>
      <label class="moment-tick">
        <input
          type="checkbox"
          aria-label={`Compare ${ref}, ${when}`}
          checked={isTicked}
          onChange={(event) => onTick(event.currentTarget.checked)}
        />
      </label>
      <div class="moment-text">
        <a href={linkTo('snapshots', { id })}>{message || `Snapshot ${snapshot.number}`}</a>
        <span class="muted small">
          {when}, {formatAgo(time)}
        </span>
      </div>
      <span class="actions">
        <Badge>{ref}</Badge>
        {current && <Badge tone="good">Newest</Badge>}
      </span>
    </li>
  );
}

function TimeLine({ snapshots }: { readonly snapshots: readonly SnapshotInfo[] }) {
  const [ticks, setTicks] = useState<readonly string[]>([]);
  const nameOf = ({ ref, number }: SnapshotInfo): string => `${ref} ${number}`;
  const chosen = snapshots.filter((one) => ticks.includes(nameOf(one)));
  const [newer, older] = chosen;
  return (
    <section class="card" aria-labelledby="timeline">
      <div class="card-head">
        <h2 id="timeline">Time line</h2>
        <button
          type="button"
          class="button"
          disabled={chosen.length !== 2}
          onClick={() => goTo('snapshots', { from: older?.id, to: newer?.id })}
        >
          {chosen.length === 2 ? 'Compare the two' : 'Tick two to compare'}
        </button>
      </div>
      <ol class="timeline">
        {snapshots.map((snapshot) => (
          <Moment
            key={nameOf(snapshot)}
            snapshot={snapshot}
            isTicked={ticks.includes(nameOf(snapshot))}
            onTick={(isTicked) =>
              setTicks(
                isTicked ? [...ticks.slice(-1), nameOf(snapshot)] : ticks.filter((one) => one !== nameOf(snapshot)),
              )
            }
          />
        ))}
      </ol>
    </section>
  );
}

/** The files as they were: a time line, what lies in one moment, and what changed between two. */
export function SnapshotsPage() {
  const { query } = usePlace();
  const scope = useValue(namespace);
  const { write } = useMay();
  const [isTaking, setTaking] = useState(false);
  const { value, error, reload } = useLoad((signal) => listSnapshots({ scope, signal }), [scope]);
  const { id, from, to, folder = '' } = query;
  if (error && !value) return <Failure error={error} onRetry={reload} />;
  if (!value) return <Skeleton rows={6} />;
  const found = (wanted: string | undefined) => value.find((one) => one.id === wanted);
  if (id !== undefined) return <BrowseSnapshot {...{ scope, id, folder }} snapshot={found(id)} />;
  if (from !== undefined && to !== undefined)
    return <CompareSnapshots {...{ scope, from, to }} before={found(from)} after={found(to)} />;
  const snapshots = [...value].sort((a, b) => b.time.localeCompare(a.time));
  return (
    <>
      <PageHead title="Snapshots" about="Your files as they were. A snapshot copies no bytes.">
        {write && (
          <button type="button" class="button primary" onClick={() => setTaking(true)}>
            <Icon name="plus" />
            Take a snapshot
          </button>
        )}
      </PageHead>
      {snapshots.length === 0 ? (
        <section class="card">
          <Empty icon="snapshots" title="No snapshots yet">
            <p>A snapshot keeps all files as they are now, so that you can look at them and put them back later.</p>
          </Empty>
        </section>
      ) : (
        <TimeLine snapshots={snapshots} />
      )}
      {isTaking && <TakeSnapshot scope={scope} onClose={() => setTaking(false)} onDone={reload} />}
    </>
  );
}
