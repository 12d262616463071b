import { useState } from 'preact/hooks';
import { useMay } from '../../api/may.ts';
import { type Difference, differencesOf, ITEMS_MAX } from '../../api/snapshots.ts';
import type { SnapshotInfo } from '../../api/types.ts';
import { countOf, formatBytes, formatTime } from '../../lib/format.ts';
import { useLoad } from '../../lib/load.ts';
import { linkTo } from '../../lib/place.ts';
import { Badge, Empty, Failure, PageHead, Skeleton, TickCell, type Tone } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { RestoreItems } from './restore-items.tsx';

interface CompareProps {
  readonly scope: string;
  readonly from: string;
  readonly to: string;
  readonly before: SnapshotInfo | undefined;
  readonly after: SnapshotInfo | undefined;
}

const WORDS: Readonly<Record<string, { readonly word: string; readonly tone: Tone }>> = {
  added: { word: 'New', tone: 'good' },
  removed: { word: 'Gone', tone: 'bad' },
  changed: { word: 'Changed', tone: 'warn' },
};

interface RowProps {
  readonly difference: Difference;
  readonly isTicked: boolean;
  readonly onTick: ((isTicked: boolean) => void) | undefined;
}

function Row({ difference, isTicked, onTick }: RowProps) {
  const { path, kind, before, after, metadataOnly } = difference;
  const { word, tone } = WORDS[kind] ?? { word: kind, tone: 'plain' };
  const sizes = [before, after].map((child) => (child?.size === undefined ? undefined : formatBytes(child.size)));
  return (
    <tr>
      {onTick && <TickCell name={path} isTicked={isTicked} onTick={onTick} isChoice={before !== undefined} />}
      <td>
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td class="wrap">{path}</td>
      <td class="end number optional">
        {metadataOnly ? 'same content' : sizes.filter((one) => one !== undefined).join(' → ')}
      </td>
    </tr>
  );
}

function Differences({ scope, from, all }: { scope: string; from: string; all: readonly Difference[] }) {
  const { write } = useMay();
  const [ticks, setTicks] = useState<readonly string[]>([]);
  const counted = Object.entries(WORDS).map(([kind, { word }]) => ({
    word,
    count: all.filter((one) => one.kind === kind).length,
  }));
  return (
    <>
      <div class="toolbar">
        <p>{counted.map(({ word, count }) => `${word}: ${count}`).join(', ')}</p>
        {write && <RestoreItems {...{ scope, id: from }} paths={ticks} onDone={() => setTicks([])} />}
      </div>
      <section class="card flush" aria-label="Differences">
        <table>
          <tbody>
            {all.map((difference) => (
              <Row
                key={difference.path}
                difference={difference}
                isTicked={ticks.includes(difference.path)}
                onTick={
                  write
                    ? (isTicked) =>
                        setTicks(
                          isTicked ? [...ticks, difference.path] : ticks.filter((one) => one !== difference.path),
                        )
                    : undefined
                }
              />
            ))}
          </tbody>
        </table>
        {all.length >= ITEMS_MAX && <p class="more muted">{`The first ${countOf(all.length, 'difference')}.`}</p>}
      </section>
    </>
  );
}

/** What changed from one snapshot to another; what the older one holds can be put back. */
export function CompareSnapshots({ scope, from, to, before, after }: CompareProps) {
  const { value, error, reload } = useLoad((signal) => differencesOf(from, to, { scope, signal }), [scope, from, to]);
  const told = (one: SnapshotInfo | undefined): string =>
    one ? `${one.message || one.ref} (${formatTime(one.time)})` : 'a snapshot';
  return (
    <>
      <p>
        <a class="back" href={linkTo('snapshots')}>
          <Icon name="back" />
          All snapshots
        </a>
      </p>
      <PageHead title="What changed" about={`From ${told(before)} to ${told(after)}`} />
      {error !== undefined && !value && <Failure error={error} onRetry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value?.length === 0 && (
        <section class="card">
          <Empty icon="check" title="Nothing changed between the two" />
        </section>
      )}
      {value && value.length > 0 && <Differences {...{ scope, from }} all={value} />}
    </>
  );
}
