import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { openOperation, sealOperation } from '../format/scoped-operation.ts';
import type { EntryOperation, Operation, ScopedOperation } from '../format/types.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { entryKeysOf } from './entry-changes.ts';
import type { RowSealer } from './row-sealer.ts';

/** Keys kept at hand, by namespace and epoch. */
const CACHED_MAX = 64;

function isOnEntries(operation: Operation): operation is EntryOperation {
  return ['entry-put', 'entry-delete', 'entry-rename', 'entry-copy'].includes(operation.type);
}

/**
 * What the journal of a sealed store may tell of namespaces other than the default one: operations on their entries are
 * sealed under the key of the namespace, and are noise once it is gone.
 */
export class OperationScope {
  readonly #keys: RowSealer;
  readonly #random: RandomBytes;
  readonly #sealers = new Map<string, EnvelopeSealer>();
  readonly #openers = new Map<string, EnvelopeOpener>();

  /** @param keys whose schedule is used, the one it has when asked */
  constructor(keys: RowSealer, random: RandomBytes) {
    this.#keys = keys;
    this.#random = random;
  }

  /**
   * The operation as the journal keeps it.
   * @throws `denied/NAMESPACE_KEY_GONE`
   */
  wrap(operation: Operation): Operation {
    if (!isOnEntries(operation)) return operation;
    const [key] = entryKeysOf(operation);
    const namespace = key ? namespaceOfKey(key) : 0;
    if (namespace === 0) return operation;
    const { schedule } = this.#keys;
    const epoch = schedule.currentEpoch;
    const sealer = cached(this.#sealers, `${namespace}/${epoch}`, () => {
      return new EnvelopeSealer(schedule.operationKey(namespace, epoch), this.#random);
    });
    return sealOperation(operation, { namespace, epoch, sealer });
  }

  /**
   * @returns `undefined` when the namespace has no key any more: it was dropped
   * @throws `denied/EPOCH_UNKNOWN`, `corrupt/JOURNAL_CORRUPT`
   */
  unwrap(operation: ScopedOperation): EntryOperation | undefined {
    const { namespace, epoch } = operation;
    const { schedule } = this.#keys;
    if (!schedule.hasNamespace(namespace)) return undefined;
    const opener = cached(this.#openers, `${namespace}/${epoch}`, () => {
      return new EnvelopeOpener(schedule.operationKey(namespace, epoch));
    });
    return openOperation(operation, opener);
  }
}

function cached<T>(cache: Map<string, T>, name: string, make: () => T): T {
  const known = cache.get(name);
  if (known) return known;
  if (cache.size >= CACHED_MAX) cache.clear();
  const made = make();
  cache.set(name, made);
  return made;
}
