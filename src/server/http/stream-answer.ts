/** Content on its way out: read only as fast as the client takes it, and cut off where it fails. */
import type { Peer } from '../access/access.ts';
import { Pace } from '../limits/pace.ts';
import type { Settings } from '../settings.ts';

export interface StreamParts {
  readonly settings: Settings;
  readonly peer: Peer;
  /** Called once, after the last byte or whatever else ended it. */
  readonly onEnd: () => void;
}

/**
 * @param first what was read already, to know that there is something to send
 * @param rest read from when the client wants more; closed when it no longer does
 */
export function streamAnswer(
  first: IteratorResult<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>,
  { settings, peer, onEnd }: StreamParts,
): ReadableStream<Uint8Array> {
  let next: Promise<IteratorResult<Uint8Array>> | undefined = Promise.resolve(first);
  let sent = 0;
  let cut: (reason: unknown) => void = () => undefined;
  const pace = new Pace(settings, () => cut(new Error('the client is too slow')));
  const end = (): void => {
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
          next = undefined;
          if (step.done) {
            end();
            return controller.close();
          }
          sent = step.value.length;
          pace.wait();
          controller.enqueue(step.value);
        } catch (error) {
          settings.logger?.error('an answer was cut off', { error });
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
