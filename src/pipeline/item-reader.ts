/**
 * Fetches chunks and manifest nodes by digest and proves them: neighbouring records come with one backend read, every
 * record is authenticated before it is decompressed, every item is hashed before it is handed out. What fails is
 * flagged, so that nothing counts on it any more, and never returned; what is flagged and proven is flagged no more.
 */
import { concatBytes, copyBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { CODEC_STORED, decompress } from '../compress/index.ts';
import { invariant, isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { type ItemIds, identityOf, openRecord, type PackKeys, RECORD_TRAILER_BYTES } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import type { ItemLocation, PackRow } from '../metadata/contract.ts';
import { settleAll } from '../runtime/settle-all.ts';
import { type BorderRecord, copiesOf } from './border-record.ts';
import { planSpans, type RecordSpan } from './record-spans.ts';

export type ItemKind = 'chunk' | 'manifest';

export interface WantedItem {
  /** Plain digest, 32 bytes. */
  readonly digest: Uint8Array;
  readonly length: number;
}

/** See `ItemReader.read`. */
interface ReadHow {
  readonly signal?: AbortSignal | undefined;
  readonly border?: BorderRecord;
  readonly memory?: Uint8Array[] | undefined;
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
  /** Told about flagged items that are proven, before the read resolves. */
  onProven(kind: ItemKind, items: readonly ProvenItem[]): Promise<void>;
}

/** A flagged item that is what its digest says after all. */
export interface ProvenItem {
  /** What the metadata knows it by. */
  readonly id: Uint8Array;
  /** Where it was read. */
  readonly pack: PackRow;
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
  /** Told of the plain bytes. */
  onOpened?: (plain: Uint8Array) => void;
}

/** What a read is to fetch. */
interface FetchJob {
  readonly wanted: readonly SoughtItem[];
  readonly found: Finds;
  readonly failed: FailedPacks;
  readonly border?: BorderRecord | undefined;
}

/** Packs that could not be read, as they lay then, and why where somebody said so. */
type FailedPacks = ReadonlyMap<number, { readonly pack: PackRow; readonly cause: StoreError | undefined }>;

/** What a read has come to, by digest in hex. */
interface Finds {
  readonly bytes: Map<string, Uint8Array>;
  /** Takes what cannot be read; absent where the first such item ends the read. */
  readonly failures?: Map<string, StoreError>;
  /** Takes the memory that was made for what was read. */
  readonly memory?: Uint8Array[] | undefined;
}

const SPANS_AT_ONCE = 3;

export class ItemReader {
  readonly #source: ItemSource;

  constructor(source: ItemSource) {
    this.#source = source;
  }

  /**
   * Reads items in the order asked; repeated digests are fetched once and share their bytes, neighbours may share a
   * buffer.
   * @param options.border of a stream that is read piece by piece
   * @param options.memory takes all that was read and decompressed for this read: what is returned lies in them or beside
   *   them, and nobody else's
   * @throws `corrupt/CHUNK_MISSING`, `corrupt/CHUNK_CORRUPT` (chunks), `corrupt/MANIFEST_CORRUPT` (manifest nodes);
   *   nothing is returned then
   */
  async read(
    kind: ItemKind,
    wanted: readonly WantedItem[],
    { signal, border, memory }: ReadHow = {},
  ): Promise<readonly Uint8Array[]> {
    const found: Finds = { bytes: new Map(), memory };
    await this.#fetch(kind, { wanted: this.#sought(kind, wanted), found, failed: new Map(), border }, signal);
    return wanted.map((item) => {
      const bytes = found.bytes.get(toHex(item.digest));
      if (bytes?.length !== item.length) throw lengthError(kind, item);
      return bytes;
    });
  }

  /**
   * Reads items like `read`, past those that fail: damage, a backend that is away or a key that is gone stands in the
   * place of the item it is about.
   * @throws what says nothing about an item; the signal's reason
   */
  async readEach(
    kind: ItemKind,
    wanted: readonly WantedItem[],
    signal?: AbortSignal,
  ): Promise<readonly (Uint8Array | StoreError)[]> {
    const found = { bytes: new Map<string, Uint8Array>(), failures: new Map<string, StoreError>() };
    await this.#fetchEach(kind, { wanted: this.#sought(kind, wanted), found }, signal);
    return wanted.map((item) => {
      const name = toHex(item.digest);
      const bytes = found.bytes.get(name);
      if (bytes?.length === item.length) return bytes;
      return found.failures.get(name) ?? lengthError(kind, item);
    });
  }

  /** Reads one manifest node, whatever its length. @throws `corrupt/MANIFEST_CORRUPT` */
  async readNode(digest: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const found: Finds = { bytes: new Map() };
    const wanted = this.#sought('manifest', [{ digest }]);
    await this.#fetch('manifest', { wanted, found, failed: new Map() }, signal);
    const bytes = found.bytes.get(toHex(digest));
    invariant(bytes, 'what was fetched is found');
    return bytes;
  }

  /** A damaged row of the metadata fails every item that is looked up with it: the others are looked up without it. */
  async #fetchEach(
    kind: ItemKind,
    {
      wanted,
      found,
    }: { readonly wanted: readonly SoughtItem[]; readonly found: Finds & Required<Pick<Finds, 'failures'>> },
    signal?: AbortSignal,
  ): Promise<void> {
    const [first] = wanted;
    try {
      await this.#fetch(kind, { wanted, found, failed: new Map() }, signal);
    } catch (error) {
      if (first === undefined || !isStoreError(error, 'METADATA_CORRUPT')) throw error;
      if (wanted.length === 1) {
        found.failures.set(toHex(first.digest), error);
        return;
      }
      const half = wanted.length >> 1;
      for (const part of [wanted.slice(0, half), wanted.slice(half)]) {
        const left = part.filter(({ digest }) => !isSettled(found, digest));
        await this.#fetchEach(kind, { wanted: left, found }, signal);
      }
    }
  }

  async #fetch(kind: ItemKind, job: FetchJob, signal?: AbortSignal): Promise<void> {
    const locations = await this.#source.locate(kind, concatBytes(job.wanted.map((item) => item.id)), signal);
    const records = new Map<string, RecordPlan>();
    for (const [index, item] of job.wanted.entries()) {
      const location = locations[index];
      // Found once more in the pack that could not be read, with its shards where they were: nobody moved it, it is lost.
      const failed = location?.pack && job.failed.get(location.pack.number);
      if (location === undefined || (failed && liesAlike(failed.pack, location.pack))) {
        await this.#failMissing(kind, item, { location, cause: failed?.cause, found: job.found });
        continue;
      }
      const key = location.pack
        ? `${location.pack.number}:${location.ordinal}`
        : `outbox:${location.outbox.commit}:${location.ordinal}`;
      const plan = records.get(key);
      if (plan) plan.items.push({ ...item, location });
      else records.set(key, { location, items: [{ ...item, location }] });
    }
    await this.#fetchRecords(kind, records, { job, signal });
  }

  async #fetchRecords(
    kind: ItemKind,
    records: ReadonlyMap<string, RecordPlan>,
    { job, signal }: { readonly job: FetchJob; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const inPacks: RecordPlan[] = [];
    const inBorder: { readonly plan: RecordPlan; readonly opened: Promise<Uint8Array | undefined> }[] = [];
    for (const [key, plan] of records) {
      const opened = job.border?.take(key);
      if (plan.location.outbox) await this.#open(kind, plan, { stored: plan.location.outbox.bytes, found: job.found });
      else if (opened) inBorder.push({ plan, opened });
      else inPacks.push(plan);
    }
    const [key, last] = [...records].at(-1) ?? [];
    const offered = key !== undefined && last?.location.pack ? job.border?.offer(key) : undefined;
    if (last && offered) last.onOpened = offered;
    try {
      const taking = inBorder.map(({ plan, opened }) => this.#takeFromBorder(kind, plan, { opened, job, signal }));
      await settleAll([...taking, this.#fetchSpans(kind, planSpans(inPacks), job, signal)]);
    } finally {
      offered?.();
    }
  }

  async #takeFromBorder(
    kind: ItemKind,
    plan: RecordPlan,
    from: {
      readonly opened: Promise<Uint8Array | undefined>;
      readonly job: FetchJob;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<void> {
    const plain = await from.opened;
    const copies = plain && copiesOf(plan.items, plain);
    if (copies === undefined) return await this.#fetchSpans(kind, planSpans([plan]), from.job, from.signal);
    for (const [name, bytes] of copies) from.job.found.bytes.set(name, bytes);
    plan.onOpened?.(plain as Uint8Array);
  }

  async #fetchSpans(
    kind: ItemKind,
    spans: readonly RecordSpan<RecordPlan>[],
    job: FetchJob,
    signal?: AbortSignal,
  ): Promise<void> {
    const gone: RecordPlan[] = [];
    const gonePacks = new Map(job.failed);
    const queue = spans.values();
    const work = async (): Promise<void> => {
      for (const span of queue) {
        signal?.throwIfAborted();
        try {
          const lost = await this.#openSpan(kind, span, { found: job.found, ...(signal && { signal }) });
          if (lost === undefined) continue;
          gone.push(...span.records);
          gonePacks.set(span.pack.number, lost);
        } catch (error) {
          signal?.throwIfAborted();
          if (!takeFailure(job.found, span.records, error)) throw error;
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

  /** @returns the pack, when it is gone or too few of its shards are at hand, and why where somebody says so */
  async #openSpan(
    kind: ItemKind,
    span: RecordSpan<RecordPlan>,
    { found, signal }: { readonly found: Finds; readonly signal?: AbortSignal },
  ): Promise<{ readonly pack: PackRow; readonly cause: StoreError | undefined } | undefined> {
    const { pack, offset } = span;
    const how = { verified: false, ...(signal && { signal }) };
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#source.readPack(pack, { offset, length: span.end - offset }, how);
    } catch (error) {
      if (isStoreError(error, 'SHARDS_INSUFFICIENT', 'BACKEND_UNREACHABLE')) return { pack, cause: error };
      if (!isStoreError(error, 'SHARD_CORRUPT')) throw error;
      await this.#failRecords(kind, span.records, { cause: error, found });
      return undefined;
    }
    if (bytes === undefined) return { pack, cause: undefined };
    found.memory?.push(bytes);
    for (const plan of span.records)
      await this.#openFrame(kind, plan, { bytes, offset, found, ...(signal && { signal }) });
    return undefined;
  }

  async #openFrame(
    kind: ItemKind,
    plan: RecordPlan,
    span: {
      readonly bytes: Uint8Array;
      readonly offset: number;
      readonly found: Finds;
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
      if (stored === undefined) return await this.#failRecords(kind, [plan], { cause: error, found: span.found });
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
    into: { readonly stored: Uint8Array; readonly found: Finds },
  ): Promise<void> {
    let plain: Uint8Array;
    try {
      plain = await decompress(plan.location.codec, into.stored, plan.location.plainLength);
    } catch (error) {
      if (!isStoreError(error, 'COMPRESSED_CORRUPT')) throw error;
      return await this.#failRecords(kind, [plan], { cause: error, found: into.found });
    }
    if (plan.location.codec !== CODEC_STORED) into.found.memory?.push(plain);
    plan.onOpened?.(plain);
    const proven: ProvenItem[] = [];
    let asked = 0;
    for (const { location } of plan.items) asked += location.length;
    for (const { digest, id, location } of plan.items) {
      const bytes = plain.subarray(location.inner, location.inner + location.length);
      if (!equalBytes(blake3(bytes), digest)) {
        const error = damageError(kind, 'CHUNK_CORRUPT', digest, 'is not what its digest says');
        await this.#fail(kind, [{ digest, id, pack: location.pack, error }], into.found);
        continue;
      }
      if (location.suspect && location.pack) proven.push({ id, pack: location.pack });
      // A few small chunks must not keep the megabyte of their record alive; most of a record may as well.
      into.found.bytes.set(toHex(digest), asked * 2 > plain.length ? bytes : copyBytes(bytes));
    }
    if (proven.length > 0) await this.#source.onProven(kind, proven);
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
    lost: {
      readonly location: ItemLocation | undefined;
      readonly cause: StoreError | undefined;
      readonly found: Finds;
    },
  ): Promise<void> {
    const { location, cause, found } = lost;
    if (cause?.kind === 'unavailable') {
      if (found.failures === undefined) throw cause;
      found.failures.set(toHex(digest), cause);
      return;
    }
    const text = cause ? `is missing: ${cause.message}` : 'is missing';
    const error = damageError(kind, 'CHUNK_MISSING', digest, text, cause);
    await this.#fail(kind, [{ digest, id, pack: location?.pack, error }], found);
  }

  async #failRecords(
    kind: ItemKind,
    plans: readonly RecordPlan[],
    { cause, found }: { readonly cause: StoreError; readonly found: Finds },
  ): Promise<void> {
    const items = plans.flatMap((plan) =>
      plan.items.map(({ digest, id, location }) => ({
        ...{ digest, id, pack: location.pack },
        error: damageError(kind, 'CHUNK_CORRUPT', digest, `cannot be read: ${cause.message}`, cause),
      })),
    );
    await this.#fail(kind, items, found);
  }

  /** Tells of items that are damaged; ends a read that does not go on past them. */
  async #fail(
    kind: ItemKind,
    items: readonly (DamagedItem & { readonly digest: Uint8Array })[],
    { failures }: Finds,
  ): Promise<void> {
    await this.#source.onDamage(kind, items);
    for (const { digest, error } of items) {
      if (failures === undefined) throw error;
      failures.set(toHex(digest), error);
    }
  }
}

function isSettled({ bytes, failures }: Finds & Required<Pick<Finds, 'failures'>>, digest: Uint8Array): boolean {
  const name = toHex(digest);
  return bytes.has(name) || failures.has(name);
}

/** Whether an error says something about records alone, and a read goes on past it. */
function takeFailure({ bytes, failures }: Finds, records: readonly RecordPlan[], error: unknown): boolean {
  if (failures === undefined || !isStoreError(error)) return false;
  // `METADATA_CORRUPT` may be about any item of the batch.
  if (error.code === 'METADATA_CORRUPT' || !['corrupt', 'unavailable', 'denied'].includes(error.kind)) return false;
  for (const { digest } of records.flatMap(({ items }) => items))
    if (!isSettled({ bytes, failures }, digest)) failures.set(toHex(digest), error);
  return true;
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

function lengthError(kind: ItemKind, { digest, length }: WantedItem): StoreError {
  return damageError(kind, 'CHUNK_CORRUPT', digest, `is not ${length} bytes long`);
}
