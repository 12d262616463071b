/** Content on its way out: read only as fast as the client takes it, and cut off where it fails. */

import { SERVER_LINES_BYTES, SERVER_WHOLE_BYTES_MAX } from '../../limits.ts';
import type { Peer } from '../access/access.ts';
import { Pace } from '../limits/pace.ts';
import type { Settings } from '../settings.ts';

/** What sending takes of a request. */
export interface Sending {
  readonly request: Request;
  readonly settings: Settings;
  readonly peer: Peer;
  /** Says that the request is answered later, by calling what this gives. */
  keepOpen(): () => void;
}

interface StreamParts extends Pick<Sending, 'request' | 'settings' | 'peer'> {
  /** Called once, after the last byte or whatever else ended it. */
  readonly onEnd: () => void;
}

/**
 * @param first what was read already, to know that there is something to send
 * @param rest read from when the client wants more; closed when it no longer does
 */
function streamOf(
  first: IteratorResult<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>,
  { request, settings, peer, onEnd }: StreamParts,
): ReadableStream<Uint8Array> {
  let next: Promise<IteratorResult<Uint8Array>> | undefined = Promise.resolve(first);
  let sent = 0;
  let isOver = false;
  let cut: (reason: unknown) => void = () => undefined;
  const pace = new Pace(settings, () => cut(new Error('the client is too slow')));
  const end = (): void => {
    isOver = true;
    pace.end();
    onEnd();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut = (reason) => {
          end();
          rest.return(undefined).catch(() => undefined);
          // An answer that ends here must not look like a whole one.
          if (peer.disconnect) peer.disconnect();
          else controller.error(reason);
        };
      },
      async pull(controller) {
        try {
          pace.moved(sent);
          const step = await (next ?? rest.next());
          // Meanwhile the client may have left, or was too slow.
          if (isOver) return;
          next = undefined;
          if (step.done) {
            end();
            return controller.close();
          }
          sent = step.value.length;
          pace.wait();
          controller.enqueue(step.value);
        } catch (error) {
          if (isOver) return;
          // That a client leaves is no failure of ours.
          if (!request.signal.aborted) settings.logger?.error('an answer was cut off', { error });
          cut(error);
        }
      },
      async cancel() {
        end();
        await rest.return(undefined);
      },
    },
    // Nothing is read before somebody wants it.
    { highWaterMark: 0 },
  );
}

/** Hands on what has to be closed, whatever its source is. */
async function* handedOn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/**
 * Sends pieces, once the first of them is there: what is damaged at its beginning is a problem, not half an answer.
 * @param init its `content-length`, where it has one, is what the pieces come to
 */
export async function sendStream(
  sending: Sending,
  pieces: AsyncIterable<Uint8Array>,
  init: { readonly status?: number; readonly headers: Headers },
): Promise<Response> {
  // Nobody reads the body of such an answer: a stream of it would never end.
  if (sending.request.method === 'HEAD') return new Response(null, init);
  const length = Number(init.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  if (length <= SERVER_WHOLE_BYTES_MAX) return new Response(Buffer.concat(await Array.fromAsync(pieces)), init);
  const rest = handedOn(pieces);
  const first = await rest.next();
  return new Response(streamOf(first, rest, { ...sending, onEnd: sending.keepOpen() }), init);
}

async function* linesOf(items: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  let lines = '';
  for await (const item of items) {
    lines += `${JSON.stringify(item)}\n`;
    if (lines.length < SERVER_LINES_BYTES) continue;
    yield Buffer.from(lines);
    lines = '';
  }
  if (lines !== '') yield Buffer.from(lines);
}

/** Sends a list of any length: one JSON object a line, as the command line prints it with `--json`. */
export function sendLines(sending: Sending, items: AsyncIterable<object>): Promise<Response> {
  const headers = new Headers({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  return sendStream(sending, linesOf(items), { headers });
}
