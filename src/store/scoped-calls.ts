import { invariant } from '../errors/store-error.ts';
import type { Change, ChangeOutcome } from '../metadata/contract.ts';
import type { ActiveCalls } from './active-calls.ts';
import type { Engine } from './engine.ts';
import { Isolations } from './isolations.ts';
import type { OperationWriter } from './operation-writer.ts';
import type { Scope } from './scope.ts';
import type { PutTarget } from './staged-put.ts';
import type { CallOptions } from './types.ts';

/** What everything that takes calls shares in one open store. */
export interface StoreCalls {
  readonly engine: Engine;
  readonly calls: ActiveCalls;
  /** @throws `closed/STORE_CLOSED` */
  assertOpen(): void;
}

type CommitParts = Pick<Parameters<Engine['commit']>[1], 'changes' | 'inline'>;

/** Runs what is called in one namespace: looks up its scope, counts the calls that are still running, and commits. */
export class ScopedCalls {
  readonly #parts: StoreCalls;
  /** Looked up with every call: a namespace may be dropped while somebody holds this. */
  readonly #scope: () => Promise<Scope>;

  constructor(parts: StoreCalls, scope: () => Promise<Scope>) {
    this.#parts = parts;
    this.#scope = scope;
  }

  get engine(): Engine {
    return this.#parts.engine;
  }

  async call<T>(options: CallOptions, work: (scope: Scope) => Promise<T>): Promise<T> {
    this.#parts.assertOpen();
    options.signal?.throwIfAborted();
    return await this.#parts.calls.run(() => this.#operate(work));
  }

  /** What the call sees is not deleted before it ends. */
  async #operate<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
    const { operations } = this.engine;
    const operation = operations?.begin();
    try {
      return await work(await this.#scope());
    } catch (error) {
      throw operations ? await operations.explain(error) : error;
    } finally {
      operation?.end();
    }
  }

  /** Each step is a call of its own: an iteration that nobody goes on with does not keep the store from closing. */
  async *stream<T>(options: CallOptions, start: (scope: Scope) => AsyncGenerator<T>): AsyncGenerator<T> {
    let steps: AsyncGenerator<T> | undefined;
    // What the first step saw the last one still counts on.
    const operation = this.engine.operations?.begin();
    try {
      for (;;) {
        operation?.resume();
        const next = await this.call(options, (scope) => {
          steps ??= start(scope);
          return steps.next();
        });
        if (next.done) return;
        operation?.pause();
        yield next.value;
      }
    } finally {
      operation?.end();
      await steps?.return(undefined);
    }
  }

  /**
   * One change of content: `work` stores and says what to commit; what it stored for a change that fails is left to
   * others, but for keys that are nobody's then.
   */
  change<T>(
    options: CallOptions,
    work: (
      target: PutTarget,
      writer: OperationWriter,
    ) => Promise<{ readonly changes: readonly Change[]; readonly result: () => T }>,
  ): Promise<T> {
    return this.call(options, async (scope) => {
      this.engine.assertWritable();
      const writer = this.engine.createWriter(scope);
      const isolations = new Isolations((namespace) => this.engine.dropIsolated(namespace));
      try {
        const { changes, result } = await work({ engine: this.engine, scope, isolations }, writer);
        const inline = await writer.finish();
        options.signal?.throwIfAborted();
        if (changes.length > 0) await this.#commit(scope, { changes, inline }, isolations);
        return result();
      } catch (error) {
        await writer.abandon();
        await isolations.fail(error);
        throw error;
      }
    });
  }

  /** Commits changes that store nothing. @throws `denied/READ_ONLY`, and what the changes throw */
  async commit(scope: Scope, changes: readonly Change[]): Promise<readonly ChangeOutcome[]> {
    this.engine.assertWritable();
    return await this.#commit(scope, { changes, inline: [] });
  }

  async commitOne(scope: Scope, change: Change): Promise<ChangeOutcome> {
    const [outcome] = await this.commit(scope, [change]);
    invariant(outcome, 'every change has an outcome');
    return outcome;
  }

  async #commit(scope: Scope, request: CommitParts, isolations?: Isolations): Promise<readonly ChangeOutcome[]> {
    isolations?.submit();
    const outcomes = await this.engine.commit(scope, request, () => isolations?.settle());
    for (const [index, { type }] of request.changes.entries()) {
      const outcome = outcomes[index];
      if (type === 'delete' && outcome?.existed) this.engine.telemetry.counts.deletes += outcome.deleted ?? 1;
    }
    return outcomes;
  }
}
