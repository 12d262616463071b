/** Work on the store itself: started, watched, paused and ended. */
import { z } from '@hono/zod-openapi';
import { given } from '../given.ts';
import { sendEvents } from '../http/event-stream.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import type { Job } from '../jobs/job.ts';
import { StoreEventSource } from '../jobs/store-events.ts';
import { type Call, route } from '../route.ts';

const KINDS = ['check', 'verify', 'scrub', 'repair', 'gc'] as const;
const STATES = ['running', 'paused', 'done', 'failed', 'cancelled', 'stopped'] as const;

const jobSchema = z
  .object({
    id: z.string(),
    kind: z.enum(KINDS),
    state: z.enum(STATES),
    startedBy: z.string(),
    started: z.iso.datetime(),
    ended: z.iso.datetime().optional(),
    progress: z.looseObject({ phase: z.string(), done: z.int(), bytes: z.int() }).optional(),
    report: z.looseObject({}).optional(),
    problem: z.looseObject({ code: z.string() }).optional(),
  })
  .openapi('Job');

const params = { id: z.string().describe('its id') };
const told = { 200: { description: 'the job as it is now', schema: jobSchema } };
const stream = { 200: { description: 'server-sent events', mediaType: 'text/event-stream' } };
const bytes = z.int().min(1).optional();

const ofStore = { about: 'store', verb: 'admin' } as const;

export const listJobs = route({
  ...ofStore,
  method: 'get',
  path: '/jobs',
  summary: 'The jobs of this server, newest first',
  answers: { 200: { description: 'those that run and that ran', schema: z.object({ jobs: z.array(jobSchema) }) } },
  handle: ({ jobs }) => jsonAnswer({ jobs: jobs.list().map(({ info }) => info) }),
});

export const startJob = route({
  ...ofStore,
  method: 'post',
  path: '/jobs',
  summary: 'Start a job: one of a kind at a time',
  json: z.strictObject({
    kind: z.enum(KINDS),
    dryRun: z.boolean().optional().describe('of verify, repair and gc: only say what would be done'),
    bytesPerSecond: bytes.describe('of verify, scrub and repair'),
    budgetBytes: bytes.describe('of verify, scrub and repair: begin nothing further after so many'),
    all: z.boolean().optional().describe('of repair: every pack, not only those that are known to need it'),
  }),
  answers: { 201: { description: 'it runs', schema: jobSchema } },
  handle({ jobs, json: { kind, ...options }, callerName }) {
    const { info } = jobs.start(kind, given(options), callerName);
    return jsonAnswer(info, 201, { location: `/jobs/${info.id}` });
  },
});

export const getJob = route({
  ...ofStore,
  method: 'get',
  path: '/jobs/{id}',
  summary: 'What a job is at, or what it reported',
  params,
  answers: told,
  handle: ({ jobs, params: { id } }) => jsonAnswer(jobs.get(id).info),
});

function acting(summary: string, action: 'pause' | 'resume' | 'cancel') {
  return route({
    ...ofStore,
    method: 'post',
    path: `/jobs/{id}/${action}`,
    summary,
    params,
    answers: told,
    handle({ jobs, params: { id } }) {
      const job = jobs.get(id);
      job[action]();
      return jsonAnswer(job.info);
    },
  });
}

export const pauseJob = acting('Stop a job so that it goes on later; a check begins anew then', 'pause');
export const resumeJob = acting('Let a job go on', 'resume');
export const cancelJob = acting('Stop a job for good; what it did stays done', 'cancel');

/** Tells what a job is at whenever that changes, and at its end. */
function watch(call: Call, job: Job): Promise<Response> {
  let seen: object | undefined;
  return sendEvents(call, {
    *take() {
      if (seen === job.info) return;
      seen = job.info;
      yield { event: 'job', data: job.info };
    },
    isOver: () => job.info.ended !== undefined,
    changed: () => (seen === job.info ? job.changed : Promise.resolve()),
  });
}

export const watchJob = route({
  ...ofStore,
  method: 'get',
  path: '/jobs/{id}/events',
  summary: 'What a job is at, told as it changes, until it ends',
  params,
  answers: stream,
  handle: (call) => watch(call, call.jobs.get(call.params.id)),
});

export const watchStore = route({
  ...ofStore,
  method: 'get',
  path: '/events',
  summary: 'What happens in the store, and its numbers every two seconds',
  description:
    'Events are those of the library (damage, repair, loss, degraded, backend, merge), `numbers`, and `missed`.',
  answers: stream,
  handle(call) {
    // Listens from when the answer begins until it has ended, however that is.
    const source = new StoreEventSource(call.store);
    const keepOpen = (): (() => void) => {
      const end = call.keepOpen();
      source.listen();
      return () => {
        source[Symbol.dispose]();
        end();
      };
    };
    return sendEvents({ ...call, keepOpen }, source);
  },
});
