/**
 * Requests made of the OpenAPI document that the server gives: good ones, such as are at the borders, and broken ones. Each
 * answer must be one that the document tells of, and what the document forbids must be refused.
 */
import { ok } from 'node:assert/strict';
import { ERROR_CODES } from '../../src/errors/codes.ts';
import { makeTemporaryFolder, seededRandom } from '../../src/testing/index.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { type ServedStore, serveStore } from '../support/served-store.ts';
import { faultOf, type Operation, operationsOf, type Parameter } from './document.ts';
import { Values } from './document-values.ts';

/** What a round came to. */
export interface DocumentFigures {
  requests: number;
  readonly operations: Set<string>;
  /** Answers below 400; those to requests that the document forbids, each of which is refused. */
  accepted: number;
  forbidden: number;
}

export const noDocumentFigures = (): DocumentFigures => ({
  ...{ requests: 0, operations: new Set(), accepted: 0, forbidden: 0 },
});

/** Kinds of problems of 500 and above that are no fault of the server. */
const BEARABLE: ReadonlySet<string> = new Set(['unsupported', 'unavailable', 'exhausted']);
const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';
const STREAM_TYPE = 'text/event-stream';

interface Made {
  readonly operation: Operation;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** What the document forbids about it. */
  readonly fault?: string | undefined;
}

/** @throws at the first thing that is wrong, with the seed, the number and the request */
export async function runDocumentRound(seed: number, requests: number, figures: DocumentFigures): Promise<void> {
  const folder = await makeTemporaryFolder();
  try {
    await using served = await serveStore({ create: { keys: { key: STORE_KEY } }, uploads: { folder: folder.path } });
    await furnish(served);
    const operations = operationsOf(await served.json('/openapi.json'));
    const values = new Values(seededRandom(seed));
    const secrets = [folder.path, 'node_modules', '\\n    at ', Buffer.from(STORE_KEY).toString('hex')];
    const judge = new Judge({ served, values, secrets, figures });
    for (let number = 0; number < requests; number += 1) {
      const made = makeRequest(values.pick(operations), values);
      await judge.judge(made).catch((cause: unknown) => {
        throw new Error(`request ${number} of a round of seed ${seed}: ${describeRequest(made)}`, { cause });
      });
    }
    const logged = JSON.stringify(served.logged);
    ok(!logged.includes('UNEXPECTED'), logged);
  } finally {
    await folder.remove();
  }
}

function describeRequest({ operation: { method }, path, headers, body, fault }: Made): string {
  return JSON.stringify({ method, path, headers, body: body?.toString().slice(0, 2000), fault });
}

/** Something of each kind, so that what is asked for is there now and then. */
async function furnish({ store }: ServedStore): Promise<void> {
  await store.versions.setPolicy({ last: 5 });
  for (const text of ['one', 'two']) await store.put('docs/a.txt', text, { contentType: 'text/plain' });
  await store.put('a', 'content', { attributes: { author: 'Ann' } });
  await store.snapshots.create({ prefix: '' }, { ref: 'all' });
  await store.namespaces.create('tenant');
  await store.namespace('tenant').put('a', 'of the tenant');
}

function parameterOf(
  parameter: Parameter,
  values: Values,
): { readonly texts: readonly string[]; readonly fault?: string } {
  const { name, schema, in: place, required = place === 'path' } = parameter;
  if (!required && !values.oneIn(3)) return { texts: [] };
  if (place === 'header') return { texts: [values.header(name)] };
  const forbidden = values.oneIn(6) ? values.forbidden(parameter) : undefined;
  if (forbidden !== undefined) return { texts: [forbidden], fault: `${name}: ${forbidden}` };
  if (required && place === 'query' && values.oneIn(10)) return { texts: [], fault: `no ${name}` };
  const texts = [values.value(schema, name)].flat().map((one) => (one === null ? '0' : String(one)));
  return { texts };
}

