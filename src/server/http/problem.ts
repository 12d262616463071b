/** From errors to answers: problem details of RFC 9457, and nothing in them that is for the people of the server alone. */
import type { ErrorCode, ErrorKind } from '../../errors/codes.ts';
import { type ErrorDetails, isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import type { Logger } from '../../index.ts';
import { randomId } from '../../runtime/random.ts';

/** What a problem tells, beside what RFC 9457 names. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Names this occurrence in the log of the server. */
  readonly instance?: string;
  readonly kind: ErrorKind;
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
  readonly details: ErrorDetails;
}

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  denied: 403,
  corrupt: 500,
  unavailable: 503,
  exhausted: 507,
  unsupported: 501,
  closed: 503,
  internal: 500,
};

const STATUS_OF_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  TOKEN_REQUIRED: 401,
  METHOD_UNSUPPORTED: 405,
  CLIENT_TOO_SLOW: 408,
  PRECONDITION_FAILED: 412,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  RANGE_INVALID: 416,
  CONDITION_REQUIRED: 428,
  REQUESTS_EXCEEDED: 429,
  TOKENS_INVALID: 503,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
};

/** Details that are about what the client said; the others name files, backends and packs of the server. */
const TOLD = new Set<keyof ErrorDetails>([
  'key',
  'parent',
  'digest',
  'object',
  'field',
  'expected',
  'actual',
  'offset',
  'length',
  'size',
  'count',
  'namespace',
]);

/** Kinds whose messages are about what the client said. */
const TOLD_KINDS = new Set<ErrorKind>(['invalid', 'not-found', 'conflict']);
/** Codes of other kinds whose messages are. */
const TOLD_CODES = new Set<ErrorCode>([
  'TOKEN_REQUIRED',
  'ACTION_FORBIDDEN',
  'STORE_NOT_SEALED',
  'METHOD_UNSUPPORTED',
  'MEDIA_TYPE_UNSUPPORTED',
  'BODY_TOO_LARGE',
  'REQUESTS_EXCEEDED',
  'JOB_HELD',
  'CLIENT_TOO_SLOW',
  'ENTRY_ISOLATED',
  'UPLOAD_CORRUPT',
]);

const DETAIL_OF_KIND: Readonly<Record<ErrorKind, string>> = {
  invalid: 'the request cannot be right',
  'not-found': 'there is nothing of this name',
  conflict: 'the store is not as the request expects',
  denied: 'the server may not do this',
  corrupt: 'what is stored is damaged; the server has been told, and nothing wrong was sent',
  unavailable: 'something that the store needs cannot be reached just now',
  exhausted: 'there is no space left for this',
  unsupported: 'the store cannot do this',
  closed: 'the server is stopping, or its store has to be opened again',
  internal: 'this is a fault of the server',
};

const RETRY_AFTER_SECONDS: Readonly<Record<number, string>> = { 429: '5', 503: '5' };

function isTold({ kind, code, details }: StoreError): boolean {
  if (code === 'TOKENS_INVALID') return false;
  const names = Object.keys(details) as (keyof ErrorDetails)[];
  return (TOLD_KINDS.has(kind) || TOLD_CODES.has(code)) && names.every((name) => TOLD.has(name));
}

function toldDetails(details: ErrorDetails): ErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([name]) => TOLD.has(name as keyof ErrorDetails)));
}

/** Arguments that the library refuses are what the client sent: they are told like any other invalid request. */
function known(error: unknown): StoreError | undefined {
  if (isStoreError(error)) return error;
  const { code, parameter, message } = error as { code?: unknown; parameter?: unknown; message?: unknown };
  if (code !== 'ARGUMENT_INVALID') return undefined;
  return storeError('REQUEST_INVALID', String(message), { details: { field: String(parameter) }, cause: error });
}

/** What is told of an error. */
export function problemOf(error: unknown): Problem {
  const found = known(error);
  const kind = found?.kind ?? 'internal';
  const status = (found && STATUS_OF_CODE[found.code]) ?? STATUS_OF_KIND[kind];
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail: found && isTold(found) ? found.message : DETAIL_OF_KIND[kind],
    ...(status >= 500 && { instance: `urn:uuid:${randomId()}` }),
    kind,
    code: found?.code ?? 'UNEXPECTED',
    retry: found?.retry ?? false,
    details: found ? toldDetails(found.details) : {},
  };
}

/** What an answer to a failure needs to know. */
interface Failed {
  /** Aborted when whoever asked is gone. */
  readonly signal: AbortSignal;
  readonly logger: Logger | undefined;
}

/** The answer to a request that failed. */
export function problemAnswer(error: unknown, { signal, logger }: Failed): Response {
  // Nobody reads this, and nothing went wrong here.
  if (signal.aborted) return new Response(null, { status: 400 });
  const problem = problemOf(error);
  const { status, code, instance } = problem;
  if (status >= 500) logger?.error(`a request failed: ${code}`, { instance, error });
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  const wait = RETRY_AFTER_SECONDS[status];
  if (wait !== undefined) headers.set('retry-after', wait);
  if (code === 'RANGE_INVALID' && problem.details.size !== undefined)
    headers.set('content-range', `bytes */${problem.details.size}`);
  if (status === 401) headers.set('www-authenticate', 'Bearer realm="holdfast"');
  // The rest of the body is not wanted, and the client should not go on sending it.
  if (status === 408 || status === 413) headers.set('connection', 'close');
  return new Response(`${JSON.stringify(problem)}\n`, { status, headers });
}
