import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import {
  addSlot,
  changePassphrase,
  type EpochFacts,
  exportWriter,
  forgetEpochs,
  formatWriterCredential,
  type KeySecret,
  labelSlot,
  listSlots,
  type NewSlot,
  removeSlot,
  removeWriter,
  rotate,
  type SlotFacts,
  type WriterCredential,
  wipeWriterCredential,
} from '../keys/index.ts';
import { packsByEpoch, rekey } from '../maintenance/rekey.ts';
import type { Engine } from './engine.ts';
import type { EpochInfo, Inbox, KeySlot, RekeyReport, StoreKeys, WriterInfo } from './key-types.ts';
import type { Keychain } from './keychain.ts';
import type { SealedCalls } from './sealed-calls.ts';
import type { CallOptions, ProgressOptions } from './types.ts';

/** See `StoreKeys`. */
export class SealedKeys implements StoreKeys {
  readonly #calls: SealedCalls;

  readonly #inbox: Inbox;

  constructor(calls: SealedCalls, inbox: Inbox) {
    this.#calls = calls;
    this.#inbox = inbox;
  }

  list(options: CallOptions = {}): Promise<readonly KeySlot[]> {
    return this.#calls.call(options, async (keychain) => {
      await keychain.reload();
      return Object.freeze(listSlots(keychain.config).map((slot) => Object.freeze(slot)));
    });
  }

  add(slot: NewSlot, options: CallOptions = {}): Promise<KeySlot> {
    return this.#calls.change(options, async (keychain, engine) => {
      const { config } = await keychain.change((now) => addSlot(now, slot, engine.keyContext));
      return Object.freeze(lastOf(listSlots(config)));
    });
  }

  label(id: string, label: string, options: CallOptions = {}): Promise<KeySlot> {
    return this.#calls.change(options, async (keychain, engine) => {
      const { config } = await keychain.change((now) => labelSlot(now, { id, label }, engine.keyContext));
      return slotOf(listSlots(config), id);
    });
  }

  remove(id: string, options: CallOptions = {}): Promise<EpochInfo> {
    return this.#calls.change(options, async (keychain, engine) => {
      const { keyring } = await keychain.change((now) => removeSlot(now, id, engine.keyContext));
      return toEpochInfo(lastOf(keyring.epochs), new Map());
    });
  }

  changePassphrase(id: string, passphrase: KeySecret, options: CallOptions = {}): Promise<KeySlot> {
    return this.#calls.change(options, async (keychain, engine) => {
      const { config } = await keychain.change((now) => changePassphrase(now, { id, passphrase }, engine.keyContext));
      return slotOf(listSlots(config), id);
    });
  }

  epochs(options: CallOptions = {}): Promise<readonly EpochInfo[]> {
    return this.#calls.call(options, async (keychain, engine) => {
      await keychain.reload();
      await engine.settle();
      const packs = await packsByEpoch(engine.metadata, options.signal);
      return Object.freeze(keychain.keyring.epochs.map((epoch) => toEpochInfo(epoch, packs)));
    });
  }

  rotate(options: CallOptions = {}): Promise<EpochInfo> {
    return this.#calls.change(options, async (keychain, engine) => {
      const { keyring } = await keychain.change((now) => rotate(now, engine.keyContext));
      return toEpochInfo(lastOf(keyring.epochs), new Map());
    });
  }

  rekey(options: ProgressOptions & { readonly epoch?: number } = {}): Promise<RekeyReport> {
    return this.#calls.change(options, async (keychain, engine) => {
      await keychain.reload();
      const newest = keychain.schedule.currentEpoch;
      const last = options.epoch === undefined ? newest - 1 : checkInteger('epoch', options.epoch, { min: 1 });
      if (last >= newest) throw argumentRangeError('epoch', `one before ${newest}, the present one`, last);
      const total = { packs: 0, bytes: 0 };
      for (;;) {
        const { packs, bytes, left } = await rekey(engine.upkeep.context(), { ...options, lastEpoch: last });
        total.packs += packs;
        total.bytes += bytes;
        if (left > 0) return toRekeyReport(total, [], [`packs that are still sealed under old keys: ${left}`]);
        // What waits in the inbox is sealed for the epoch of its writer's credential: nobody opens it afterwards.
        await this.#inbox.adopt({ ...(options.signal && { signal: options.signal }) });
        const forgotten = await forgetUpTo(keychain, engine, last);
        if (forgotten === undefined) continue;
        // Older configs, whose rings have the old keys, lie in the log of the metadata; also when an earlier call
        // forgot the epochs, and was told that somebody was reading there.
        const { pending } = await engine.upkeep.shred({ scrub: true });
        return toRekeyReport(total, forgotten, pending);
      }
    });
  }

  exportWriter(options: CallOptions & { readonly label: string; readonly namespace?: string }): Promise<string> {
    return this.#calls.change(options, async (keychain, engine) => {
      const { label, namespace } = options;
      const writer = { label, ...(namespace !== undefined && { namespace }) };
      // Of a change that another process overtook, too: it is made again, with another seed.
      const made: WriterCredential[] = [];
      try {
        const { credential } = await keychain.change((now) => {
          const next = exportWriter(now, writer, engine.keyContext);
          made.push(next.credential);
          return next;
        });
        return formatWriterCredential(credential);
      } finally {
        for (const credential of made) wipeWriterCredential(credential);
      }
    });
  }

  writers(options: CallOptions = {}): Promise<readonly WriterInfo[]> {
    return this.#calls.call(options, async (keychain) => {
      await keychain.reload();
      const names = new Map(keychain.keyring.namespaces.map(({ number, name }) => [number, name]));
      const writers = keychain.keyring.writers.map(({ label, namespace, fingerprint, created }) =>
        Object.freeze({ label, namespace: names.get(namespace) ?? '', fingerprint, created }),
      );
      return Object.freeze(writers);
    });
  }

  removeWriter(fingerprint: string, options: CallOptions = {}): Promise<void> {
    return this.#calls.change(options, async (keychain, engine) => {
      await keychain.change((now) => removeWriter(now, fingerprint, engine.keyContext));
    });
  }
}

