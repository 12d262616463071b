import { useState } from 'preact/hooks';
import { type JobWishes, startJob } from '../../api/jobs.ts';
import type { JobKind } from '../../api/types.ts';
import { JOB_WORDS } from '../../lib/job-words.ts';
import { Ask } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { complain } from '../../parts/toasts.tsx';

const KINDS: readonly JobKind[] = ['check', 'verify', 'scrub', 'repair', 'gc'];
const MEGABYTE = 1_000_000;
const GIGABYTE = 1_000_000_000;

function wishesOf(form: FormData): JobWishes {
  const number = (name: string): number => Number(form.get(name) || 0);
  const speed = Math.round(number('speed') * MEGABYTE);
  const budget = Math.round(number('budget') * GIGABYTE);
  return {
    ...(form.get('dryRun') === 'on' && { dryRun: true }),
    ...(speed > 0 && { bytesPerSecond: speed }),
    ...(budget > 0 && { budgetBytes: budget }),
  };
}

function Wishes({ kind, onClose }: { readonly kind: JobKind; readonly onClose: () => void }) {
  const { title, about, takesDryRun, takesSpeed } = JOB_WORDS[kind];
  const start = (): void => {
    const form = document.querySelector<HTMLFormElement>('dialog form');
    if (form) startJob(kind, wishesOf(new FormData(form))).catch(complain);
    onClose();
  };
  return (
    <Ask title={title} action="Start" onDo={start} onClose={onClose}>
      <p>{about}</p>
      {takesSpeed && (
        <label class="field">
          At most so many MB a second
          <input type="number" name="speed" min="0" step="any" placeholder="As fast as it can" />
        </label>
      )}
      {takesSpeed && (
        <label class="field">
          Stop after so many GB; the rest another time
          <input type="number" name="budget" min="0" step="any" placeholder="All of it" />
        </label>
      )}
      {takesDryRun && (
        <label class="check-field">
          <input type="checkbox" name="dryRun" /> Only say what would be done
        </label>
      )}
    </Ask>
  );
}

/** Everything that can be started. */
export function StartJobs({ running }: { readonly running: readonly JobKind[] }) {
  const [asked, setAsked] = useState<JobKind>();
  return (
    <section class="card" aria-labelledby="start">
      <h2 id="start">Start something</h2>
      <ul class="rows">
        {KINDS.map((kind) => {
          const { title, about } = JOB_WORDS[kind];
          return (
            <li key={kind}>
              <span class="job-text">
                <strong>{title}</strong>
                <span class="muted small">{about}</span>
              </span>
              <button
                type="button"
                class="button"
                disabled={running.includes(kind)}
                aria-label={`Start: ${title}`}
                onClick={() => setAsked(kind)}
              >
                <Icon name="play" />
                Start
              </button>
            </li>
          );
        })}
      </ul>
      {asked && <Wishes kind={asked} onClose={() => setAsked(undefined)} />}
    </section>
  );
}
