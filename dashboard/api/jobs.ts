import { createValue } from '../lib/value.ts';
import { readEvents } from './live.ts';
import { getJson, postJson } from './store.ts';
import type { JobInfo, JobKind } from './types.ts';

/** Newest first; what runs is told of as it goes on. */
export const jobs = createValue<readonly JobInfo[] | undefined>(undefined);

const watched = new Set<string>();

function put(job: JobInfo): void {
  const all = jobs.get() ?? [];
  const isKnown = all.some(({ id }) => id === job.id);
  jobs.set(isKnown ? all.map((one) => (one.id === job.id ? job : one)) : [job, ...all]);
}

async function watch({ id, ended }: JobInfo): Promise<void> {
  if (ended !== undefined || watched.has(id)) return;
  watched.add(id);
  try {
    for await (const { data } of readEvents(`/jobs/${id}/events`, new AbortController().signal)) put(data as JobInfo);
  } catch {
    // The connection ended: the next look at the list watches again.
  }
  watched.delete(id);
}

export async function loadJobs(signal?: AbortSignal): Promise<void> {
  const { jobs: found } = await getJson<{ jobs: readonly JobInfo[] }>('/jobs', { signal });
  jobs.set(found);
  for (const job of found) void watch(job);
}

/** What may be said of a job when it is started. */
export interface JobWishes {
  readonly dryRun?: boolean;
  readonly bytesPerSecond?: number;
  readonly budgetBytes?: number;
}

export async function startJob(kind: JobKind, wishes: JobWishes): Promise<void> {
  const job = await postJson<JobInfo>('/jobs', { kind, ...wishes });
  put(job);
  void watch(job);
}

export async function steerJob(id: string, action: 'pause' | 'resume' | 'cancel'): Promise<void> {
  put(await postJson<JobInfo>(`/jobs/${id}/${action}`, {}));
}