function makeRequest(operation: Operation, values: Values): Made {
  let { path } = operation;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  let fault: string | undefined;
  for (const parameter of operation.parameters) {
    const { texts, fault: found } = parameterOf(parameter, values);
    fault ??= found;
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(texts[0] ?? '0'));
    else if (parameter.in === 'header') for (const text of texts) headers[parameter.name] = text;
    else for (const text of texts) query.append(parameter.name, text);
  }
  const { body, fault: wrong } = bodyOf(operation, values, headers);
  const url = query.size > 0 ? `${path}?${query}` : path;
  return { operation, path: url, headers, ...(body !== undefined && { body }), fault: fault ?? wrong };
}

function bodyOf({ body }: Operation, values: Values, headers: Record<string, string>): Pick<Made, 'body' | 'fault'> {
  if (body === undefined) return {};
  if (body.mediaType !== JSON_TYPE) {
    if (body.mediaType !== '*/*') headers['content-type'] = body.mediaType;
    return { body: values.random.bytes(values.pick([0, 1, 5, 2000])) };
  }
  headers['content-type'] = JSON_TYPE;
  if (values.oneIn(20))
    return { body: values.pick(['', '{', '[', 'null', '{"a":1,"a":2}', '"\\ud800"', '['.repeat(5000)]), fault: 'JSON' };
  const good = values.value(body.schema, 'body');
  const value = values.oneIn(3) ? values.changed(good) : good;
  return { body: JSON.stringify(value), fault: faultOf(body.schema, value) };
}

interface Judging {
  readonly served: ServedStore;
  readonly values: Values;
  readonly secrets: readonly string[];
  readonly figures: DocumentFigures;
}

class Judge {
  readonly #with: Judging;

  constructor(judging: Judging) {
    this.#with = judging;
  }

  async judge(made: Made): Promise<void> {
    const { served, figures } = this.#with;
    const { operation, path, headers, body } = made;
    const ending = new AbortController();
    const init = { method: operation.method, headers, signal: ending.signal, ...(body !== undefined && { body }) };
    const answer = await served.request(path, init as RequestInit);
    const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
    figures.requests += 1;
    figures.operations.add(`${operation.method} ${operation.path}`);
    if (made.fault !== undefined) figures.forbidden += 1;
    if (answer.status >= 400) return this.#problem(answer, { type, text: await answer.text() });
    ok(made.fault === undefined, `${answer.status}, and the document forbids ${made.fault}`);
    figures.accepted += 1;
    // A stream of events ends when nobody listens any more.
    if (type === STREAM_TYPE) ending.abort();
    this.#conform(made, answer, { type, text: type === STREAM_TYPE ? '' : await answer.text() });
  }

  #problem({ status }: Response, { type, text }: { readonly type: string; readonly text: string }): void {
    ok(type === PROBLEM_TYPE, `${status} is answered with ${type}: ${text.slice(0, 500)}`);
    const problem = JSON.parse(text) as { status: number; code: string; kind: string };
    ok(problem.status === status && Object.hasOwn(ERROR_CODES, problem.code), `no problem of ours: ${text}`);
    ok(status < 500 || BEARABLE.has(problem.kind), `${status}: ${text}`);
    const secret = this.#with.secrets.find((one) => text.includes(one));
    ok(secret === undefined, `the problem tells ${secret}: ${text}`);
  }

  #conform(
    { operation }: Made,
    answer: Response,
    { type, text }: { readonly type: string; readonly text: string },
  ): void {
    const told = operation.answers[`${answer.status}`];
    ok(told !== undefined, `the document does not tell of ${answer.status}`);
    const found = Object.entries(told).find(([name]) => name === '*/*' || name.split(';')[0] === type);
    ok(
      found !== undefined || (Object.keys(told).length === 0 && text === ''),
      `${answer.status} with ${type || 'no type'}`,
    );
    const location = answer.headers.get('location');
    if (operation.path.endsWith('/uploads') && location)
      this.#with.values.learnOne('upload', location.split('/').at(-1) ?? '');
    if (type !== JSON_TYPE || found?.[0] !== JSON_TYPE) return;
    const value: unknown = JSON.parse(text);
    const fault = faultOf(found[1], value);
    ok(fault === undefined, `${answer.status} with ${text.slice(0, 1000)}: ${fault}`);
    this.#with.values.learn(value);
  }
}
