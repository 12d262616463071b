/**
 * Fetches chunks and manifest nodes by id and proves them: neighbouring records come with one backend read, every record
 * is authenticated before it is decompressed, every item is hashed before it is handed out. What fails is flagged, so
 * that nothing counts on it any more, and never returned.
 */
import { concatBytes, copyBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { decompress } from '../compress/index.ts';
import { invariant, isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { openRecord, RECORD_TRAILER_BYTES } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { READ_COALESCE_BYTES } from '../limits.ts';
import type { ItemLocation, PackRow } from '../metadata/contract.ts';

export type ItemKind = 'chunk' | 'manifest';

export interface WantedItem {
  readonly id: Uint8Array;
  readonly length: number;
}

/** What the reader needs of the engine around it. */
export interface ItemSource {
  readonly storeId: Uint8Array;
  locate(kind: ItemKind, ids: Uint8Array, signal?: AbortSignal): Promise<readonly (ItemLocation | undefined)[]>;
  /** Bytes of a pack, `undefined` when its blob is gone. */
  readPack(
    pack: PackRow,
    range: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /** Told about each item that failed, before the read rejects. */
  onDamage(kind: ItemKind, items: readonly DamagedItem[]): Promise<void>;
}

export interface DamagedItem {
  readonly id: Uint8Array;
  readonly pack: PackRow | undefined;
  readonly error: StoreError;
}

interface RecordPlan {
  readonly location: ItemLocation;
  readonly items: { readonly id: Uint8Array; readonly location: ItemLocation }[];
}

interface Span {
  readonly pack: PackRow;
  readonly offset: number;
  end: number;
  readonly records: RecordPlan[];
}

const SPANS_AT_ONCE = 3;
/** Reading over a gap costs less than another round trip. */
const GAP_BYTES_MAX = 32 * 1024;

export class ItemReader {
  readonly #source: ItemSource;

  constructor(source: ItemSource) {
    this.#source = source;
  }

  /**
   * Reads items in the order asked; repeated ids are fetched once and share their bytes, neighbours may share a buffer.
   * @throws `corrupt/CHUNK_MISSING`, `corrupt/CHUNK_CORRUPT` (chunks), `corrupt/MANIFEST_CORRUPT` (manifest nodes);
   *   nothing is returned then
   */
  async read(kind: ItemKind, wanted: readonly WantedItem[], signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    const found = new Map<string, Uint8Array>();
    await this.#fetch(kind, { wanted: distinct(wanted), found, failed: new Set() }, signal);
    return wanted.map((item) => {
      const bytes = found.get(toHex(item.id));
      if (bytes?.length !== item.length)
        throw damageError(kind, 'CHUNK_CORRUPT', item.id, `is not ${item.length} bytes long`);
      return bytes;
    });
  }

  /** Reads one manifest node, whatever its length. @throws `corrupt/MANIFEST_CORRUPT` */
  async readNode(id: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const found = new Map<string, Uint8Array>();
    await this.#fetch('manifest', { wanted: [{ id, length: 0 }], found, failed: new Set() }, signal);
    const bytes = found.get(toHex(id));
    invariant(bytes, 'what was fetched is found');
    return bytes;
  }

  async #fetch(
    kind: ItemKind,
    job: {
      readonly wanted: readonly WantedItem[];
      readonly found: Map<string, Uint8Array>;
      readonly failed: ReadonlySet<number>;
    },
    signal?: AbortSignal,
  ): Promise<void> {
    const locations = await this.#source.locate(kind, concatBytes(job.wanted.map((item) => item.id)), signal);
    const records = new Map<string, RecordPlan>();
    for (const [index, item] of job.wanted.entries()) {
      const location = locations[index];
      // Found once more in the pack whose blob is gone: nobody moved it, it is lost.
      if (location === undefined || (location.pack && job.failed.has(location.pack.number))) {
        await this.#fail(kind, {
          id: item.id,
          pack: location?.pack,
          error: damageError(kind, 'CHUNK_MISSING', item.id, 'is missing'),
        });
        continue;
      }
      const key = location.pack
        ? `${location.pack.number}:${location.ordinal}`
        : `outbox:${location.outbox.commit}:${location.ordinal}`;
      const plan = records.get(key);
      if (plan) plan.items.push({ id: item.id, location });
      else records.set(key, { location, items: [{ id: item.id, location }] });
    }
    const inPacks: RecordPlan[] = [];
    for (const plan of records.values()) {
      if (plan.location.outbox) await this.#open(kind, plan, { stored: plan.location.outbox.bytes, found: job.found });
      else inPacks.push(plan);
    }
    await this.#fetchSpans(kind, planSpans(inPacks), job, signal);
  }

  async #fetchSpans(
    kind: ItemKind,
    spans: readonly Span[],
    job: {
      readonly wanted: readonly WantedItem[];
      readonly found: Map<string, Uint8Array>;
      readonly failed: ReadonlySet<number>;
    },
    signal?: AbortSignal,
  ): Promise<void> {
    const gone: RecordPlan[] = [];
    const gonePacks = new Set(job.failed);
    const queue = spans.values();
    const work = async (): Promise<void> => {
      for (const span of queue) {
        signal?.throwIfAborted();
        const bytes = await this.#readSpan(kind, span, signal);
        if (bytes === undefined) {
          gone.push(...span.records);
          gonePacks.add(span.pack.number);
          continue;
        }
        for (const plan of span.records)
          await this.#openFrame(kind, plan, { bytes, offset: span.offset, found: job.found });
      }
    };
    await settleAll(Array.from({ length: Math.min(SPANS_AT_ONCE, spans.length) }, work));
    if (gone.length === 0) return;
    // A merge may have moved the items while we were on our way: look them up again before calling them missing.
    const again = gone.flatMap((plan) => plan.items.map((item) => ({ id: item.id, length: item.location.length })));
    await this.#fetch(kind, { wanted: again, found: job.found, failed: gonePacks }, signal);
  }

  async #readSpan(kind: ItemKind, span: Span, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#source.readPack(span.pack, { offset: span.offset, length: span.end - span.offset }, signal);
    } catch (error) {
      if (!isStoreError(error, 'SHARD_CORRUPT')) throw error;
      return await this.#failRecords(kind, span.records, error);
    }
  }

  async #openFrame(
    kind: ItemKind,
    plan: RecordPlan,
    span: { readonly bytes: Uint8Array; readonly offset: number; readonly found: Map<string, Uint8Array> },
  ): Promise<void> {
    const { location } = plan;
    const pack = location.pack as PackRow;
    const start = location.offset - span.offset;
    const frame = span.bytes.subarray(start, start + location.storedLength + RECORD_TRAILER_BYTES);
    let stored: Uint8Array;
    try {
      stored = openRecord({ store: this.#source.storeId, pack: pack.id, namespace: 0, epoch: 0 }, location, frame);
    } catch (error) {
      if (!isStoreError(error, 'PACK_CORRUPT')) throw error;
      return await this.#failRecords(kind, [plan], error);
    }
    await this.#open(kind, plan, { stored, found: span.found });
  }

  async #open(
    kind: ItemKind,
    plan: RecordPlan,
    into: { readonly stored: Uint8Array; readonly found: Map<string, Uint8Array> },
  ): Promise<void> {
    let plain: Uint8Array;
    try {
      plain = await decompress(plan.location.codec, into.stored, plan.location.plainLength);
    } catch (error) {
      if (!isStoreError(error, 'COMPRESSED_CORRUPT')) throw error;
      return await this.#failRecords(kind, [plan], error);
    }
    let asked = 0;
    for (const { location } of plan.items) asked += location.length;
    for (const { id, location } of plan.items) {
      const bytes = plain.subarray(location.inner, location.inner + location.length);
      if (!equalBytes(blake3(bytes), id)) {
        await this.#fail(kind, {
          id,
          pack: location.pack,
          error: damageError(kind, 'CHUNK_CORRUPT', id, 'is not what its digest says'),
        });
      }
      // A few small chunks must not keep the megabyte of their record alive; most of a record may as well.
      into.found.set(toHex(id), asked * 2 > plain.length ? bytes : copyBytes(bytes));
    }
  }

  async #failRecords(kind: ItemKind, plans: readonly RecordPlan[], cause: StoreError): Promise<never> {
    const items = plans.flatMap((plan) =>
      plan.items.map(({ id, location }) => ({
        id,
        pack: location.pack,
        error: damageError(kind, 'CHUNK_CORRUPT', id, `cannot be read: ${cause.message}`, cause),
      })),
    );
    await this.#source.onDamage(kind, items);
    throw items[0]?.error ?? cause;
  }

  async #fail(kind: ItemKind, item: DamagedItem): Promise<never> {
    await this.#source.onDamage(kind, [item]);
    throw item.error;
  }
}

