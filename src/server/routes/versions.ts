/** What entries were. Their content is read like that of the present one: `GET /files/{key}?version=…`. */
import { z } from '@hono/zod-openapi';
import { SERVER_PAGE_MAX } from '../../limits.ts';
import { demandCondition } from '../http/conditions.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { route } from '../route.ts';
import { entrySchema, keySchema, versionIdSchema, versionSchema } from '../schemas.ts';

export const listVersions = route({
  method: 'get',
  path: '/versions/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'The versions of an entry, newest first, also of a deleted one',
  params: { key: keySchema },
  query: {
    limit: z.coerce
      .number<string>()
      .int()
      .min(1)
      .max(SERVER_PAGE_MAX)
      .optional()
      .describe(`default ${SERVER_PAGE_MAX}`),
  },
  answers: {
    200: { description: 'none for a key that never was', schema: z.object({ versions: z.array(versionSchema) }) },
  },
  async handle({ entries, params, query, signal }) {
    const { limit = SERVER_PAGE_MAX } = query;
    return jsonAnswer({ versions: await Array.fromAsync(entries.versions.list(params.key, { limit, signal })) });
  },
});

export const restoreVersion = route({
  method: 'post',
  path: '/restore',
  about: 'entries',
  verb: 'write',
  summary: 'Put an earlier version as the newest one; no bytes move',
  json: z.strictObject({
    key: keySchema,
    version: z.string().describe('its id, or the beginning of that'),
    ifMatch: versionIdSchema.optional().describe('replace this version only'),
  }),
  answers: { 200: { description: 'the entry as it is now', schema: entrySchema } },
  async handle({ entries, settings, json: { key, version, ifMatch }, signal }) {
    demandCondition(settings, ifMatch !== undefined, key);
    const options = { signal, ...(ifMatch !== undefined && { ifMatch }) };
    return jsonAnswer(await entries.versions.restore(key, { version }, options));
  },
});

export const forgetVersions = route({
  method: 'post',
  path: '/forget',
  about: 'entries',
  verb: 'write',
  summary: 'Forget earlier versions of an entry for good',
  json: z.strictObject({
    key: keySchema,
    numbers: z.array(z.int().min(1)).min(1).max(SERVER_PAGE_MAX),
    dryRun: z.boolean().optional().describe('only say what would be forgotten'),
  }),
  answers: {
    200: {
      description: 'what was forgotten',
      schema: z.object({
        key: z.string(),
        numbers: z.array(z.int()),
        bytes: z.int(),
        kept: z.int(),
        dryRun: z.boolean(),
      }),
    },
  },
  async handle({ entries, json: { key, numbers, dryRun = false }, signal }) {
    return jsonAnswer(await entries.versions.forget(key, { numbers }, { dryRun, signal }));
  },
});
