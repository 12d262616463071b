/**
 * Stands in for `node:worker_threads` where the sources of a test import it: the thread of metadata that was closed is
 * kept for the store that is opened next. Starting one loads Node and a hundred modules, which takes far longer than
 * what most tests ask of it. Whoever ends a thread in any other state ends it for good, and threads of other modules are
 * Node's own; that real ones start and end is seen wherever a test starts a process.
 */
import { EventEmitter } from 'node:events';
import type { Worker as NodeWorker, WorkerOptions } from 'node:worker_threads';
import type { Reply, Request } from '../../src/runtime/worker-wire.ts';

const real = process.getBuiltinModule('node:worker_threads');
export const { parentPort } = real;

/** Threads of metadata, and those of single files, which hold blobs and metadata. */
const KEPT_THREADS = /\/(?:metadata\/sqlite|single-file\/file)-worker\.[jt]s$/;
/** Calls after which something is open, and those after which one thing less is. */
const OPENING: ReadonlySet<string | undefined> = new Set(['open', 'openFile', 'openMetadata']);
const CLOSING: ReadonlySet<string | undefined> = new Set(['close', 'closeFile']);
const EVENTS = ['message', 'messageerror', 'error', 'exit'];
/** More are closed at once by few tests. */
const KEPT_MAX = 4;

const kept = new Map<string, NodeWorker[]>();

function keptOf(entry: string): NodeWorker[] {
  const threads = kept.get(entry) ?? [];
  kept.set(entry, threads);
  return threads;
}

/** A thread as `WorkerClient` uses it. */
export class Worker extends EventEmitter {
  readonly #thread: NodeWorker;
  /** Threads of the same module that wait; `undefined` for one that is not kept. */
  readonly #waiting: NodeWorker[] | undefined;
  /** Methods of the calls that were not answered yet. */
  readonly #calls = new Map<number, string>();
  /** What is open, or may be, because it was not said to be closed. */
  #openCount = 0;

  constructor(entry: URL, options: WorkerOptions) {
    super();
    this.#waiting = KEPT_THREADS.test(entry.pathname) ? keptOf(entry.pathname) : undefined;
    this.#thread = this.#waiting?.pop() ?? new real.Worker(entry, options);
    for (const event of EVENTS) this.#thread.on(event, (value: unknown) => this.#pass(event, value));
  }

  #pass(event: string, value: unknown): void {
    if (event === 'message') this.#note(value as Reply);
    this.emit(event, value);
  }

  #note(reply: Reply): void {
    if ('progress' in reply) return;
    if (CLOSING.has(this.#calls.get(reply.call)) && 'value' in reply) this.#openCount -= 1;
    this.#calls.delete(reply.call);
  }

  postMessage(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread.postMessage(request, transfer);
    if (!('call' in request)) return;
    this.#calls.set(request.call, request.method);
    if (OPENING.has(request.method)) this.#openCount += 1;
  }

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }

  async terminate(): Promise<number> {
    const isIdle = this.#openCount === 0 && this.#calls.size === 0;
    if (!this.#waiting || !isIdle || this.#waiting.length >= KEPT_MAX) return await this.#thread.terminate();
    for (const event of EVENTS) this.#thread.removeAllListeners(event);
    this.#thread.unref();
    this.#waiting.push(this.#thread);
    return 0;
  }
}
