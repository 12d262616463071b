/** How long the server takes to answer, from the numbers it gives to Prometheus. */
import { useEffect } from 'preact/hooks';
import { createValue } from '../lib/value.ts';
import { send } from './session.ts';

interface Latency {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** On average since the one before; `null`: nobody asked. */
  readonly ms: number | null;
}

const EVERY_MS = 5000;
const KEPT_MAX = 360;

export const latencies = createValue<readonly Latency[]>([]);
let before: { readonly seconds: number; readonly count: number } | undefined;

function numberOf(text: string, name: string): number {
  return Number(new RegExp(`^holdfast_http_request_seconds_${name} (.*)$`, 'm').exec(text)?.[1] ?? 0);
}

async function look(): Promise<void> {
  const text = await (await send('/metrics')).text();
  const now = { seconds: numberOf(text, 'sum'), count: numberOf(text, 'count') };
  if (before) {
    const count = now.count - before.count;
    const ms = count > 0 ? (1000 * (now.seconds - before.seconds)) / count : null;
    latencies.set([...latencies.get(), { time: Date.now(), ms }].slice(-KEPT_MAX));
  }
  before = now;
}

/** Looks every few seconds while it is shown. */
export function useLatency(): void {
  useEffect(() => {
    const tick = (): void => {
      if (!document.hidden) look().catch(() => undefined);
    };
    tick();
    const timer = setInterval(tick, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}
