/** Which entries there are. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import { type EntryInfo, parseJsonStrict } from '../../index.ts';
import { SERVER_PAGE_MAX } from '../../limits.ts';
import { foldedList, searchedList } from '../fold-list.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { route } from '../route.ts';
import { entrySchema, keySchema } from '../schemas.ts';

const placeSchema = z.strictObject({ key: z.string(), modified: z.iso.datetime(), size: z.int().min(0) });

/** Where a page ended, for the next one; clients pass it on and do not look inside. */
function formatPlace({ key, modified, size }: z.infer<typeof placeSchema>): string {
  return Buffer.from(JSON.stringify({ key, modified, size })).toString('base64url');
}

function parsePlace(text: string): EntryInfo {
  try {
    // Only these three are looked at to go on from an entry.
    return placeSchema.parse(parseJsonStrict(Buffer.from(text, 'base64url'))) as EntryInfo;
  } catch (cause) {
    throw storeError('REQUEST_INVALID', 'query.after is not what a page gave as next', {
      details: { field: 'query.after' },
      cause,
    });
  }
}

const parseAttribute = (text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw storeError('REQUEST_INVALID', 'query.attribute must be name=value', { details: { field: 'query.attribute' } });
};

const oneOrMore = z.union([z.string(), z.array(z.string())]);

export const listFiles = route({
  method: 'get',
  path: '/files',
  about: 'entries',
  verb: 'read',
  summary: 'List entries, page by page',
  description: `Pages are told apart by \`next\`, which goes into \`after\`. With a delimiter, keys that have it after the prefix are
told once, as a common beginning in \`prefixes\`.`,
  query: {
    prefix: z.string().optional().describe('only keys that begin so'),
    delimiter: z.string().min(1).optional().describe('such as /; only when sorted by key, ascending'),
    search: z.string().min(1).optional().describe('only keys that hold this, whatever the case; without a delimiter'),
    after: z.string().optional().describe('next of the page before'),
    limit: z.coerce
      .number<string>()
      .int()
      .min(1)
      .max(SERVER_PAGE_MAX)
      .optional()
      .describe(`default ${SERVER_PAGE_MAX}`),
    sort: z.enum(['key', 'modified', 'size']).optional().describe('default key, in byte order'),
    order: z.enum(['ascending', 'descending']).optional(),
    contentType: z.string().optional(),
    attribute: oneOrMore.optional().describe('name=value; may be said several times'),
    modifiedFrom: z.iso.datetime({ offset: true }).optional(),
    modifiedBefore: z.iso.datetime({ offset: true }).optional(),
  },
  answers: {
    200: {
      description: 'a page',
      schema: z.object({ entries: z.array(entrySchema), prefixes: z.array(z.string()), next: z.string().optional() }),
    },
  },
  async handle({ entries, query, signal }) {
    const { prefix = '', delimiter, search, limit = SERVER_PAGE_MAX, sort = 'key', order, contentType } = query;
    const { modifiedFrom, modifiedBefore } = query;
    if (delimiter !== undefined && (sort !== 'key' || order === 'descending' || search !== undefined))
      throw storeError('REQUEST_INVALID', 'a delimiter needs the order by key, ascending, and no search', {
        details: { field: 'query.delimiter' },
      });
    const attributes =
      query.attribute === undefined ? undefined : Object.fromEntries([query.attribute].flat().map(parseAttribute));
    const where = {
      ...(contentType !== undefined && { contentType }),
      ...(attributes && { attributes }),
      ...(modifiedFrom !== undefined && { modifiedFrom }),
      ...(modifiedBefore !== undefined && { modifiedBefore }),
    };
    const asked = {
      ...{ prefix, limit, sort, where, signal },
      descending: order === 'descending',
      after: query.after === undefined ? undefined : parsePlace(query.after),
    };
    const { next, ...told } =
      search === undefined
        ? await foldedList(entries, { ...asked, delimiter })
        : await searchedList(entries, { ...asked, search });
    return jsonAnswer({ ...told, ...(next && { next: formatPlace(next) }) });
  },
});

export const statFile = route({
  method: 'get',
  path: '/stat/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'What is known of an entry, without its content',
  params: { key: keySchema },
  query: { placement: z.enum(['true', 'false']).optional().describe('also the weakest stripe that it stands on') },
  answers: { 200: { description: 'the entry', schema: entrySchema } },
  async handle({ entries, params, query, signal }) {
    return jsonAnswer(await entries.stat(params.key, { signal, placement: query.placement === 'true' }));
  },
});
