/** What happens in the store, as it happens: server-sent events, over `fetch` because a token must go with them. */
import { createValue } from '../lib/value.ts';
import { send } from './session.ts';
import type { StoreMetrics } from './types.ts';

export interface LiveEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Reads events until they end. */
export async function* readEvents(path: string, signal: AbortSignal): AsyncGenerator<LiveEvent> {
  const { body } = await send(path, { signal });
  let rest = '';
  for await (const text of (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream())) {
    const told = (rest + text).split('\n\n');
    rest = told.pop() ?? '';
    for (const one of told) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(one) ?? [];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) as unknown };
    }
  }
}

/** The numbers of the store at one moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly numbers: StoreMetrics;
}

export interface Happening extends LiveEvent {
  readonly time: number;
}

const SAMPLES_MAX = 450;
const HAPPENINGS_MAX = 100;
const RETRY_MS = 3000;

export const isLive = createValue(false);
export const samples = createValue<readonly Sample[]>([]);
/** Newest first. */
export const happenings = createValue<readonly Happening[]>([]);
/** Counts what may have changed how safe the data is. */
export const changes = createValue(0);

function note({ event, data }: LiveEvent): void {
  const time = Date.now();
  if (event === 'numbers') {
    samples.set([...samples.get(), { time, numbers: data as StoreMetrics }].slice(-SAMPLES_MAX));
    return;
  }
  happenings.set([{ time, event, data }, ...happenings.get()].slice(0, HAPPENINGS_MAX));
  changes.set(changes.get() + 1);
}

/** Listens for as long as the page lives, and again when the connection ends. @returns what ends it */
export function listen(): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const run = async (): Promise<void> => {
    try {
      for await (const event of readEvents('/events', signal)) {
        isLive.set(true);
        note(event);
      }
    } catch {
      // What is wrong the next question says; this one is asked again.
    }
    isLive.set(false);
    if (!signal.aborted) setTimeout(run, RETRY_MS);
  };
  void run();
  return () => controller.abort();
}
