import { storeError } from '../errors/store-error.ts';
import type { Change } from '../metadata/contract.ts';
import type { Source } from '../pipeline/source.ts';
import { checkFitsCommit, operationsBytes } from './commit-size.ts';
import type { OperationWriter } from './operation-writer.ts';
import { checkDelete, checkPut, type PutTarget, type StoredPut, storeContent } from './staged-put.ts';
import type { BatchWriter, DeleteOptions, MoveOptions, PutOptions, StagedPut } from './types.ts';

/** Gathers the changes of one batch in the order of the calls, however long each put takes. */
export class Batch implements BatchWriter {
  readonly #target: PutTarget;
  readonly #writer: OperationWriter;
  readonly #signal: AbortSignal | undefined;
  /** One place for each call; a put fills its own when the content is stored. */
  readonly #changes: (readonly Change[] | undefined)[] = [];
  readonly #puts: Promise<StoredPut>[] = [];
  /** What the changes take in the journal: told at once when it is too much, not after everything was stored. */
  #bytes = 0;
  #ended = false;

  constructor(target: PutTarget, writer: OperationWriter, signal: AbortSignal | undefined) {
    this.#target = target;
    this.#writer = writer;
    this.#signal = signal;
  }

  put(key: string | null, source: Source, options: Omit<PutOptions, 'signal' | 'onProgress'> = {}): Promise<StagedPut> {
    const staged = this.#stage(key, source, options);
    // The batch rejects with what a put threw: one that nobody awaits is no unhandled rejection. After the end it is.
    if (!this.#ended) staged.catch(() => undefined);
    return staged;
  }

  async #stage(key: string | null, source: Source, options: PutOptions): Promise<StagedPut> {
    const place = this.#takePlace();
    const storing = this.#store(place, { key, source, options });
    storing.catch(() => undefined);
    this.#puts.push(storing);
    return (await storing).staged;
  }

  delete(key: string, options: Omit<DeleteOptions, 'signal'> = {}): void {
    const change = checkDelete(this.#target.scope, key, options);
    this.#fill(this.#takePlace(), [change]);
  }

  rename(from: string, to: string, options: Omit<MoveOptions, 'signal'> = {}): void {
    const change: Change = {
      type: 'rename',
      from: this.#target.scope.key(from, 'from'),
      to: this.#target.scope.key(to, 'to'),
      replace: options.replace === true,
    };
    this.#fill(this.#takePlace(), [change]);
  }

  copy(from: string, to: string, options: Omit<MoveOptions, 'signal'> = {}): void {
    const modified = this.#target.engine.clock.now();
    const change: Change = {
      type: 'copy',
      from: this.#target.scope.key(from, 'from'),
      to: this.#target.scope.key(to, 'to'),
      replace: options.replace === true,
      modified,
    };
    this.#fill(this.#takePlace(), [change]);
  }

  relate(child: string, parent: string | null): void {
    const { scope } = this.#target;
    const change: Change = {
      type: 'relation-set',
      child: scope.key(child, 'child'),
      parent: parent === null ? undefined : scope.key(parent, 'parent'),
    };
    this.#fill(this.#takePlace(), [change]);
  }

  /**
   * Ends the batch: waits for its puts, those nobody awaited included.
   * @throws what a put threw, even where the caller caught it: a batch is all or nothing
   */
  async end(): Promise<{ readonly changes: readonly Change[]; readonly puts: readonly StoredPut[] }> {
    this.#ended = true;
    await Promise.allSettled(this.#puts);
    const puts = await Promise.all(this.#puts);
    return { changes: this.#changes.flatMap((changes) => changes ?? []), puts };
  }

  async #store(
    place: number,
    item: { readonly key: string | null; readonly source: Source; readonly options: PutOptions },
  ): Promise<StoredPut> {
    const request = checkPut(this.#target.scope, item);
    const put = await storeContent(this.#target, request, {
      writer: this.#writer,
      ...(this.#signal && { signal: this.#signal }),
    });
    this.#fill(place, put.changes);
    return put;
  }

  #fill(place: number, changes: readonly Change[]): void {
    this.#bytes += operationsBytes(changes);
    checkFitsCommit(this.#bytes);
    this.#changes[place] = changes;
  }

  #takePlace(): number {
    if (this.#ended) throw storeError('BATCH_ENDED', 'the batch has ended; its changes were made or given up');
    this.#signal?.throwIfAborted();
    return this.#changes.push(undefined) - 1;
  }
}
