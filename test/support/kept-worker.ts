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

const METADATA_THREAD = /\/metadata\/sqlite-worker\.[jt]s$/;
const EVENTS = ['message', 'messageerror', 'error', 'exit'];
/** More are closed at once by few tests. */
const KEPT_MAX = 4;

const kept: NodeWorker[] = [];

/** A thread as `WorkerClient` uses it. */
export class Worker extends EventEmitter {
  readonly #thread: NodeWorker;
  readonly #isMetadata: boolean;
  /** Methods of the calls that were not answered yet. */
  readonly #calls = new Map<number, string>();
  /** Metadata that is open, or may be, because it was not said to be closed. */
  #isOpen = false;

  constructor(entry: URL, options: WorkerOptions) {
    super();
    this.#isMetadata = METADATA_THREAD.test(entry.pathname);
    this.#thread = (this.#isMetadata ? kept.pop() : undefined) ?? new real.Worker(entry, options);
    for (const event of EVENTS) this.#thread.on(event, (value: unknown) => this.#pass(event, value));
  }

  #pass(event: string, value: unknown): void {
    if (event === 'message') this.#note(value as Reply);
    this.emit(event, value);
  }

  #note(reply: Reply): void {
    if ('progress' in reply) return;
    if (this.#calls.get(reply.call) === 'close' && 'value' in reply) this.#isOpen = false;
    this.#calls.delete(reply.call);
  }

  postMessage(request: Request): void {
    this.#thread.postMessage(request);
    if (!('call' in request)) return;
    this.#calls.set(request.call, request.method);
    if (request.method === 'open') this.#isOpen = true;
  }

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }

  async terminate(): Promise<number> {
    const isIdle = this.#isMetadata && !this.#isOpen && this.#calls.size === 0;
    if (!isIdle || kept.length >= KEPT_MAX) return await this.#thread.terminate();
    for (const event of EVENTS) this.#thread.removeAllListeners(event);
    this.#thread.unref();
    kept.push(this.#thread);
    return 0;
  }
}
