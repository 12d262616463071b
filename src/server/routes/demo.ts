/** Disks that are there to be broken. Only a demonstration has these routes. */
import { z } from '@hono/zod-openapi';
import type { BreakableBackends } from '../demo/breakable-backends.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { type Route, route } from '../route.ts';

const answers = {
  200: {
    description: 'the backends as they are now',
    schema: z.object({ backends: z.array(z.object({ name: z.string(), broken: z.boolean() })) }),
  },
};
const params = { name: z.string().describe('of the backend') };
const ofDemo = { about: 'store', verb: 'admin', answers } as const;

/** The routes of a demonstration of these backends. */
export function demoRoutes(backends: BreakableBackends): readonly Route[] {
  const told = (): Response => jsonAnswer({ backends: backends.list() });
  const acting = (summary: string, action: 'break' | 'mend'): Route =>
    route({
      ...ofDemo,
      method: 'post',
      path: `/demo/backends/{name}/${action}`,
      summary,
      params,
      async handle({ params: { name } }) {
        await backends[action](name);
        return told();
      },
    });
  return [
    route({ ...ofDemo, method: 'get', path: '/demo', summary: 'The backends that may be broken', handle: told }),
    acting('Lose a backend, with all that is on it', 'break'),
    acting('Put an empty backend in the place of a broken one; a repair makes its shards anew', 'mend'),
  ];
}
