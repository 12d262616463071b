/** Answers that come before the body that they answer: the rest of it is taken in, so that the client gets to read them. */
import type { IncomingMessage } from 'node:http';
import { SERVER_LINGER_BYTES_MAX, SERVER_LINGER_MS_MAX } from '../../limits.ts';
import { sleep } from '../../runtime/timers.ts';

const TOO_SLOW = 408;

/**
 * A refusal of a request whose body has not come whole. It goes out at once, whole and with its length, and the exchange
 * ends when the body has: a connection that is closed while somebody writes to it takes an answer with it that was not read yet
 * (RFC 9112, section 9.6). Whoever sends for too long is cut off all the same.
 * @param awaits whether the client waits for a word before it sends its body: then none comes
 */
export async function lingering(
  answer: Response,
  incoming: IncomingMessage,
  how: { readonly awaits: boolean; readonly signal: AbortSignal },
): Promise<Response> {
  const { status, headers } = answer;
  if (status < 400 || status === TOO_SLOW || how.awaits || incoming.complete || incoming.destroyed) return answer;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  headers.set('content-length', String(bytes.length));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes),
    async pull(controller) {
      await takeIn(incoming, how.signal);
      controller.close();
    },
  });
  return new Response(body, { status, headers });
}

/** Resolves when the body has come, has grown too long, or has taken too long. */
async function takeIn(incoming: IncomingMessage, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  let bytes = 0;
  const count = (piece: Uint8Array): void => {
    bytes += piece.length;
    if (bytes > SERVER_LINGER_BYTES_MAX) end();
  };
  incoming.on('data', count).once('end', end).once('close', end);
  await sleep(SERVER_LINGER_MS_MAX, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => undefined);
  incoming.off('data', count).off('end', end).off('close', end);
}
