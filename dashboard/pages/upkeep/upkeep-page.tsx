import { useEffect, useState } from 'preact/hooks';
import { jobs, loadJobs, steerJob } from '../../api/jobs.ts';
import type { JobInfo } from '../../api/types.ts';
import { formatAgo, formatDuration, formatTime } from '../../lib/format.ts';
import { describeJob, JOB_WORDS } from '../../lib/job-words.ts';
import { useEvery } from '../../lib/load.ts';
import { useValue } from '../../lib/value.ts';
import { Badge, Failure, Meter, PageHead, Skeleton, type Tone } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { complain } from '../../parts/toasts.tsx';
import { StartJobs } from './start-jobs.tsx';
import { VerifiedCalendar } from './verified-calendar.tsx';

const REFRESH_MS = 10_000;

function toneOf({ state, report }: JobInfo): readonly [Tone, string] {
  const outcome = (report as { outcome?: string } | undefined)?.outcome;
  if (state === 'done' && outcome === 'damaged') return ['bad', 'Found damage'];
  if (state === 'done' && outcome === 'partial') return ['warn', 'Not all done'];
  const words = {
    done: 'Done',
    failed: 'Failed',
    cancelled: 'Cancelled',
    stopped: 'Stopped',
    paused: 'Paused',
    running: 'Running',
  };
  return [state === 'done' ? 'good' : state === 'failed' ? 'bad' : 'plain', words[state]];
}

function Running({ job }: { readonly job: JobInfo }) {
  const { id, kind, state, progress } = job;
  const steer = (action: 'pause' | 'resume' | 'cancel') => () => void steerJob(id, action).catch(complain);
  const isPaused = state === 'paused';
  const { title } = JOB_WORDS[kind];
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <Badge tone={isPaused ? 'warn' : 'good'}>{isPaused ? 'Paused' : 'Running'}</Badge>
      </div>
      <Meter share={progress?.total ? progress.done / progress.total : 0} label={`Progress of: ${title}`} />
      <p class="muted number">{describeJob(job)}</p>
      <div class="actions">
        <button type="button" class="button" onClick={steer(isPaused ? 'resume' : 'pause')}>
          <Icon name={isPaused ? 'play' : 'pause'} />
          {isPaused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" class="button danger" onClick={steer('cancel')}>
          Cancel
        </button>
      </div>
    </section>
  );
}

function History({ ended }: { readonly ended: readonly JobInfo[] }) {
  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">Done so far</h2>
      {ended.length === 0 ? (
        <p class="muted">Nothing since this server was started.</p>
      ) : (
        <ul class="rows">
          {ended.map((job) => {
            const [tone, word] = toneOf(job);
            return (
              <li key={job.id}>
                <span class="job-text">
                  <strong>{JOB_WORDS[job.kind].title}</strong>
                  <span>{describeJob(job)}</span>
                  <span class="muted small" title={formatTime(job.started)}>
                    {formatAgo(job.started)}
                    {job.ended && `, took ${formatDuration(Date.parse(job.ended) - Date.parse(job.started))}`}
                  </span>
                </span>
                <Badge tone={tone}>{word}</Badge>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function useJobs() {
  const [error, setError] = useState<unknown>();
  const load = (): void => void loadJobs().then(() => setError(undefined), setError);
  useEffect(load, []);
  useEvery(REFRESH_MS, load);
  return { all: useValue(jobs), error, load };
}

/** What keeps the store sound: started, watched, paused and ended here. */
export function UpkeepPage() {
  const { all, error, load } = useJobs();
  if (!all) return error ? <Failure error={error} onRetry={load} /> : <Skeleton rows={6} />;
  const running = all.filter(({ ended }) => ended === undefined);
  const ended = all.filter((job) => job.ended !== undefined);
  return (
    <>
      <PageHead title="Upkeep" about="What keeps the store sound. All of it goes on beside other work." />
      {running.length > 0 && (
        <div class="grid">
          {running.map((job) => (
            <Running key={job.id} job={job} />
          ))}
        </div>
      )}
      <div class="grid">
        <StartJobs running={running.map(({ kind }) => kind)} />
        <div class="stack">
          <VerifiedCalendar round={ended.length} />
          <History ended={ended} />
        </div>
      </div>
    </>
  );
}
