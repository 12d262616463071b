import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { storeError } from '../errors/store-error.ts';
import type { KeySchedule } from '../format/key-schedule.ts';
import { isNamespaced, namespaceOfOperation } from '../format/operation.ts';
import { openOperation, sealOperation } from '../format/scoped-operation.ts';
import type { NamespacedOperation, Operation, PackDescriptor, ScopedOperation } from '../format/types.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import type { RowSealer } from './row-sealer.ts';

/** Keys kept at hand, by namespace. */
const CACHED_MAX = 64;

/**
 * What the journal of a sealed store may tell of namespaces other than the default one: operations that name
 * their keys are sealed under the key of the namespace, and are noise once it is gone.
 */
export class OperationScope {
  readonly #keys: RowSealer;
  readonly #random: RandomBytes;
  readonly #sealers = new Map<number, EnvelopeSealer>();
  readonly #openers = new Map<number, EnvelopeOpener>();
  #schedule: KeySchedule | undefined;

  /** @param keys whose schedule is used, the one it has when asked */
  constructor(keys: RowSealer, random: RandomBytes) {
    this.#keys = keys;
    this.#random = random;
  }

  /** The keys of now. What was made of others is forgotten: a namespace may have been dropped with them. */
  #currentKeys(): KeySchedule {
    const { schedule } = this.#keys;
    if (schedule !== this.#schedule) {
      this.#sealers.clear();
      this.#openers.clear();
      this.#schedule = schedule;
    }
    return schedule;
  }

  /** Whether the keys of now have the epoch that a pack is sealed under. */
  knowsEpoch({ seal }: PackDescriptor): boolean {
    return seal === undefined || this.#keys.schedule.hasEpoch(seal.epoch);
  }

  /**
   * A pack may have been begun before its epoch was forgotten, or its namespace dropped, by another process: nobody
   * could read what lies in it.
   * @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE`
   */
  checkReadable(pack: PackDescriptor): void {
    const { seal } = pack;
    if (seal === undefined) return;
    const { epoch, namespace } = seal;
    if (!this.knowsEpoch(pack)) {
      const message = `key epoch ${epoch} was forgotten while something was being sealed under it`;
      throw storeError('EPOCH_UNKNOWN', message, { details: { epoch } });
    }
    if (namespace >= ISOLATED_NAMESPACE_MIN || this.#keys.schedule.hasNamespace(namespace)) return;
    const message = `namespace ${namespace} was dropped while something was being put into it`;
    throw storeError('NAMESPACE_KEY_GONE', message, { details: { namespace } });
  }

  /**
   * The operation as the journal keeps it.
   * @throws `denied/NAMESPACE_KEY_GONE`
   */
  wrap(operation: Operation): Operation {
    if (!isNamespaced(operation)) return operation;
    const namespace = namespaceOfOperation(operation);
    if (namespace === 0) return operation;
    return sealOperation(operation, { namespace, sealer: this.sealerOf(namespace) });
  }

  /** Seals what the journal keeps of a namespace. @throws `denied/NAMESPACE_KEY_GONE` */
  sealerOf(namespace: number): EnvelopeSealer {
    const schedule = this.#currentKeys();
    return cached(this.#sealers, namespace, () => {
      return new EnvelopeSealer(schedule.operationKey(namespace), this.#random);
    });
  }

  /**
   * @returns `undefined` when the namespace has no key any more: it was dropped
   * @throws `corrupt/JOURNAL_CORRUPT`
   */
  unwrap(operation: ScopedOperation): NamespacedOperation | undefined {
    const opener = this.openerOf(operation.namespace);
    return opener && openOperation(operation, opener);
  }

  /** Opens what the journal keeps of a namespace; `undefined` when it has no key any more: it was dropped. */
  openerOf(namespace: number): EnvelopeOpener | undefined {
    const schedule = this.#currentKeys();
    if (!schedule.hasNamespace(namespace)) return undefined;
    return cached(this.#openers, namespace, () => new EnvelopeOpener(schedule.operationKey(namespace)));
  }
}

function cached<T>(cache: Map<number, T>, namespace: number, make: () => T): T {
  const known = cache.get(namespace);
  if (known) return known;
  if (cache.size >= CACHED_MAX) cache.clear();
  const made = make();
  cache.set(namespace, made);
  return made;
}
