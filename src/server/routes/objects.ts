/** Immutable objects, named by what they are. */
import { z } from '@hono/zod-openapi';
import type { ObjectPutResult, StructuredObject } from '../../index.ts';
import { openBody } from '../http/body.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { sendLines, sendStream } from '../http/stream-answer.ts';
import { route } from '../route.ts';
import { addressSchema, LINES, objectIdSchema } from '../schemas.ts';

const TYPES = ['blob', 'bundle', 'tree', 'snapshot'] as const;

const putSchema = z.looseObject({ id: objectIdSchema, type: z.enum(TYPES), existed: z.boolean() });
const put = { 201: { description: 'the object is there, for good', schema: putSchema } };
const answerPut = (result: ObjectPutResult): Response => jsonAnswer(result, 201);

export const listObjects = route({
  method: 'get',
  path: '/objects',
  about: 'entries',
  verb: 'read',
  summary: 'List objects',
  query: { type: z.enum(TYPES).optional() },
  answers: { 200: { description: 'an object a line: id, type, size', mediaType: LINES } },
  handle: (call) =>
    sendLines(
      call,
      call.entries.objects.list({ signal: call.signal, ...(call.query.type && { types: [call.query.type] }) }),
    ),
});

export const getObject = route({
  method: 'get',
  path: '/objects/{id}',
  about: 'entries',
  verb: 'read',
  summary: 'A bundle, tree, snapshot or blob with metadata',
  params: { id: objectIdSchema },
  answers: { 200: { description: 'type, content and metadata', schema: z.looseObject({ type: z.enum(TYPES) }) } },
  handle: async ({ entries, params: { id }, signal }) => jsonAnswer(await entries.objects.get(id, { signal })),
});

export const getBlob = route({
  method: 'get',
  path: '/blobs/{id}',
  about: 'entries',
  verb: 'read',
  summary: 'The bytes of a blob',
  params: { id: objectIdSchema },
  answers: { 200: { description: 'the bytes', mediaType: 'application/octet-stream' } },
  handle: (call) => {
    const { entries, params, signal, readAheadBytes } = call;
    const headers = new Headers({ 'content-type': 'application/octet-stream', etag: `"${params.id}"` });
    return sendStream(call, entries.objects.readBlob(params.id, { signal, readAheadBytes }), { headers });
  },
});

export const putBlob = route({
  method: 'post',
  path: '/blobs',
  about: 'entries',
  verb: 'write',
  summary: 'Store a blob',
  body: '*/*',
  answers: put,
  async handle(call) {
    const body = openBody(call, call.settings.limits.bodyBytesMax);
    return answerPut(await call.entries.objects.putBlob(body, { signal: call.signal }));
  },
});

export const putObject = route({
  method: 'post',
  path: '/objects',
  about: 'entries',
  verb: 'write',
  summary: 'Store a bundle, tree, snapshot, or blob with metadata; what it refers to is put before it',
  json: z.looseObject({ type: z.enum(TYPES), content: z.looseObject({}), metadata: z.looseObject({}).optional() }),
  answers: put,
  // The library checks every shape, and says what is wrong with it.
  handle: async ({ entries, json, signal }) =>
    answerPut(await entries.objects.put(json as StructuredObject, { signal })),
});

export const findObject = route({
  method: 'get',
  path: '/find',
  about: 'entries',
  verb: 'read',
  summary: 'What an address names: an id, a ref, a path in a snapshot, steps back',
  query: { address: addressSchema },
  answers: { 200: { description: 'what was found', schema: z.looseObject({}) } },
  handle: async ({ entries, query: { address }, signal }) =>
    jsonAnswer(await entries.objects.find(address, { signal })),
});

export const explainObject = route({
  method: 'get',
  path: '/explain',
  about: 'entries',
  verb: 'read',
  summary: 'Why an object is kept: the refs, and moves of refs, that lead to it',
  query: { address: addressSchema },
  answers: {
    200: {
      description: 'each with the way to it',
      schema: z.looseObject({ lifelines: z.array(z.looseObject({})), lifelineCount: z.int() }),
    },
  },
  async handle({ entries, query: { address }, signal }) {
    const { reference } = await entries.objects.find(address, { signal });
    return jsonAnswer(await entries.objects.explain(reference.id, { signal }));
  },
});