function lastOf<T>(all: readonly T[]): T {
  const last = all.at(-1);
  invariant(last !== undefined, 'what was added is there');
  return last;
}

function slotOf(slots: readonly SlotFacts[], id: string): KeySlot {
  const slot = slots.find((one) => one.id === id);
  if (slot) return Object.freeze(slot);
  throw storeError('SLOT_NOT_FOUND', 'the store has no key slot with this id', { details: { actual: id } });
}

function toEpochInfo({ number, created }: EpochFacts, packs: ReadonlyMap<number, number>): EpochInfo {
  return Object.freeze({ epoch: number, created, packs: packs.get(number) ?? 0 });
}

function toRekeyReport(
  total: Pick<RekeyReport, 'packs' | 'bytes'>,
  forgotten: readonly number[],
  pending: readonly string[],
): RekeyReport {
  const lists = { forgotten: Object.freeze([...forgotten]), pending: Object.freeze([...pending]) };
  return Object.freeze({ done: pending.length === 0, ...total, ...lists });
}

/**
 * The secrets of epochs that nothing needs any more leave the ring.
 * @returns `undefined` when another process has just added a pack that it had begun under one of them
 */
async function forgetUpTo(keychain: Keychain, engine: Engine, last: number): Promise<readonly number[] | undefined> {
  const old = keychain.keyring.epochs.map(({ number }) => number).filter((number) => number <= last);
  if (old.length === 0) return old;
  try {
    await keychain.change((now) => forgetEpochs(now, old, engine.keyContext), { packsAfterEpoch: last });
    return old;
  } catch (error) {
    if (!isStoreError(error, 'PRECONDITION_FAILED')) throw error;
    return undefined;
  }
}
