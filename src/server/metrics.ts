/**
 * Numbers for Prometheus.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4)
 */
import type { Store } from '../index.ts';
import { processUse, watchEventLoop } from '../runtime/process-use.ts';
import type { Settings } from './settings.ts';

/** Upper bounds of seconds that requests are counted by, and delays of the event loop. */
const REQUEST_SECONDS = [0.005, 0.05, 0.5, 5];
const DELAY_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

interface Line {
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** What is counted of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

type MetricType = 'counter' | 'gauge' | 'histogram';

function formatLine(name: string, { labels = {}, value, suffix = '' }: Line): string {
  // Every value of a label is ours: a method, a status, a bound. None needs escaping.
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join()}}` : ''} ${value}`;
}

function formatMetric(name: string, type: MetricType, lines: readonly Line[]): string {
  return [`# TYPE ${name} ${type}`, ...lines.map((line) => formatLine(name, line)), ''].join('\n');
}

/** `bytesIn` becomes `bytes_in`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Counts durations by upper bounds. */
class Durations {
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #seconds = 0;
  #count = 0;

  /** @param bounds seconds, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#buckets = bounds.map(() => 0);
  }

  add(ms: number): void {
    const seconds = ms / 1000;
    for (const [index, bound] of this.#bounds.entries()) if (seconds <= bound) this.#buckets[index]! += 1;
    this.#seconds += seconds;
    this.#count += 1;
  }

  format(name: string): string {
    const buckets = [...this.#bounds, '+Inf'].map((le, index) => ({
      ...{ labels: { le }, value: this.#buckets[index] ?? this.#count, suffix: '_bucket' },
    }));
    return formatMetric(name, 'histogram', [
      ...buckets,
      { suffix: '_sum', value: this.#seconds },
      { suffix: '_count', value: this.#count },
    ]);
  }
}

/** Counts the requests of one server, and how its process does. */
export class ServerMetrics {
  readonly #answered = new Map<string, number>();
  readonly #requests = new Durations(REQUEST_SECONDS);
  readonly #delays = new Durations(DELAY_SECONDS);

  constructor({ clock, stopping }: Pick<Settings, 'clock' | 'stopping'>) {
    const watch = watchEventLoop(clock, (ms) => this.#delays.add(ms));
    stopping.addEventListener('abort', () => watch.stop(), { once: true });
  }

  /** @param ms until the head of the answer */
  count(method: string, status: number, ms: number): void {
    // Whoever may say any method must not be able to make lines without end.
    const known = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'].includes(method) ? method : 'other';
    const name = `${known} ${status}`;
    this.#answered.set(name, (this.#answered.get(name) ?? 0) + 1);
    this.#requests.add(ms);
  }

  format(): string {
    const answered = [...this.#answered].map(([name, value]) => {
      const [method = '', status = ''] = name.split(' ');
      return { labels: { method, status }, value };
    });
    const { residentBytes, cpuSeconds } = processUse();
    return [
      formatMetric('holdfast_http_requests_total', 'counter', answered),
      this.#requests.format('holdfast_http_request_seconds'),
      this.#delays.format('holdfast_event_loop_delay_seconds'),
      // As every client library of Prometheus names them.
      formatMetric('process_resident_memory_bytes', 'gauge', [{ value: residentBytes }]),
      formatMetric('process_cpu_seconds_total', 'counter', [{ value: cpuSeconds }]),
    ].join('');
  }
}

/** What a store counts since it was opened, and what it holds. */
export async function storeMetrics(store: Store, signal: AbortSignal): Promise<string> {
  const { requests: _requests, ...stats } = await store.stats({ signal });
  const counted = Object.entries(store.metrics()).map(([name, value]) =>
    formatMetric(`holdfast_${snakeCase(name)}_total`, 'counter', [{ value }]),
  );
  const held = Object.entries(stats).map(([name, value]) =>
    formatMetric(`holdfast_store_${snakeCase(name)}`, 'gauge', [{ value }]),
  );
  return [...counted, ...held].join('');
}
