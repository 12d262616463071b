/** How a route is said: once, for the router, for the checks of what comes, and for the OpenAPI document. */
import { type OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { type Entries, parseJsonStrict, type Store } from '../index.ts';
import { SERVER_JSON_BYTES_MAX } from '../limits.ts';
import type { Caller } from './access/access.ts';
import { authorize, DEFAULT_NAMESPACE, type Grant, namespaceNotFound, type Verb } from './access/grant.ts';
import { type BodySource, readBody } from './http/body.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { BodyBudget, HeldBytes } from './limits/body-budget.ts';
import type { ServerMetrics } from './metrics.ts';
import type { SpaceHistory } from './space-history.ts';
import type { UploadSpool } from './uploads/upload-spool.ts';

type Fields = Readonly<Record<string, z.ZodType>>;
type Values<F extends Fields> = { readonly [name in keyof F]: z.output<F[name]> };

/** A request that came past every check that its route names. */
export interface Call<P extends Fields = Fields, Q extends Fields = Fields, B = unknown> extends BodySource {
  readonly store: Store;
  /** Of this server. */
  readonly metrics: ServerMetrics;
  readonly jobs: Jobs;
  readonly history: SpaceHistory;
  /** Absent where there is no folder for them. */
  readonly uploads: UploadSpool | undefined;
  /** Under which name the caller is told of. */
  readonly callerName: string;
  /** Those the path is about; of `store` routes those outside of every namespace. */
  readonly entries: Entries;
  /** Of `entries`: its name, or `default`. */
  readonly namespace: string;
  readonly grant: Grant | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly params: Values<P>;
  readonly query: Values<Q>;
  readonly json: B;
  /** Bytes that the answer may fetch ahead of its client. */
  readonly readAheadBytes: number;
  /** Takes over saying when the request is answered, as an answer does that goes on after it was returned. */
  keepOpen(): () => void;
}

/** What may be answered. */
export interface AnswerSpec {
  readonly description: string;
  /** Of a body that is JSON. */
  readonly schema?: z.ZodType;
  /** Of any other body; several where it is one of them. */
  readonly mediaType?: string | readonly string[];
}

export interface RouteSpec<P extends Fields, Q extends Fields, B> {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete' | 'options';
  readonly path: string;
  /** `entries`: below `/namespaces/{namespace}` too; `store`: the store as a whole; `open`: for everybody. */
  readonly about: 'entries' | 'store' | 'open';
  readonly verb: Verb;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  /** Headers that mean something, with what they mean: for the document; routes read them themselves. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a body that is JSON, and read and checked before. */
  readonly json?: z.ZodType<B>;
  /** Of any other body. */
  readonly body?: string;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  handle(call: Call<P, Q, B>): Promise<Response> | Response;
}

/** What a request brings before its route is known. */
export interface Arrival extends BodySource {
  readonly store: Store;
  readonly metrics: ServerMetrics;
  readonly jobs: Jobs;
  readonly history: SpaceHistory;
  readonly uploads: UploadSpool | undefined;
  readonly bodies: BodyBudget;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** As of a `Call`. */
  readonly readAheadBytes: number;
  keepOpen(): () => void;
}

/** A route, whatever its parameters are. */
export interface Route {
  readonly spec: Omit<RouteSpec<Fields, Fields, unknown>, 'handle'>;
  answer(arrival: Arrival, params: Readonly<Record<string, string>>): Promise<Response>;
}

/** What the paths of entries in a namespace begin with. */
const SCOPE = '/namespaces/{namespace}';
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = [where, ...(issue?.path ?? [])].join('.');
  throw storeError('REQUEST_INVALID', `${field}: ${issue?.message}`, { details: { field }, cause: result.error });
}

/** Parameters of a query; one that stands twice is a list. */
function queryOf(url: string): Record<string, string | string[]> {
  const grouped = Map.groupBy(new URL(url).searchParams, ([name]) => name);
  const values = [...grouped].map(([name, pairs]) => [name, pairs.map(([, value]) => value)] as const);
  return Object.fromEntries(values.map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]));
}

interface JsonOptions<B> {
  readonly schema: z.ZodType<B>;
  readonly held: HeldBytes;
}

