/** The store as a whole: namespaces, keys, backends. */
import { z } from '@hono/zod-openapi';
import { given } from '../given.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { route } from '../route.ts';
import { namespaceSchema } from '../schemas.ts';

const quotaBytes = z.int().min(0).nullable().describe('most bytes its entries may have together; null: no bound');

export const listNamespaces = route({
  method: 'get',
  path: '/namespaces',
  about: 'store',
  verb: 'admin',
  summary: 'The namespaces, with what they hold',
  answers: { 200: { description: 'each of them', schema: z.object({ namespaces: z.array(namespaceSchema) }) } },
  handle: async ({ store, signal }) => jsonAnswer({ namespaces: await store.namespaces.list({ signal }) }),
});

export const createNamespace = route({
  method: 'post',
  path: '/namespaces',
  about: 'store',
  verb: 'admin',
  summary: 'Make a namespace',
  json: z.strictObject({ name: z.string(), quotaBytes: quotaBytes.optional() }),
  answers: { 201: { description: 'it is there', schema: namespaceSchema } },
  async handle({ store, json: { name, quotaBytes: quota }, signal }) {
    return jsonAnswer(
      await store.namespaces.create(name, { ...given({ quotaBytes: quota ?? undefined }), signal }),
      201,
    );
  },
});

export const getNamespace = route({
  method: 'get',
  path: '/namespaces/{namespace}',
  about: 'entries',
  verb: 'read',
  summary: 'What a namespace is and holds',
  params: { namespace: z.string().describe('its name') },
  answers: { 200: { description: 'the namespace', schema: namespaceSchema } },
  handle: async ({ store, params, signal }) => jsonAnswer(await store.namespaces.stat(params.namespace, { signal })),
});

export const setQuota = route({
  method: 'put',
  path: '/namespaces/{namespace}/quota',
  about: 'store',
  verb: 'admin',
  summary: 'Set or lift the quota of a namespace; what is there stays',
  params: { namespace: z.string().describe('its name') },
  json: z.strictObject({ quotaBytes }),
  answers: { 200: { description: 'the namespace', schema: namespaceSchema } },
  handle: async ({ store, params, json, signal }) =>
    jsonAnswer(await store.namespaces.setQuota(params.namespace, json.quotaBytes ?? undefined, { signal })),
});

export const dropNamespace = route({
  method: 'delete',
  path: '/namespaces/{namespace}',
  about: 'store',
  verb: 'admin',
  summary: 'Destroy the data of a namespace and its keys, for good',
  params: { namespace: z.string().describe('its name') },
  query: { shred: z.literal('true').describe('that this is meant: nobody can read it afterwards, with whatever keys') },
  answers: {
    200: {
      description: 'whether all of it is gone already, and what has still to be done',
      schema: z.object({ done: z.boolean(), pending: z.array(z.string()) }),
    },
  },
  handle: async ({ store, params, signal }) =>
    jsonAnswer(await store.namespaces.drop(params.namespace, { shred: true, signal })),
});

export const listKeys = route({
  method: 'get',
  path: '/keys',
  about: 'store',
  verb: 'admin',
  summary: 'What opens the store, which writers it lets in, and the epochs of its keys; nothing secret',
  answers: {
    200: {
      description: 'slots, writers and epochs',
      schema: z.object({
        slots: z.array(z.looseObject({ id: z.string() })),
        writers: z.array(z.looseObject({ fingerprint: z.string() })),
        epochs: z.array(z.looseObject({ epoch: z.int() })),
      }),
    },
  },
  async handle({ store: { keys }, signal }) {
    const [slots, writers, epochs] = await Promise.all([
      keys.list({ signal }),
      keys.writers({ signal }),
      keys.epochs({ signal }),
    ]);
    return jsonAnswer({ slots, writers, epochs });
  },
});

export const verifiedPacks = route({
  method: 'get',
  path: '/verified',
  about: 'store',
  verb: 'admin',
  summary: 'How many packs were last verified on which day, UTC; without a day those that never were',
  answers: {
    200: {
      description: 'newest day first',
      schema: z.object({ days: z.array(z.object({ day: z.iso.date().optional(), packs: z.int() })) }),
    },
  },
  handle: async ({ store, signal }) => jsonAnswer({ days: await store.maintenance.verified({ signal }) }),
});

export const storeStatus = route({
  method: 'get',
  path: '/status',
  about: 'store',
  verb: 'admin',
  summary: 'Where the shards are, how the backends do, and which losses are survived',
  answers: { 200: { description: 'the placement', schema: z.looseObject({ redundancy: z.string(), packs: z.int() }) } },
  handle: async ({ store, signal }) => jsonAnswer(await store.backends.status({ signal })),
});
