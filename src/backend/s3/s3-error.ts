import { isStoreError, storeError } from '../../errors/store-error.ts';

/** What was asked of the object store when it refused. */
export interface FailedCall {
  readonly action: 'open' | 'put' | 'get' | 'head' | 'delete' | 'list';
  readonly bucket: string;
  /** Of the object, prefix included. */
  readonly object?: string;
}

interface ServiceFailure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

/** Whoever asks has to change something: credentials, rights, a clock. */
const DENIED: ReadonlyMap<string, string> = new Map([
  [
    'CredentialsProviderError',
    'no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  ],
  ['InvalidAccessKeyId', 'the access key is not known there'],
  ['SignatureDoesNotMatch', 'the secret key does not fit the access key'],
  ['ExpiredToken', 'the session token has expired; get a new one'],
  ['InvalidToken', 'the session token is not valid there'],
  ['RequestTimeTooSkewed', 'the clock of this machine is wrong; set it'],
  ['RequestExpired', 'the clock of this machine is wrong; set it'],
  ['AccessDenied', 'these credentials may not do this; they need to get, put, delete and list objects'],
  ['AllAccessDisabled', 'all access to it was switched off'],
  ['AccountProblem', 'something is wrong with the account there'],
]);

/** Whoever asks has to say something else. */
const WRONG: ReadonlyMap<string, string> = new Map([
  ['NoSuchBucket', 'there is no such bucket; make it, or correct the URL'],
  ['RegionMissing', 'nobody says in which region it is; add region= to the URL, or set AWS_REGION'],
  ['InvalidBucketName', 'that is no name of a bucket'],
  ['PermanentRedirect', 'the bucket lies in another region; add region= to the URL'],
  ['AuthorizationHeaderMalformed', 'the bucket lies in another region; add region= to the URL'],
  ['IllegalLocationConstraintException', 'the bucket lies in another region; add region= to the URL'],
  ['InvalidStorageClass', 'that storage class is not to be had there'],
  ['InvalidObjectState', 'the object was moved to an archive and has to be restored first'],
  ['MethodNotAllowed', 'the object store does not allow it'],
  ['NotImplemented', 'the object store does not offer it'],
]);

/**
 * The store error of what the object store, or the way there, answered; its answer is the cause (B13). What is no such
 * answer, as an abort reason or an error made earlier, comes back as it is. Everything that is not known to be lasting may
 * be tried again later: the client has tried it already.
 */
export function s3Error(error: unknown, failed: FailedCall): unknown {
  if (error instanceof Error && error.message === 'Region is missing') error.name = 'RegionMissing';
  if (isStoreError(error) || !isServiceFailure(error)) return error;
  const { action, bucket, object } = failed;
  const status = error.$metadata?.httpStatusCode;
  const details = { path: `s3://${bucket}`, ...(object !== undefined && { backendKey: object }), system: error.name };
  const where = `${action} ${object === undefined ? '' : `${object} in `}bucket ${bucket}`;
  const options = { details, cause: causeOf(error) };
  const denied = DENIED.get(error.name) ?? (status === 401 || status === 403 ? DENIED.get('AccessDenied') : undefined);
  if (error.name === 'QuotaExceeded') return storeError('QUOTA_EXCEEDED', `${where}: its quota is spent`, options);
  if (status === 507) return storeError('DISK_FULL', `${where}: the object store is full`, options);
  if (error.name === 'EntityTooLarge')
    return storeError('BLOB_TOO_LARGE', `${where}: it takes no such object`, options);
  if (denied !== undefined) return storeError('PERMISSION_DENIED', `${where}: ${denied} (${error.name})`, options);
  const wrong = WRONG.get(error.name) ?? (status === 404 ? WRONG.get('NoSuchBucket') : undefined);
  if (wrong !== undefined) {
    return storeError('BACKEND_IO', `${where}: ${wrong} (${error.name})`, { ...options, retry: false });
  }
  const tries = error.$metadata?.attempts ?? 1;
  const told = [error.name, status, tries > 1 ? `tried ${tries} times` : undefined].filter(
    (part) => part !== undefined,
  );
  return storeError(
    'BACKEND_IO',
    `${where}: the object store failed or cannot be reached (${told.join(', ')})`,
    options,
  );
}

/** An error of the client without its request: that holds a signature, which is not for logs, and all the bytes. */
function causeOf({ name, message, stack = '' }: ServiceFailure): Error {
  return Object.assign(new Error(message), { name, stack });
}

/** The answer about an object that is not there; never one about a bucket that is not there (B5). */
export function isAbsent(error: unknown): boolean {
  return isServiceFailure(error) && error.name === 'NoSuchKey';
}

/** The HTTP status of an answer. */
export function statusOf(error: unknown): number | undefined {
  return isServiceFailure(error) ? error.$metadata?.httpStatusCode : undefined;
}

/** Errors of the client carry metadata, those of sockets and of the DNS a code. */
function isServiceFailure(error: unknown): error is ServiceFailure {
  return (
    error instanceof Error &&
    ('$metadata' in error || 'code' in error || DENIED.has(error.name) || WRONG.has(error.name))
  );
}