async function readJson<B>(source: BodySource, { schema, held }: JsonOptions<B>): Promise<B> {
  if (!JSON_TYPE.test(source.request.headers.get('content-type') ?? ''))
    throw storeError('MEDIA_TYPE_UNSUPPORTED', 'the body must be application/json');
  const bytes = await readBody(source, { bytesMax: SERVER_JSON_BYTES_MAX, held });
  try {
    return check(schema, parseJsonStrict(bytes), 'body');
  } catch (cause) {
    if (!isStoreError(cause, 'OBJECT_INVALID')) throw cause;
    throw storeError('REQUEST_INVALID', `body: ${cause.message}`, { details: { field: 'body' }, cause });
  }
}

function entriesOf(store: Store, namespace: string): Entries {
  if (namespace === DEFAULT_NAMESPACE) return store;
  if (!store.sealed) throw namespaceNotFound(namespace);
  return store.namespace(namespace);
}

/** Makes a route of what is said of it. */
export function route<P extends Fields, Q extends Fields, B>(spec: RouteSpec<P, Q, B>): Route {
  const params = z.object(spec.params ?? {});
  const query = z.strictObject(spec.query ?? {});
  return {
    spec,
    async answer({ caller, bodies, ...arrival }, found) {
      const { namespace = DEFAULT_NAMESPACE } = found;
      if (spec.about !== 'open')
        authorize(caller.grant, { verb: spec.verb, ...(spec.about === 'entries' && { namespace }) });
      using held = bodies.open(caller.name);
      return await spec.handle({
        ...arrival,
        entries: entriesOf(arrival.store, namespace),
        namespace,
        grant: caller.grant,
        callerName: caller.name,
        params: check(params, found, 'path') as Values<P>,
        query: check(query, queryOf(arrival.request.url), 'query') as Values<Q>,
        json: spec.json ? await readJson(arrival, { schema: spec.json, held }) : (undefined as B),
      });
    },
  };
}

/** Where a route is found. */
export function pathsOf({ about, path }: Route['spec']): readonly string[] {
  return about === 'entries' && !path.startsWith(SCOPE) ? [path, `${SCOPE}${path}`] : [path];
}

const PROBLEM: AnswerSpec = { description: 'what is wrong, as RFC 9457 has it', mediaType: 'application/problem+json' };

function toAnswers(answers: Route['spec']['answers']): RouteConfig['responses'] {
  return Object.fromEntries(
    Object.entries({ ...answers, default: PROBLEM }).map(([status, { description, schema, mediaType }]) => {
      if (schema) return [status, { description, content: { 'application/json': { schema } } }];
      const types = mediaType === undefined ? [] : [mediaType].flat();
      if (types.length === 0) return [status, { description }];
      return [status, { description, content: Object.fromEntries(types.map((type) => [type, { schema: z.any() }])) }];
    }),
  );
}

function toBody({ json, body }: Route['spec']): object {
  if (json) return { body: { required: true, content: { 'application/json': { schema: json } } } };
  if (body) return { body: { required: true, content: { [body]: { schema: z.any() } } } };
  return {};
}

/** Adds a route to the router and to the document. @param run what becomes of a request for it */
export function addRoute(app: OpenAPIHono<{ Bindings: Arrival }>, { spec, answer }: Route): void {
  const { method, summary, description, about, verb, headers = {} } = spec;
  for (const path of pathsOf(spec)) {
    const isScoped = path.startsWith(SCOPE);
    const params = { ...spec.params, ...(isScoped && { namespace: z.string().describe('its name') }) };
    const fields = Object.entries(headers).map(([name, means]) => [name, z.string().optional().describe(means)]);
    app.openAPIRegistry.registerPath({
      method,
      path,
      summary,
      ...(description !== undefined && { description }),
      tags: [isScoped ? 'namespaces' : (path.split('/')[1] ?? '')],
      // Clients on the same machine may need none.
      security: about === 'open' ? [] : [{ token: [verb] }, {}],
      request: {
        params: z.object(params),
        query: z.object(spec.query ?? {}),
        headers: z.object(Object.fromEntries(fields)),
        ...toBody(spec),
      },
      responses: toAnswers(spec.answers),
    });
    app.on(method, path.replaceAll(/\{(.+?)\}/g, ':$1'), (c) => answer(c.env, c.req.param()));
  }
}
