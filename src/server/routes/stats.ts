/** What a store or a namespace holds, and whether the server is well. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { storeMetrics } from '../metrics.ts';
import { route } from '../route.ts';
import { entriesStatsSchema, storeStatsSchema } from '../schemas.ts';

const METRICS = 'text/plain; version=0.0.4';

export const storeStats = route({
  method: 'get',
  path: '/stats',
  about: 'store',
  verb: 'read',
  summary: 'What the store holds, and what deduplication and compression save',
  answers: { 200: { description: 'counted in one state of the store', schema: storeStatsSchema } },
  async handle({ store, signal }) {
    const { requests: _requests, ...stats } = await store.stats({ signal });
    return jsonAnswer(stats);
  },
});

export const namespaceStats = route({
  method: 'get',
  path: '/namespaces/{namespace}/stats',
  about: 'entries',
  verb: 'read',
  summary: 'What a namespace holds',
  params: { namespace: z.string().describe('its name') },
  answers: { 200: { description: 'counted in one state of the store', schema: entriesStatsSchema } },
  handle: async ({ entries, signal }) => jsonAnswer(await entries.stats({ signal })),
});

const spaceSample = storeStatsSchema
  .pick({ entries: true, logicalBytes: true, uniqueBytes: true, storedBytes: true })
  .extend({ time: z.iso.datetime() });

export const spaceHistory = route({
  method: 'get',
  path: '/history',
  about: 'store',
  verb: 'read',
  summary: 'What the store held since the server was started: once a minute, the older ones more seldom, and now',
  answers: { 200: { description: 'oldest first', schema: z.object({ samples: z.array(spaceSample) }) } },
  handle: async ({ history, signal }) => jsonAnswer({ samples: await history.samples(signal) }),
});

export const prometheus = route({
  method: 'get',
  path: '/metrics',
  about: 'store',
  verb: 'read',
  summary: 'Numbers for Prometheus',
  answers: { 200: { description: 'text format 0.0.4', mediaType: METRICS } },
  async handle({ store, metrics, signal }) {
    const text = metrics.format() + (await storeMetrics(store, signal));
    return new Response(text, { headers: { 'content-type': METRICS, 'cache-control': 'no-store' } });
  },
});

const healthSchema = z.object({ status: z.literal('ok') });

export const healthz = route({
  method: 'get',
  path: '/healthz',
  about: 'open',
  verb: 'read',
  summary: 'Whether the process answers',
  answers: { 200: { description: 'it does', schema: healthSchema } },
  handle: () => jsonAnswer({ status: 'ok' }),
});

export const readyz = route({
  method: 'get',
  path: '/readyz',
  about: 'open',
  verb: 'read',
  summary: 'Whether requests can be served: 503 while the server stops, or when its store does not answer',
  answers: { 200: { description: 'they can', schema: healthSchema } },
  async handle({ store, settings, signal }) {
    if (settings.stopping.aborted) throw storeError('STORE_CLOSED', 'the server is stopping');
    await store.has('readyz', { signal });
    return jsonAnswer({ status: 'ok' });
  },
});