function damageError(
  kind: ItemKind,
  code: 'CHUNK_MISSING' | 'CHUNK_CORRUPT',
  ...what: [id: Uint8Array, text: string, cause?: StoreError]
): StoreError {
  const [id, text, cause] = what;
  const digest = `blake3:${toHex(id)}`;
  const subject = kind === 'chunk' ? 'chunk' : 'manifest node';
  return storeError(kind === 'chunk' ? code : 'MANIFEST_CORRUPT', `${subject} ${digest} ${text}`, {
    details: { digest, ...(cause?.details.packId !== undefined && { packId: cause.details.packId }) },
    ...(cause && { cause }),
  });
}

function distinct(wanted: readonly WantedItem[]): WantedItem[] {
  const seen = new Map<string, WantedItem>();
  for (const item of wanted) seen.set(toHex(item.id), item);
  return [...seen.values()];
}

function planSpans(plans: readonly RecordPlan[]): Span[] {
  const byPlace = plans.toSorted((a, b) => {
    const packs = (a.location.pack?.number ?? 0) - (b.location.pack?.number ?? 0);
    return packs === 0 ? a.location.offset - b.location.offset : packs;
  });
  const spans: Span[] = [];
  for (const plan of byPlace) {
    const pack = plan.location.pack as PackRow;
    const start = plan.location.offset;
    const end = start + plan.location.storedLength + RECORD_TRAILER_BYTES;
    const last = spans.at(-1);
    if (
      last &&
      last.pack.number === pack.number &&
      start - last.end <= GAP_BYTES_MAX &&
      end - last.offset <= READ_COALESCE_BYTES
    ) {
      last.end = end;
      last.records.push(plan);
    } else {
      spans.push({ pack, offset: start, end, records: [plan] });
    }
  }
  return spans;
}

/** Waits for every task before it rejects with the first failure, so that none runs on behind the caller's back. */
async function settleAll(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
