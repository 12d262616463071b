/** Changes that move no bytes, and many changes at once. */
import { z } from '@hono/zod-openapi';
import type { BatchWriter } from '../../index.ts';
import { SERVER_BATCH_MAX } from '../../limits.ts';
import { given } from '../given.ts';
import { demandCondition } from '../http/conditions.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { route } from '../route.ts';
import { entrySchema, keySchema, versionIdSchema } from '../schemas.ts';

const moveSchema = z.strictObject({
  from: keySchema,
  to: keySchema,
  replace: z.boolean().optional().describe('replace what is there under the new key; default: 409'),
});

const moved = { 200: { description: 'the entry under its new key', schema: entrySchema } };

export const copyFile = route({
  method: 'post',
  path: '/copy',
  about: 'entries',
  verb: 'write',
  summary: 'Copy an entry; no bytes move',
  json: moveSchema,
  answers: moved,
  async handle({ entries, settings, json: { from, to, replace = false }, signal }) {
    demandCondition(settings, !replace, to);
    return jsonAnswer(await entries.copy(from, to, { replace, signal }));
  },
});

export const renameFile = route({
  method: 'post',
  path: '/rename',
  about: 'entries',
  verb: 'write',
  summary: 'Rename an entry; no bytes move',
  json: moveSchema,
  answers: moved,
  async handle({ entries, settings, json: { from, to, replace = false }, signal }) {
    demandCondition(settings, !replace, to);
    return jsonAnswer(await entries.rename(from, to, { replace, signal }));
  },
});

const putSchema = z
  .strictObject({
    op: z.literal('put'),
    key: keySchema,
    text: z.string().optional().describe('the content, stored as UTF-8; or'),
    base64: z.base64().optional().describe('the content'),
    contentType: z.string().optional(),
    attributes: z.record(z.string(), z.string()).optional(),
    ifMatch: versionIdSchema.optional(),
    ifAbsent: z.boolean().optional(),
  })
  .refine(({ text, base64 }) => (text === undefined) !== (base64 === undefined), 'has either text or base64');

const deleteSchema = z.strictObject({
  op: z.literal('delete'),
  key: keySchema,
  ifMatch: versionIdSchema.optional(),
  children: z.enum(['release', 'delete']).optional(),
});

const operationSchema = z.discriminatedUnion('op', [
  putSchema,
  deleteSchema,
  moveSchema.extend({ op: z.literal('rename') }),
  moveSchema.extend({ op: z.literal('copy') }),
]);

type Operation = z.infer<typeof operationSchema>;

/** What an operation replaces or deletes without a word of which version. */
function unconditional(operation: Operation): string | undefined {
  switch (operation.op) {
    case 'put':
      return operation.ifMatch === undefined && operation.ifAbsent !== true ? operation.key : undefined;
    case 'delete':
      return operation.ifMatch === undefined ? operation.key : undefined;
    default:
      return operation.replace === true ? operation.to : undefined;
  }
}

async function stage(batch: BatchWriter, operation: Operation): Promise<object> {
  switch (operation.op) {
    case 'put': {
      const { op, key, text, base64, ...options } = operation;
      const content = text ?? Buffer.from(base64 ?? '', 'base64');
      return { op, ...(await batch.put(key, content, given(options))) };
    }
    case 'delete': {
      const { op, key, ...options } = operation;
      batch.delete(key, given(options));
      return { op, key };
    }
    default: {
      const { op, from, to, replace } = operation;
      batch[op](from, to, given({ replace }));
      return { op, from, to };
    }
  }
}

export const batchFiles = route({
  method: 'post',
  path: '/batch',
  about: 'entries',
  verb: 'write',
  summary: 'Make several changes in one commit, or none of them',
  json: z.strictObject({ operations: z.array(operationSchema).min(1).max(SERVER_BATCH_MAX) }),
  answers: {
    200: {
      description: 'what was done, in the order asked',
      schema: z.object({ results: z.array(z.looseObject({ op: z.string() })) }),
    },
  },
  async handle({ entries, settings, json: { operations }, signal }) {
    for (const key of operations.map(unconditional)) demandCondition(settings, key === undefined, key ?? '');
    const results = await entries.batch(
      async (batch) => {
        const staged: object[] = [];
        for (const operation of operations) staged.push(await stage(batch, operation));
        return staged;
      },
      { signal },
    );
    return jsonAnswer({ results });
  },
});
