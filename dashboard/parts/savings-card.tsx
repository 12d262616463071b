import type { EntriesStats } from '../api/types.ts';
import { countOf, formatBytes, formatPercent } from '../lib/format.ts';
import { Skeleton } from './basics.tsx';

interface BarProps {
  readonly label: string;
  readonly about: string;
  readonly bytes: number;
  readonly largest: number;
  readonly tone: string;
}

function Bar({ label, about, bytes, largest, tone }: BarProps) {
  const share = largest === 0 ? 0 : Math.max(0.4, (bytes / largest) * 100);
  return (
    <div class="bar">
      <dt>
        {label} <span class="muted small">{about}</span>
      </dt>
      <dd class="number">{formatBytes(bytes)}</dd>
      <div class="bar-track" aria-hidden="true">
        <i class={tone} style={{ width: `${share}%` }} />
      </div>
    </div>
  );
}

/** What is kept, and what keeping it here saves. */
export function SavingsCard({ stats }: { readonly stats: EntriesStats | undefined }) {
  const { entries = 0, logicalBytes = 0, uniqueBytes = 0, storedBytes = 0 } = stats ?? {};
  const largest = Math.max(logicalBytes, uniqueBytes, storedBytes);
  const saved = logicalBytes - storedBytes;
  return (
    <section class="card" aria-labelledby="savings">
      <div class="card-head">
        <h2 id="savings">What you keep</h2>
        {stats && <span class="muted">{countOf(entries, 'file')}</span>}
      </div>
      {stats ? (
        <>
          <p class="figure number">{formatBytes(logicalBytes)}</p>
          <p class="muted">
            {saved > 0
              ? `kept in ${formatBytes(storedBytes)}: ${formatPercent((100 * saved) / logicalBytes)} less than without Holdfast`
              : `kept in ${formatBytes(storedBytes)}, with everything that protects it`}
          </p>
          <dl class="bars">
            <Bar label="Your files" about="as you see them" bytes={logicalBytes} largest={largest} tone="one" />
            <Bar
              label="Different content"
              about="what is equal is kept once"
              bytes={uniqueBytes}
              largest={largest}
              tone="two"
            />
            <Bar
              label="On disk"
              about="compressed, with all copies"
              bytes={storedBytes}
              largest={largest}
              tone="three"
            />
          </dl>
        </>
      ) : (
        <Skeleton rows={4} />
      )}
    </section>
  );
}
