/** Content: stored, sent and deleted. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import type { PutResult } from '../../index.ts';
import { openBody } from '../http/body.ts';
import { demandCondition, formatTag, hasWriteCondition, writeConditions } from '../http/conditions.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { encodeKeyPath } from '../http/request-path.ts';
import { putContent, statIfAny, storedAnswer } from '../put-content.ts';
import { type Call, route } from '../route.ts';
import { keySchema, storedSchema } from '../schemas.ts';
import { formStoredSchema, isForm, storeForm } from './form.ts';

const PUT_HEADERS = {
  'content-type': 'kept with the entry',
  'holdfast-attributes': 'kept with the entry: name=value&other=value, encoded like a form',
  'content-digest': 'the body must have this digest: sha-256=:<base64>:, sha-512 or blake3',
  'if-match': 'replace this version only: its ETag, or * for whatever is there',
  'if-none-match': '* to create and replace nothing',
};

/** The address of an entry, beside that of the request: below the same namespace. */
function locationOf({ request }: Call, key: string): string {
  const { pathname } = new URL(request.url);
  return `${pathname.slice(0, pathname.indexOf('/files'))}/files/${encodeKeyPath(key)}`;
}

/** Digests of the chunks of a version, unless it was replaced meanwhile. */
async function digestsOf(call: Call, { key, version }: PutResult): Promise<readonly string[] | undefined> {
  const digests: string[] = [];
  for await (const { digest } of call.entries.chunks(key, { signal: call.signal })) digests.push(digest);
  return (await statIfAny(call, key))?.version === version ? digests : undefined;
}

/** @param key `null` to name the entry by its digest */
async function store(call: Call, key: string | null, wantsDigests: boolean): Promise<Response> {
  const { request, settings, signal } = call;
  if (isForm(request)) {
    if (request.method === 'POST') return storeForm(call, key ?? '');
    throw storeError('MEDIA_TYPE_UNSUPPORTED', 'PUT takes the content itself; forms are taken by POST');
  }
  const body = openBody(call, settings.limits.bodyBytesMax);
  const result = await putContent(call, key, { headers: request.headers, body, signal });
  const digests = wantsDigests ? await digestsOf(call, result) : undefined;
  const headers = { location: locationOf(call, result.key), etag: formatTag(result.version) };
  return storedAnswer(result, { digests, headers });
}

const storing = {
  about: 'entries',
  verb: 'put',
  query: { digests: z.enum(['true', 'false']).optional().describe('also tell the digests of the chunks') },
  headers: PUT_HEADERS,
  body: '*/*',
  answers: { 201: { description: 'stored, durably: a new version is there', schema: storedSchema } },
} as const;

const DESCRIPTION = `The body is the content, as it is. Nothing of it is visible before all of it has come, is as its head
promises, and is durable. A token that may only put replaces nothing.`;

const FORMS = `Of multipart/form-data every file becomes an entry, all of them in one commit: under its name behind the path where that
ends with a slash or has no key, else the only one under the key.`;

const postAnswers = {
  201: { description: storing.answers[201].description, schema: z.union([storedSchema, formStoredSchema]) },
};

export const putFile = route({
  ...storing,
  method: 'put',
  path: '/files/{key}',
  summary: 'Store content under a key',
  description: DESCRIPTION,
  params: { key: keySchema },
  handle: (call) => store(call, call.params.key, call.query.digests === 'true'),
});

export const postFile = route({
  ...storing,
  method: 'post',
  path: '/files/{key}',
  summary: 'Store content under a key, like PUT, or the files of a form',
  description: `${DESCRIPTION} ${FORMS}`,
  answers: postAnswers,
  params: { key: keySchema },
  handle: (call) => store(call, call.params.key, call.query.digests === 'true'),
});

export const postContent = route({
  ...storing,
  method: 'post',
  path: '/files',
  summary: 'Store content under its digest, or the files of a form under their names',
  description: `${DESCRIPTION} ${FORMS}`,
  answers: postAnswers,
  handle: (call) => store(call, null, call.query.digests === 'true'),
});

export const deleteFile = route({
  method: 'delete',
  path: '/files/{key}',
  about: 'entries',
  verb: 'write',
  summary: 'Delete an entry',
  params: { key: keySchema },
  query: {
    children: z.enum(['release', 'delete']).optional().describe('what becomes of those beneath it; default: it stays'),
  },
  headers: { 'if-match': 'delete this version only: its ETag' },
  answers: { 200: { description: 'it is gone', schema: z.object({ deleted: z.string() }) } },
  async handle(call) {
    const { request, settings, signal, params, query } = call;
    const { key } = params;
    const isConditional = hasWriteCondition(request.headers);
    demandCondition(settings, isConditional, key);
    const current = isConditional ? await statIfAny(call, key) : undefined;
    if (isConditional) writeConditions(request.headers, current);
    const pinned = current && { ifMatch: current.version };
    const beneath = query.children && { children: query.children };
    if (await call.entries.delete(key, { ...pinned, ...beneath, signal })) return jsonAnswer({ deleted: key });
    throw storeError('ENTRY_NOT_FOUND', `no entry ${JSON.stringify(key)}`, { details: { key } });
  },
});
