/** Two ways to send a file: at once, or as a resumable upload (tus 1.0) where that pays and the server takes it. */
import { DetailedError, Upload as TusUpload } from 'tus-js-client';
import { encodeKey } from '../../src/client/connection.ts';
import { access, BASE, currentToken } from './session.ts';

/** What is to be sent, and under which name. */
export interface Outgoing {
  readonly key: string;
  readonly scope: string;
  readonly file: File;
}

/** `exists`: there is a file of this name, and it was not to be replaced. */
export type SendOutcome = 'stored' | 'exists' | { readonly problem: string };

interface Wishes {
  readonly replaces: boolean;
  readonly onProgress: (sent: number) => void;
  readonly onEnd: (outcome: SendOutcome) => void;
}

/** Sends one file; started again it goes on where it was, if it can. */
export interface Sender {
  start(wishes: Wishes): void;
  /** Nothing of what was not finished stays. */
  stop(): void;
}

/** Smaller files are sent again sooner than asked about. */
const RESUMABLE_BYTES_MIN = 4_000_000;
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000];
const TAKEN = new Set([409, 412]);

const within = (scope: string): string =>
  `${BASE}${scope === 'default' ? '' : `/namespaces/${encodeURIComponent(scope)}`}`;

/** What the server says of what it did not take. */
function outcomeOf(status: number, body: string): SendOutcome {
  if (TAKEN.has(status)) return 'exists';
  try {
    return { problem: String((JSON.parse(body) as { detail?: string }).detail) };
  } catch {
    return { problem: status === 0 ? 'the connection was cut' : `the server answered ${status}` };
  }
}

function sendAtOnce({ key, scope, file }: Outgoing): Sender {
  const request = new XMLHttpRequest();
  return {
    start({ replaces, onProgress, onEnd }) {
      request.open('PUT', `${within(scope)}/files/${encodeKey(key)}`);
      const token = currentToken();
      if (token !== undefined) request.setRequestHeader('authorization', `Bearer ${token}`);
      request.setRequestHeader('content-type', file.type || 'application/octet-stream');
      if (!replaces) request.setRequestHeader('if-none-match', '*');
      request.upload.onprogress = ({ loaded }) => onProgress(loaded);
      request.onload = () => onEnd(request.status === 201 ? 'stored' : outcomeOf(request.status, request.responseText));
      request.onerror = () => onEnd(outcomeOf(0, ''));
      request.send(file);
    },
    stop: () => request.abort(),
  };
}

function failureOf(error: Error): SendOutcome {
  const answer = error instanceof DetailedError ? error.originalResponse : null;
  return outcomeOf(answer?.getStatus() ?? 0, answer?.getBody() ?? '');
}

function sendResumably({ key, scope, file }: Outgoing): Sender {
  const token = currentToken();
  let upload: TusUpload | undefined;
  return {
    start({ replaces, onProgress, onEnd }) {
      const before = upload?.url;
      upload = new TusUpload(file, {
        endpoint: `${within(scope)}/uploads`,
        // The address lets whoever knows it go on: it is kept nowhere but here.
        storeFingerprintForResuming: false,
        ...(before && !replaces && { uploadUrl: before }),
        retryDelays: RETRY_DELAYS_MS,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        metadata: { key, contentType: file.type || 'application/octet-stream', ...(!replaces && { ifNoneMatch: '*' }) },
        onProgress,
        onSuccess: () => onEnd('stored'),
        onError: (error) => onEnd(failureOf(error)),
      });
      upload.start();
    },
    stop: () => void upload?.abort(true).catch(() => undefined),
  };
}

export function createSender(outgoing: Outgoing): Sender {
  const isLarge = outgoing.file.size >= RESUMABLE_BYTES_MIN;
  return isLarge && access.get()?.resumable ? sendResumably(outgoing) : sendAtOnce(outgoing);
}
