/** Trees of entries. */
import { z } from '@hono/zod-openapi';
import { given } from '../given.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { sendLines } from '../http/stream-answer.ts';
import { route } from '../route.ts';
import { keySchema, LINES } from '../schemas.ts';

const count = z.coerce.number<string>().int().min(1).optional();
const familySchema = z.object({
  key: z.string(),
  parent: z.string().nullable(),
  children: z.int(),
  descendants: z.int(),
});
const relatedLines = {
  200: { description: 'an entry a line, with its parent and how many children it has', mediaType: LINES },
};

export const getRelations = route({
  method: 'get',
  path: '/relations/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'The parent of an entry, and how many are beneath it',
  params: { key: keySchema },
  answers: { 200: { description: 'its family', schema: familySchema } },
  async handle({ entries, params: { key }, signal }) {
    const counts = await entries.relations.counts(key, { signal });
    return jsonAnswer({ key, parent: (await entries.relations.parent(key, { signal })) ?? null, ...counts });
  },
});

export const setParent = route({
  method: 'put',
  path: '/relations/{key}',
  about: 'entries',
  verb: 'write',
  summary: 'Give an entry a parent',
  params: { key: keySchema },
  json: z.strictObject({ parent: keySchema.nullable().describe('null: it has none any more') }),
  answers: { 200: { description: 'done', schema: z.object({ key: z.string(), parent: z.string().nullable() }) } },
  async handle({ entries, params: { key }, json: { parent }, signal }) {
    if (parent === null) await entries.relations.remove(key, { signal });
    else await entries.relations.set(key, parent, { signal });
    return jsonAnswer({ key, parent });
  },
});

export const listChildren = route({
  method: 'get',
  path: '/children/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'The children of an entry',
  params: { key: keySchema },
  query: { after: z.string().optional().describe('only those after this key'), limit: count },
  answers: relatedLines,
  handle: (call) =>
    sendLines(call, call.entries.relations.children(call.params.key, { ...given(call.query), signal: call.signal })),
});

export const listDescendants = route({
  method: 'get',
  path: '/descendants/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'All that is beneath an entry',
  params: { key: keySchema },
  query: { depth: count, limit: count },
  answers: relatedLines,
  handle: (call) =>
    sendLines(call, call.entries.relations.descendants(call.params.key, { ...given(call.query), signal: call.signal })),
});

export const listAncestors = route({
  method: 'get',
  path: '/ancestors/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'The parent of an entry, its parent, and so on',
  params: { key: keySchema },
  answers: relatedLines,
  handle: (call) => sendLines(call, call.entries.relations.ancestors(call.params.key, { signal: call.signal })),
});

export const listRoots = route({
  method: 'get',
  path: '/roots',
  about: 'entries',
  verb: 'read',
  summary: 'Entries without a parent',
  query: {
    prefix: z.string().optional(),
    parents: z.enum(['true', 'false']).optional().describe('only those that have children'),
  },
  answers: relatedLines,
  handle({ entries, query, signal, ...call }) {
    const parents = query.parents === undefined ? undefined : query.parents === 'true';
    return sendLines(call, entries.relations.roots({ ...given({ prefix: query.prefix, parents }), signal }));
  },
});
