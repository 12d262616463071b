/**
 * Resumable uploads: the protocol is that of `@tus/server`, what it is spoken about is ours.
 * @see https://tus.io/protocols/resumable-upload (1.0.0)
 */
import { Server } from '@tus/server';
import type { ErrorCode } from '../../errors/codes.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { openBody } from '../http/body.ts';
import { formatTag } from '../http/conditions.ts';
import { problemAnswer } from '../http/problem.ts';
import { encodeKeyPath } from '../http/request-path.ts';
import type { Call } from '../route.ts';
import { CallUploads } from './call-uploads.ts';
import type { UploadOwner, UploadSpool } from './upload-spool.ts';

const VERSION = '1.0.0';
const BODY_TYPE = 'application/offset+octet-stream';

/** What the protocol's server refuses by itself, by the status that it gives that. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  404: 'UPLOAD_NOT_FOUND',
  409: 'UPLOAD_OFFSET_MISMATCH',
  410: 'UPLOAD_NOT_FOUND',
  412: 'PRECONDITION_FAILED',
  413: 'BODY_TOO_LARGE',
  501: 'CAPABILITY_UNSUPPORTED',
};

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  UPLOAD_NOT_FOUND: 'there is no such upload',
  UPLOAD_OFFSET_MISMATCH: 'the upload goes on elsewhere than at Upload-Offset: ask with HEAD',
  PRECONDITION_FAILED: `Tus-Resumable must be ${VERSION}`,
  BODY_TOO_LARGE: 'there is more than the length of the upload, or than the server takes',
};

interface TusError {
  readonly status_code?: number;
  readonly body?: string;
}

function refusal({ status_code: status = 500, body = '' }: TusError): Error {
  // The client is gone, or another request of it wants the upload.
  if (status === 400 && body.includes('aborted'))
    return storeError('REQUEST_INVALID', 'the body broke off', { details: { field: 'body' } });
  const code = CODES[status] ?? (status < 500 ? 'REQUEST_INVALID' : undefined);
  return code === undefined ? new Error(body) : storeError(code, MESSAGES[code] ?? body.trim());
}

/** Without a token whoever comes from here is one, by whatever address. */
function ownerOf({ callerName, grant, namespace }: Call): UploadOwner {
  const owner = callerName.startsWith('token ') ? callerName : (grant?.name ?? '');
  return { owner, namespace };
}

/** The path of all uploads, as the client called it: below the same namespace. */
function uploadsPath({ request }: Call): string {
  const { pathname } = new URL(request.url);
  return pathname.slice(0, pathname.lastIndexOf('/uploads'));
}

function protocolOf(call: Call, spool: UploadSpool, noted: { error?: unknown }, uploads: CallUploads): Server {
  const { bodyBytesMax } = call.settings.limits;
  const base = uploadsPath(call);
  return new Server({
    path: '/uploads',
    datastore: uploads,
    locker: spool.locks.for(call.signal),
    ...(bodyBytesMax < Number.MAX_SAFE_INTEGER && { maxSize: bodyBytesMax }),
    namingFunction: () => spool.newSecret(),
    getFileIdFromRequest: () => String(call.params.upload),
    generateUrl: (_, { id }) => `${base}/uploads/${id}`,
    onResponseError: (_, error) => {
      noted.error = error;
      return undefined;
    },
  });
}

/** The body of a request as the protocol's server reads it; what is wrong with it is noted. */
function bodyOf(call: Call, uploads: CallUploads): ReadableStream<Uint8Array> | null {
  const { method, headers } = call.request;
  const brings = method === 'PATCH' || (method === 'POST' && headers.get('content-type') === BODY_TYPE);
  if (!brings) return null;
  const pieces = openBody(call, call.settings.limits.bodyBytesMax);
  return ReadableStream.from(
    (async function* noting() {
      try {
        yield* pieces;
      } catch (error) {
        uploads.bodyError = error;
        throw error;
      }
    })(),
  );
}

async function exchange(call: Call, spool: UploadSpool): Promise<Response> {
  const noted: { error?: unknown } = {};
  const uploads = new CallUploads(call, spool, ownerOf(call));
  const { url } = call.request;
  const headers = new Headers(call.request.headers);
  // Whoever just looks need not speak the protocol.
  const isLook = call.request.method === 'GET';
  if (isLook) headers.set('tus-resumable', VERSION);
  const method = isLook ? 'HEAD' : call.request.method;
  const body = bodyOf(call, uploads);
  try {
    const server = protocolOf(call, spool, noted, uploads);
    const answer = await server.handleWeb({ method, url, headers, body } as Request);
    if (uploads.bodyError !== undefined) throw uploads.bodyError;
    if (noted.error !== undefined) throw isStoreError(noted.error) ? noted.error : refusal(noted.error as TusError);
    if (answer.status >= 400) throw refusal({ status_code: answer.status, body: await answer.text() });
    const { result } = uploads;
    if (result) {
      answer.headers.set('etag', formatTag(result.version));
      answer.headers.set('content-location', `${uploadsPath(call)}/files/${encodeKeyPath(result.key)}`);
    }
    return answer;
  } finally {
    if (body && !body.locked) await body.cancel();
  }
}

/** Answers a request of the protocol. */
export async function tusAnswer(call: Call): Promise<Response> {
  const { uploads: spool, signal, settings } = call;
  if (spool === undefined) throw storeError('CAPABILITY_UNSUPPORTED', 'this server has no folder for uploads');
  const answer = await exchange(call, spool).catch((error: unknown) =>
    problemAnswer(error, { signal, logger: settings.logger }),
  );
  // It says so with everything, and lets every site in.
  for (const name of [...answer.headers.keys()]) if (name.startsWith('access-control-')) answer.headers.delete(name);
  answer.headers.set('tus-resumable', VERSION);
  answer.headers.set('cache-control', 'no-store');
  if (answer.status === 412) answer.headers.set('tus-version', VERSION);
  return answer;
}
