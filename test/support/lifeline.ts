import type { Backend } from '../../src/backend/contract.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import type { ProcessLife } from '../../src/runtime/process-life.ts';

/** Calls that change what outlives a process. Between two of them it makes no difference when the process ends. */
const CHANGES: ReadonlySet<string | symbol> = new Set<keyof Backend | keyof Metadata>([
  ...(['put', 'delete'] as const satisfies (keyof Backend)[]),
  ...([
    'setConfig',
    'unlock',
    'forgetShreds',
    'openSession',
    'publishEpoch',
    'endSession',
    'fenceSessions',
    'forgetSessions',
    'takeLease',
    'leaveLease',
    'countReferences',
    'parkReferences',
    'unparkReferences',
    'census',
    'recount',
    'advanceEpoch',
    'condemnItems',
    'condemnObjects',
    'clearCondemned',
    'markSuspect',
    'markPacksSuspect',
    'commit',
    'markFlushed',
    'forgetPacks',
    'placeShards',
    'markVerified',
    'replay',
    'reseal',
  ] as const satisfies (keyof Metadata)[]),
]);

/** Rejections of a process that has ended: nobody in it learns anything any more. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded';

  constructor() {
    super('the process has ended');
  }
}

/** Names of processes that have ended. */
const gone = new Set<string>();
let processes = 0;

function newProcess(): ProcessLife {
  processes += 1;
  return { self: `process ${processes}`, isGone: (name) => gone.has(name) };
}

/** The life of a process: it ends when told to, or when it is about to make a chosen change of what outlives it. */
export class Lifeline {
  #alive = true;
  #left = Number.POSITIVE_INFINITY;
  /** Changes that were made, as `put keys/80000000` or `commit`. */
  readonly changes: string[] = [];

  get alive(): boolean {
    return this.#alive;
  }

  /** What the process knows of itself and others. */
  readonly process: ProcessLife = newProcess();

  end(): void {
    this.#alive = false;
    gone.add(this.process.self);
  }

  /** Others take the process for gone, which it is not. */
  seemGone(): void {
    gone.add(this.process.self);
  }

  /** Lets the process make so many changes more; it ends instead of the next. */
  endAfter(changes: number): void {
    this.#left = changes;
  }

  backend(inner: Backend): Backend {
    return this.#mortal(inner);
  }

  metadata(inner: Metadata): Metadata {
    return this.#mortal(inner);
  }

  /** Calls go through while the process lives; closing is left to the test. */
  #mortal<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name === 'close') return async () => undefined;
        return async (...args: readonly unknown[]) => {
          this.#step(name, args);
          const result: unknown = await Reflect.apply(member, target, args);
          if (!this.#alive) throw new ProcessEnded();
          return result;
        };
      },
    });
  }

  #step(name: string | symbol, [first]: readonly unknown[]): void {
    if (!this.#alive) throw new ProcessEnded();
    if (!CHANGES.has(name)) return;
    if (this.#left <= 0) {
      this.end();
      throw new ProcessEnded();
    }
    this.#left -= 1;
    this.changes.push(typeof first === 'string' ? `${String(name)} ${first}` : String(name));
  }
}
