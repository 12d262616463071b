/**
 * Calls into a worker thread and their answers. The worker's module calls `serveCalls`; its owner holds a
 * `WorkerClient`. Calls begin in the order they were made; each is answered when it is done.
 *
 * An idle worker does not keep the process alive, a call under way does.
 */
import { parentPort, Worker } from 'node:worker_threads';
import { invariant, storeError } from '../errors/store-error.ts';
import {
  type CallMessage,
  decodeError,
  encodeError,
  pack,
  type Reply,
  type Request,
  Transferred,
  unpack,
} from './worker-wire.ts';

export interface WorkerCallOptions {
  /** Rejects the call with the signal's reason and tells the worker, which may stop early. */
  readonly signal?: AbortSignal | undefined;
  /** Receives what the worker reports while the call is under way. */
  readonly progress?: ((...values: never[]) => void) | undefined;
  /** Buffers inside the arguments that move to the worker instead of being copied; the caller loses them. */
  readonly transfer?: readonly ArrayBuffer[] | undefined;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly progress: ((...values: never[]) => void) | undefined;
}

/** What a worker makes is garbage after each call; without a bound V8 would let 64 MiB of it gather. */
const YOUNG_MIB_MAX = 12;
/** Far more than is ever needed: V8 lets garbage gather in proportion to what it may take. */
const OLD_MIB_MAX = 1024;

/** A worker thread and the calls that wait for it. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastCall = 0;
  #failure: Error | undefined;

  /** @param entry module that calls `serveCalls`. Only Node's own flags reach it, none of this process. */
  constructor(entry: URL, name: string) {
    // Node calls its SQLite experimental on every start of a thread; that is our concern, not our users'.
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    this.#worker = new Worker(entry, {
      name,
      execArgv,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB_MAX, maxOldGenerationSizeMb: OLD_MIB_MAX },
    });
    this.#worker.on('message', (reply: Reply) => this.#onReply(reply));
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (status) => this.#fail(new Error(`the thread ended with status ${status}`)));
    // Last, because listening to messages would keep the process alive again.
    this.#worker.unref();
  }

  /**
   * Calls a method of the worker. Arguments and result are copied; byte arrays inside stay the caller's.
   * @throws what the method throws; the signal's reason; `unavailable/BACKEND_IO` without retry when the thread is gone
   */
  call(method: string, args: readonly unknown[], options: WorkerCallOptions = {}): Promise<unknown> {
    const { signal, progress, transfer } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#failure) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#lastCall += 1;
    const call = this.#lastCall;
    try {
      this.#post({ call, method, args: pack(args), abortable: signal !== undefined }, transfer);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#pending.size === 0) this.#worker.ref();
    this.#pending.set(call, { resolve, reject, progress });
    return signal ? this.#abortable(promise, call, signal) : promise;
  }

  #post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  async #abortable(promise: Promise<unknown>, call: number, signal: AbortSignal): Promise<unknown> {
    const onAbort = (): void => {
      this.#post({ abort: call });
      this.#take(call)?.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #take(call: number): Pending | undefined {
    const pending = this.#pending.get(call);
    if (pending && this.#pending.delete(call) && this.#pending.size === 0) this.#worker.unref();
    return pending;
  }

  #onReply(reply: Reply): void {
    if ('progress' in reply) {
      this.#pending.get(reply.call)?.progress?.(...(reply.progress as never[]));
      return;
    }
    // An aborted call is answered too, and nobody waits any more.
    const pending = this.#take(reply.call);
    if ('error' in reply) pending?.reject(decodeError(reply.error));
    else pending?.resolve(unpack(reply.value));
  }

  #fail(cause: unknown): void {
    this.#failure ??= storeError('BACKEND_IO', 'a worker thread stopped unexpectedly', { cause, retry: false });
    for (const call of [...this.#pending.keys()]) this.#take(call)?.reject(this.#failure);
  }

  /** Ends the thread. Calls under way and later ones fail with `closed/STORE_CLOSED`. Idempotent. */
  async terminate(): Promise<void> {
    this.#failure = storeError('STORE_CLOSED', 'the worker thread was closed');
    for (const call of [...this.#pending.keys()]) this.#take(call)?.reject(this.#failure);
    await this.#worker.terminate();
  }
}

/** One call as its handler sees it. */
export interface ServedCall {
  readonly method: string;
  readonly args: readonly unknown[];
  /** Aborted when the caller gave up; `undefined` when it cannot. */
  readonly signal: AbortSignal | undefined;
  /** Reports to the caller's `progress`. */
  progress(...values: readonly unknown[]): void;
}

/**
 * Answers the calls of the thread that started this one. What `handle` throws is thrown there; of what it gives as
 * `Transferred` the buffers move instead of being copied.
 */
export function serveCalls(handle: (call: ServedCall) => Promise<unknown>): void {
  const port = parentPort;
  invariant(port, 'calls are served in a worker thread');
  const controllers = new Map<number, AbortController>();
  const post = (reply: Reply): void => port.postMessage(reply);

  const serve = async ({ call, method, args, abortable }: CallMessage): Promise<void> => {
    const controller = abortable ? new AbortController() : undefined;
    if (controller) controllers.set(call, controller);
    const progress = (...values: readonly unknown[]): void => post({ call, progress: values });
    try {
      const given = unpack(args) as readonly unknown[];
      const value = await handle({ method, args: given, signal: controller?.signal, progress });
      if (value instanceof Transferred) {
        const reply: Reply = { call, value: { value: value.value, hasRows: false } };
        port.postMessage(reply, value.buffers);
      } else post({ call, value: pack(value) });
    } catch (error) {
      post({ call, error: encodeError(error) });
    } finally {
      controllers.delete(call);
    }
  };

  port.on('message', (request: Request) => {
    if ('abort' in request) controllers.get(request.abort)?.abort();
    else void serve(request);
  });
}
