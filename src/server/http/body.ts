/** Bodies of requests: bounded, counted, compared with what their heads promise, and never waited for without end. */
import { storeError } from '../../errors/store-error.ts';
import type { Peer } from '../access/access.ts';
import type { HeldBytes } from '../limits/body-budget.ts';
import { Pace } from '../limits/pace.ts';
import type { Settings } from '../settings.ts';
import { DigestCheck } from './digest-fields.ts';

export interface BodySource {
  readonly request: Request;
  readonly peer: Peer;
  readonly settings: Settings;
}

function tooLarge(bytesMax: number): Error {
  return storeError('BODY_TOO_LARGE', `the body has more than ${bytesMax} bytes`, { details: { expected: bytesMax } });
}

function declaredLength(headers: Headers): number | undefined {
  const text = headers.get('content-length');
  return text === null ? undefined : Number(text);
}

/**
 * Opens the body of a request; nothing of it is read before the first piece is asked for.
 * @returns its pieces; whoever reads to the end knows that it came whole, and as its head promised
 * @throws at once: `exhausted/BODY_TOO_LARGE`, `unsupported/MEDIA_TYPE_UNSUPPORTED` for an encoded body,
 *   `invalid/REQUEST_INVALID`; while it is read: `exhausted/BODY_TOO_LARGE`, `invalid/CONTENT_MISMATCH`,
 *   `unavailable/CLIENT_TOO_SLOW`; `invalid/REQUEST_INVALID` when it breaks off
 */
export function openBody(source: BodySource, bytesMax: number): AsyncGenerator<Uint8Array> {
  const { headers } = source.request;
  const encoding = headers.get('content-encoding');
  // What is stored is what comes: nothing is unpacked, so nothing can be a bomb.
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    throw storeError('MEDIA_TYPE_UNSUPPORTED', 'bodies are taken as they are, without Content-Encoding');
  const length = declaredLength(headers);
  if (length !== undefined && length > bytesMax) throw tooLarge(bytesMax);
  return pieces(source, { bytesMax, length, check: new DigestCheck(headers) });
}

interface Promised {
  readonly bytesMax: number;
  readonly length: number | undefined;
  readonly check: DigestCheck;
}

/** @throws `invalid/REQUEST_INVALID`: that a client went away is no failure of ours */
function brokenOff(cause: unknown): never {
  throw storeError('REQUEST_INVALID', 'the body broke off', { details: { field: 'body' }, cause });
}

async function* pieces({ request, peer, settings }: BodySource, promised: Promised): AsyncGenerator<Uint8Array> {
  peer.startBody?.();
  const reader = request.body?.getReader();
  let bytes = 0;
  let isSlow = false;
  const pace = new Pace(settings, () => {
    isSlow = true;
    // Ends the read that is being waited for.
    reader?.cancel().catch(() => undefined);
  });
  try {
    for (;;) {
      pace.wait();
      const next = await reader?.read().catch(brokenOff);
      if (isSlow) throw storeError('CLIENT_TOO_SLOW', 'the body comes too slowly');
      if (next === undefined || next.done) break;
      pace.moved(next.value.length);
      bytes += next.value.length;
      if (bytes > promised.bytesMax) throw tooLarge(promised.bytesMax);
      promised.check.update(next.value);
      yield next.value;
    }
    if (promised.length !== undefined && bytes !== promised.length)
      throw storeError('CONTENT_MISMATCH', 'the body is not as long as Content-Length says', {
        details: { field: 'content-length', expected: promised.length, actual: bytes },
      });
    promised.check.finish();
  } finally {
    pace.end();
    // After its end this does nothing; before, nobody wants the rest.
    await reader?.cancel().catch(() => undefined);
  }
}

interface WholeOptions {
  readonly bytesMax: number;
  readonly held: HeldBytes;
}

/** The whole of a body that must be small, and is held. @throws as `openBody`, and what `held` throws */
export async function readBody(source: BodySource, { bytesMax, held }: WholeOptions): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of openBody(source, bytesMax)) {
    held.add(piece.length);
    parts.push(piece);
  }
  return Buffer.concat(parts);
}
