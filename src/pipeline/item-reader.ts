/**
 * Fetches chunks and manifest nodes by digest and proves them: neighbouring records come with one backend read, every
 * record is authenticated before it is decompressed, every item is hashed before it is handed out. What fails is
 * flagged, so that nothing counts on it any more, and never returned.
 */
import { concatBytes, copyBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { decompress } from '../compress/index.ts';
import { invariant, isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { type ItemIds, identityOf, openRecord, type PackKeys, RECORD_TRAILER_BYTES } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { READ_COALESCE_BYTES } from '../limits.ts';
import type { ItemLocation, PackRow } from '../metadata/contract.ts';

export type ItemKind = 'chunk' | 'manifest';

export interface WantedItem {
  /** Plain digest, 32 bytes. */
  readonly digest: Uint8Array;
  readonly length: number;
}

/** What the reader needs of the engine around it. */
export interface ItemSource {
  readonly storeId: Uint8Array;
  /** Of the namespace that is read. */
  readonly ids: ItemIds;
  /** `undefined` in a plain store. */
  readonly keys: PackKeys | undefined;
  locate(kind: ItemKind, ids: Uint8Array, signal?: AbortSignal): Promise<readonly (ItemLocation | undefined)[]>;
  /**
   * Bytes of a pack, `undefined` when it is gone.
   * @param how `verified`: what damaged shards hold is made anew from others
   */
  readPack(
    pack: PackRow,
    range: { readonly offset: number; readonly length: number },
    how: { readonly verified: boolean; readonly signal?: AbortSignal },
  ): Promise<Uint8Array | undefined>;
  /** Told about each item that failed, before the read rejects. */
  onDamage(kind: ItemKind, items: readonly DamagedItem[]): Promise<void>;
}

export interface DamagedItem {
  /** What the metadata knows it by. */
  readonly id: Uint8Array;
  readonly pack: PackRow | undefined;
  readonly error: StoreError;
}

/** An item on its way, under both its names. */
interface SoughtItem {
  readonly digest: Uint8Array;
  readonly id: Uint8Array;
}

interface RecordPlan {
  readonly location: ItemLocation;
  readonly items: (SoughtItem & { readonly location: ItemLocation })[];
}

/** Packs that could not be read, as they lay then, and why where somebody said so. */
type FailedPacks = ReadonlyMap<number, { readonly pack: PackRow; readonly cause: StoreError | undefined }>;

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
   * Reads items in the order asked; repeated digests are fetched once and share their bytes, neighbours may share a
   * buffer.
   * @throws `corrupt/CHUNK_MISSING`, `corrupt/CHUNK_CORRUPT` (chunks), `corrupt/MANIFEST_CORRUPT` (manifest nodes);
   *   nothing is returned then
   */
  async read(kind: ItemKind, wanted: readonly WantedItem[], signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    const found = new Map<string, Uint8Array>();
    await this.#fetch(kind, { wanted: this.#sought(kind, wanted), found, failed: new Map() }, signal);
    return wanted.map((item) => {
      const bytes = found.get(toHex(item.digest));
      if (bytes?.length !== item.length)
        throw damageError(kind, 'CHUNK_CORRUPT', item.digest, `is not ${item.length} bytes long`);
      return bytes;
    });
  }

  /** Reads one manifest node, whatever its length. @throws `corrupt/MANIFEST_CORRUPT` */
  async readNode(digest: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const found = new Map<string, Uint8Array>();
    const wanted = this.#sought('manifest', [{ digest }]);
    await this.#fetch('manifest', { wanted, found, failed: new Map() }, signal);
    const bytes = found.get(toHex(digest));
    invariant(bytes, 'what was fetched is found');
    return bytes;
  }

  async #fetch(
    kind: ItemKind,
    job: {
      readonly wanted: readonly SoughtItem[];
      readonly found: Map<string, Uint8Array>;
      readonly failed: FailedPacks;
    },
    signal?: AbortSignal,
  ): Promise<void> {
    const locations = await this.#source.locate(kind, concatBytes(job.wanted.map((item) => item.id)), signal);
    const records = new Map<string, RecordPlan>();
    for (const [index, item] of job.wanted.entries()) {
      const location = locations[index];
      // Found once more in the pack that could not be read, with its shards where they were: nobody moved it, it is lost.
      const failed = location?.pack && job.failed.get(location.pack.number);
      if (location === undefined || (failed && liesAlike(failed.pack, location.pack))) {
        await this.#failMissing(kind, item, { location, cause: failed?.cause });
        continue;
      }
      const key = location.pack
        ? `${location.pack.number}:${location.ordinal}`
        : `outbox:${location.outbox.commit}:${location.ordinal}`;
      const plan = records.get(key);
      if (plan) plan.items.push({ ...item, location });
      else records.set(key, { location, items: [{ ...item, location }] });
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
      readonly wanted: readonly SoughtItem[];
      readonly found: Map<string, Uint8Array>;
      readonly failed: FailedPacks;
    },
    signal?: AbortSignal,
  ): Promise<void> {
    const gone: RecordPlan[] = [];
    const gonePacks = new Map(job.failed);
    const queue = spans.values();
    const work = async (): Promise<void> => {
      for (const span of queue) {
        signal?.throwIfAborted();
        const bytes = await this.#readSpan(kind, span, signal);
        if (!(bytes instanceof Uint8Array)) {
          gone.push(...span.records);
          gonePacks.set(span.pack.number, { pack: span.pack, cause: bytes });
          continue;
        }
        for (const plan of span.records) {
          const read = { bytes, offset: span.offset, found: job.found, ...(signal && { signal }) };
          await this.#openFrame(kind, plan, read);
        }
      }
    };
    await settleAll(Array.from({ length: Math.min(SPANS_AT_ONCE, spans.length) }, work));
    if (gone.length === 0) return;
    // A merge may have moved the items while we were on our way, or somebody the shards: look them up again before
    // calling them missing.
    const again = gone.flatMap((plan) => plan.items);
    await this.#fetch(kind, { wanted: again, found: job.found, failed: gonePacks }, signal);
  }

  /** @returns why there are no bytes, or `undefined`, when the pack is gone or too few of its shards are at hand */
  async #readSpan(kind: ItemKind, span: Span, signal?: AbortSignal): Promise<Uint8Array | StoreError | undefined> {
    const how = { verified: false, ...(signal && { signal }) };
    try {
      return await this.#source.readPack(span.pack, { offset: span.offset, length: span.end - span.offset }, how);
    } catch (error) {
      if (isStoreError(error, 'SHARDS_INSUFFICIENT', 'BACKEND_UNREACHABLE')) return error;
      if (!isStoreError(error, 'SHARD_CORRUPT')) throw error;
      return await this.#failRecords(kind, span.records, error);
    }
  }

  async #openFrame(
    kind: ItemKind,
    plan: RecordPlan,
    span: {
      readonly bytes: Uint8Array;
      readonly offset: number;
      readonly found: Map<string, Uint8Array>;
      readonly signal?: AbortSignal;
    },
  ): Promise<void> {
    const { location } = plan;
    const start = location.offset - span.offset;
    const frame = span.bytes.subarray(start, start + location.storedLength + RECORD_TRAILER_BYTES);
    try {
      await this.#open(kind, plan, { stored: await this.#openRecord(location, frame), found: span.found });
    } catch (error) {
      if (!isStoreError(error, 'PACK_CORRUPT')) throw error;
      const stored = await this.#readAgain(location, span.signal);
      if (stored === undefined) return await this.#failRecords(kind, [plan], error);
      await this.#open(kind, plan, { stored, found: span.found });
    }
  }

  #openRecord(location: ItemLocation, frame: Uint8Array): Promise<Uint8Array> {
    const pack = location.pack as PackRow;
    return identityOf(this.#source.storeId, pack, this.#source.keys).then((identity) =>
      openRecord(identity, location, frame),
    );
  }

  /** A record that is damaged where it was read, from whatever shards are whole; `undefined` when it stays damaged. */
  async #readAgain(location: ItemLocation, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const pack = location.pack as PackRow;
    if (pack.stripe.m === 0) return undefined;
    const range = { offset: location.offset, length: location.storedLength + RECORD_TRAILER_BYTES };
    try {
      const frame = await this.#source.readPack(pack, range, { verified: true, ...(signal && { signal }) });
      return frame && (await this.#openRecord(location, frame));
    } catch (error) {
      if (!isStoreError(error, 'PACK_CORRUPT', 'SHARDS_INSUFFICIENT', 'BACKEND_UNREACHABLE')) throw error;
      return undefined;
    }
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
    for (const { digest, id, location } of plan.items) {
      const bytes = plain.subarray(location.inner, location.inner + location.length);
      if (!equalBytes(blake3(bytes), digest)) {
        await this.#fail(kind, {
          id,
          pack: location.pack,
          error: damageError(kind, 'CHUNK_CORRUPT', digest, 'is not what its digest says'),
        });
      }
      // A few small chunks must not keep the megabyte of their record alive; most of a record may as well.
      into.found.set(toHex(digest), asked * 2 > plain.length ? bytes : copyBytes(bytes));
    }
  }

  /** What is wanted, each once, with the ids to look up. */
  #sought(kind: ItemKind, wanted: readonly Pick<WantedItem, 'digest'>[]): SoughtItem[] {
    const sought = new Map<string, SoughtItem>();
    for (const { digest } of wanted) {
      const name = toHex(digest);
      if (!sought.has(name)) sought.set(name, { digest, id: this.#source.ids.idOf(kind, digest) });
    }
    return [...sought.values()];
  }

  /** @param lost where it should be, and why it is not: a backend that is away may bring it back, so nothing is flagged */
  async #failMissing(
    kind: ItemKind,
    { digest, id }: SoughtItem,
    lost: { readonly location: ItemLocation | undefined; readonly cause: StoreError | undefined },
  ): Promise<void> {
    const { location, cause } = lost;
    if (cause?.kind === 'unavailable') throw cause;
    const text = cause ? `is missing: ${cause.message}` : 'is missing';
    await this.#fail(kind, {
      id,
      pack: location?.pack,
      error: damageError(kind, 'CHUNK_MISSING', digest, text, cause),
    });
  }

  async #failRecords(kind: ItemKind, plans: readonly RecordPlan[], cause: StoreError): Promise<never> {
    const items = plans.flatMap((plan) =>
      plan.items.map(({ digest, id, location }) => ({
        id,
        pack: location.pack,
        error: damageError(kind, 'CHUNK_CORRUPT', digest, `cannot be read: ${cause.message}`, cause),
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

/** Whether the shards of a pack are where they were. */
function liesAlike({ places: before = [] }: PackRow, now: PackRow | undefined): boolean {
  return now?.places === undefined || before.join() === now.places.join();
}

function damageError(
  kind: ItemKind,
  code: 'CHUNK_MISSING' | 'CHUNK_CORRUPT',
  ...what: [digest: Uint8Array, text: string, cause?: StoreError]
): StoreError {
  const [digest, text, cause] = what;
  const named = `blake3:${toHex(digest)}`;
  const subject = kind === 'chunk' ? 'chunk' : 'manifest node';
  return storeError(kind === 'chunk' ? code : 'MANIFEST_CORRUPT', `${subject} ${named} ${text}`, {
    details: { digest: named, ...(cause?.details.packId !== undefined && { packId: cause.details.packId }) },
    ...(cause && { cause }),
  });
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
