/** Routes, as a router and as an OpenAPI document. */
import { createRequire } from 'node:module';
import { OpenAPIHono } from '@hono/zod-openapi';
import { storeError } from '../errors/store-error.ts';
import { jsonAnswer } from './http/json-answer.ts';
import { problemAnswer } from './http/problem.ts';
import { requestPath } from './http/request-path.ts';
import { referenceAnswer } from './reference-page.ts';
import { type Arrival, addRoute, type Route } from './route.ts';

/** Answers arrivals, also those that fail. */
export type App = OpenAPIHono<{ Bindings: Arrival }>;

const METHODS = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

const INFO = {
  title: 'Holdfast',
  description: 'A store over HTTP. Failures are problem details (RFC 9457) with the codes of the library.',
};

function documentOf(app: App, version: string) {
  return app.getOpenAPI31Document({ openapi: '3.1.0', info: { ...INFO, version } });
}

const failedOf = ({ signal, settings: { logger } }: Arrival) => ({ signal, logger });

/** What is answered where no route is: another method may have one. */
function answerUnknown(app: App, arrival: Arrival): Response {
  const path = requestPath(arrival.request);
  const allowed = METHODS.filter((method) => app.router.match(method, path)[0].length > 0);
  if (allowed.length === 0)
    return problemAnswer(storeError('ROUTE_NOT_FOUND', 'there is nothing at this path'), failedOf(arrival));
  const error = storeError('METHOD_UNSUPPORTED', `this path takes ${allowed.join(', ')}`);
  const answer = problemAnswer(error, failedOf(arrival));
  answer.headers.set('allow', [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : [])].join(', '));
  return answer;
}

export function buildApp(routes: readonly Route[]): App {
  const app: App = new OpenAPIHono<{ Bindings: Arrival }>({ getPath: requestPath });
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const route of routes) addRoute(app, route);
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  let document: ReturnType<typeof documentOf> | undefined;
  const once = (): ReturnType<typeof documentOf> => {
    document ??= documentOf(app, version);
    return document;
  };
  app.get('/openapi.json', () => jsonAnswer(once()));
  app.get('/reference', () => referenceAnswer(once()));
  app.notFound((c) => answerUnknown(app, c.env));
  app.onError((error, c) => problemAnswer(error, failedOf(c.env)));
  return app;
}
