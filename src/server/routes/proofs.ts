/** What entries are made of, and proofs of that. */
import { z } from '@hono/zod-openapi';
import { given } from '../given.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { sendLines } from '../http/stream-answer.ts';
import { route } from '../route.ts';
import { keySchema, LINES } from '../schemas.ts';

const position = z.coerce.number<string>().int().min(0).optional();

export const listChunks = route({
  method: 'get',
  path: '/chunks/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'The chunks of an entry, in order, as often as they occur',
  params: { key: keySchema },
  answers: { 200: { description: 'a chunk a line: index, offset, length, digest', mediaType: LINES } },
  handle: (call) => sendLines(call, call.entries.chunks(call.params.key, { signal: call.signal })),
});

export const proveRange = route({
  method: 'get',
  path: '/proofs/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'Prove a range of an entry against its root',
  description:
    'Anybody who has the root of the entry can check it, without the store: `verifyRangeProof`, `holdfast verify-proof`.',
  params: { key: keySchema },
  query: { offset: position.describe('default 0'), length: position.describe('default: up to the end') },
  answers: { 200: { description: 'the proof', schema: z.looseObject({}) } },
  handle: async ({ entries, params, query, signal }) =>
    jsonAnswer(await entries.prove(params.key, { ...given(query), signal })),
});
