/** Mutable names of objects. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import type { RefInfo } from '../../index.ts';
import { given } from '../given.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { sendLines } from '../http/stream-answer.ts';
import { route } from '../route.ts';
import { LINES, objectIdSchema } from '../schemas.ts';

const nameSchema = z.string().min(1).describe('its name; slashes need no encoding');
const expected = objectIdSchema.nullable().optional().describe('what it names now, null for nothing; else 412');
const refSchema = z.looseObject({ name: z.string(), id: z.string(), type: z.string(), moved: z.string() });

function notFound(name: string): Error {
  return storeError('REF_NOT_FOUND', `no ref ${JSON.stringify(name)}`, { details: { key: name } });
}

export const listRefs = route({
  method: 'get',
  path: '/refs',
  about: 'entries',
  verb: 'read',
  summary: 'List refs',
  query: { prefix: z.string().optional() },
  answers: { 200: { description: 'a ref a line', mediaType: LINES } },
  handle: (call) => sendLines(call, call.entries.refs.list({ ...given(call.query), signal: call.signal })),
});

export const getRef = route({
  method: 'get',
  path: '/refs/{name}',
  about: 'entries',
  verb: 'read',
  summary: 'What a ref names',
  params: { name: nameSchema },
  answers: { 200: { description: 'the ref', schema: refSchema } },
  async handle({ entries, params: { name }, signal }) {
    const ref: RefInfo | undefined = await entries.refs.get(name, { signal });
    if (ref === undefined) throw notFound(name);
    return jsonAnswer(ref);
  },
});

export const setRef = route({
  method: 'put',
  path: '/refs/{name}',
  about: 'entries',
  verb: 'write',
  summary: 'Move a ref; of two who expect the same, one wins',
  params: { name: nameSchema },
  json: z.strictObject({ id: objectIdSchema, expected, message: z.string().optional() }),
  answers: { 200: { description: 'the ref', schema: refSchema } },
  handle: async ({ entries, params, json: { id, ...options }, signal }) =>
    jsonAnswer(await entries.refs.set(params.name, id, { ...given(options), signal })),
});

export const deleteRef = route({
  method: 'delete',
  path: '/refs/{name}',
  about: 'entries',
  verb: 'write',
  summary: 'Delete a ref; what only it kept is garbage then',
  params: { name: nameSchema },
  query: { expected: objectIdSchema.optional().describe('what it names now; else 412') },
  answers: { 200: { description: 'it is gone', schema: z.object({ deleted: z.string() }) } },
  async handle({ entries, params: { name }, query, signal }) {
    if (await entries.refs.delete(name, { ...given(query), signal })) return jsonAnswer({ deleted: name });
    throw notFound(name);
  },
});

export const refHistory = route({
  method: 'get',
  path: '/ref-history/{name}',
  about: 'entries',
  verb: 'read',
  summary: 'What a ref named before, newest first',
  params: { name: nameSchema },
  answers: { 200: { description: 'a move a line', mediaType: LINES } },
  handle: (call) => sendLines(call, call.entries.refs.history(call.params.name, { signal: call.signal })),
});
