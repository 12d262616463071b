/** What whoever asks may do: for clients that show only that. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import { VERBS } from '../access/grant.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { route } from '../route.ts';

export const tellAccess = route({
  method: 'get',
  path: '/access',
  about: 'open',
  verb: 'read',
  summary: 'What the caller may do here; 401 for nobody',
  answers: {
    200: {
      description: 'verbs, and namespaces where they are not all',
      schema: z.object({
        name: z.string(),
        verbs: z.array(z.enum(VERBS)),
        namespaces: z.array(z.string()).optional().describe('absent: all, and the store as a whole'),
        sealed: z.boolean().describe('whether there can be namespaces'),
        conditionalWrites: z.boolean().describe('whether replacing and deleting takes If-Match'),
        resumable: z.boolean().describe('whether resumable uploads are taken'),
        demo: z.boolean().describe('whether this is a demonstration, of which /demo tells more'),
      }),
    },
  },
  handle({ grant, store: { sealed }, settings }) {
    if (grant === undefined) throw storeError('TOKEN_REQUIRED', 'this needs a token: Authorization: Bearer <token>');
    const { name, verbs, namespaces } = grant;
    const { conditionalWrites, uploads, demo } = settings;
    const offered = { conditionalWrites, resumable: uploads !== undefined, demo };
    return jsonAnswer({ name, verbs, ...(namespaces && { namespaces }), sealed, ...offered });
  },
});
