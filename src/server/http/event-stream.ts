/**
 * Server-sent events: what changes, told as it does.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { SERVER_EVENT_MS_MIN, SERVER_HEARTBEAT_MS } from '../../limits.ts';
import { sleep } from '../../runtime/timers.ts';
import { type Sending, sendStream } from './stream-answer.ts';

/** What happens, and what is told of it. */
export interface ServerEvent {
  readonly event: string;
  readonly data: object;
}

/** Where events come from; asked again and again, so that a slow client gets fewer of them and none late. */
export interface EventSource {
  /** What is to be told now. */
  take(): Iterable<ServerEvent>;
  /** Whether nothing will ever be told again. */
  isOver(): boolean;
  /** Resolves when there may be something new. */
  changed(): Promise<void>;
}

interface Listening extends Sending {
  /** Aborted when nobody listens any more. */
  readonly signal: AbortSignal;
}

const encode = ({ event, data }: ServerEvent): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Waits for a change, at most until it is time to show that the connection lives. @returns whether there was one */
async function nextChange(source: EventSource, signal: AbortSignal): Promise<boolean> {
  const patience = new AbortController();
  const either = AbortSignal.any([signal, patience.signal]);
  const late = sleep(SERVER_HEARTBEAT_MS, { signal: either, background: true }).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([source.changed().then(() => true), late]);
  } finally {
    patience.abort();
  }
}

async function* eventsOf(source: EventSource, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  // The head of the answer goes out with the first piece.
  yield Buffer.from(': listening\n\n');
  while (!signal.aborted) {
    // Asked before it is told, so that nothing that changes meanwhile is the last to be told of.
    const isLast = source.isOver();
    const text = [...source.take()].map(encode).join('');
    if (text !== '') yield Buffer.from(text);
    if (isLast) return;
    if (!(await nextChange(source, signal))) yield Buffer.from(': still here\n\n');
    await sleep(SERVER_EVENT_MS_MIN, { signal, background: true }).catch(() => undefined);
  }
}

/** Tells events until the source is over, the client has gone, or the server stops. */
export function sendEvents(listening: Listening, source: EventSource): Promise<Response> {
  const headers = new Headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const signal = AbortSignal.any([listening.signal, listening.settings.stopping]);
  return sendStream(listening, eventsOf(source, signal), { headers });
}
