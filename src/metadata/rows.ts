/** What the rows of each table say. The columns are in `schema.ts` and `sealed-schema.ts`. */
import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { EMPTY_BYTES, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { PACK_CLASS_CODES, packClassCode, RECORD_KIND_CODES } from '../format/type-codes.ts';
import type { ItemPosition, PackDescriptor, PackSeal, RecordItem, Stripe } from '../format/types.ts';
import type { SessionRow } from './collection-contract.ts';
import type { EntryRow, Head, InlineRecord, NamespaceCounters } from './contract.ts';
import { decodeSum, encodeSum, type TableSum } from './row-digest.ts';
import { decodeShards, encodeLocalColumns, LOCAL_COLUMNS, type PlacedPack } from './shard-columns.ts';
import type { Columns, TableShape } from './table.ts';

/** Kinds of items that have a row of their own: what a reader looks up by id. */
export type ItemKind = 'chunk' | 'manifest';

/** `pack` of an item whose record is still in the outbox. */
export const IN_OUTBOX = 0;

export interface ItemRow extends ItemPosition {
  readonly kind: ItemKind;
  readonly id: Uint8Array;
  /** Number of the pack, or `IN_OUTBOX`. */
  readonly pack: number;
  /** The commit that placed the item; of one that rode inline it stays when the record moves to a journal pack. */
  readonly commit: number;
  readonly suspect: boolean;
  /** That of the pack, 0 in the outbox and in plain stores. */
  readonly namespace: number;
  /** How many counted contents and manifest nodes name the item; what is not counted yet is in `uncounted`. */
  readonly refs: number;
  /** The epoch in which the item was condemned, 0 for one that is not. */
  readonly condemned: number;
}

/** Where an item is found, apart from what refers to it. */
export type PlacedItem = Omit<ItemRow, 'refs' | 'condemned'>;

export interface StoredPack extends PlacedPack {
  readonly number: number;
  /** Item rows that point here. */
  readonly items: number;
  /** No longer part of the state; its blob may still be there. */
  readonly dropped: boolean;
  /** Stored bytes of the items that are found here and that something counted refers to; see `liveShareOf`. */
  readonly liveBytes: number;
  /** The epoch of the last condemnation of items here, 0 for none: says where to look, decides nothing. Local. */
  readonly condemned: number;
}

/** Stored bytes that an item answers for: its part of the record it shares with others. */
export function liveShareOf({ refs, storedLength, length, plainLength }: ItemRow): number {
  return refs > 0 ? Math.ceil((storedLength * length) / plainLength) : 0;
}

export interface HeadRow extends Head {
  /** Incarnation that record `commit` names; `undefined` before the first. */
  readonly recordIncarnation: Uint8Array | undefined;
  /** The next number for a pack; numbers are never used again. */
  readonly nextPack: number;
  /** The epoch of now: rises with every condemnation. */
  readonly epoch: number;
  /** How far the census of references has come; see `census.ts`. `undefined`: nothing was counted yet. */
  readonly census: Uint8Array | undefined;
  /** The next number for a row of `uncounted`. */
  readonly nextReference: number;
  readonly entries: number;
  readonly logicalBytes: number;
  readonly chunks: number;
  readonly uniqueBytes: number;
  readonly packs: number;
  readonly storedBytes: number;
}

export interface StoredRecord {
  readonly commit: number;
  /** Bytes of the record and of its inline records, to page by. */
  readonly bytes: number;
  readonly record: Uint8Array;
}

export interface StoredInlineRecord extends InlineRecord {
  readonly commit: number;
  readonly ordinal: number;
}

const { chunk, manifest } = RECORD_KIND_CODES;
const ITEM_KIND_CODES: Readonly<Record<ItemKind, number>> = { chunk, manifest };

export function itemKey(kind: ItemKind, id: Uint8Array): readonly [number, Uint8Array] {
  return [ITEM_KIND_CODES[kind], id];
}

/** A code beyond those known went through the row digest, so a newer Holdfast wrote it. */
function nameOf<Name extends string>(codes: Readonly<Record<Name, number>>, code: number): Name {
  for (const name of Object.keys(codes) as Name[]) if (codes[name] === code) return name;
  throw storeError('FORMAT_UNSUPPORTED', `the metadata holds the unknown code ${code}`);
}

/** Missing is unlike zero bytes: a `journal` place is there as a whole or not. */
function decodeJournalPlace(columns: Columns): Pick<PackDescriptor, 'journal'> {
  const incarnation = columns.optionalBytes('incarnation');
  if (!incarnation) return {};
  const firstCommit = columns.integer('first_commit');
  return { journal: { incarnation, firstCommit, lastCommit: columns.integer('last_commit') } };
}

function decodeStripe(columns: Columns): Stripe {
  return {
    id: columns.bytes('stripe_id'),
    k: columns.integer('data_shards'),
    m: columns.integer('parity_shards'),
    roots: columns.bytes('roots'),
  };
}

function decodeSeal(columns: Columns): { readonly seal?: PackSeal } {
  const salt = columns.optionalBytes('salt');
  if (!salt) return {};
  return { seal: { namespace: columns.integer('namespace'), epoch: columns.integer('epoch'), salt } };
}

export const packsShape: TableShape<StoredPack> = {
  name: 'packs',
  keyColumns: ['number'],
  valueColumns: [
    ...['id', 'class', 'pack_bytes', 'stored_bytes', 'stripe_id', 'data_shards', 'parity_shards', 'roots'],
    ...['incarnation', 'first_commit', 'last_commit', 'items', 'dropped', 'live_bytes'],
  ],
  laterColumns: ['live_bytes'],
  localColumns: [...LOCAL_COLUMNS, 'condemned'],
  sealedColumns: ['namespace', 'epoch', 'salt'],
  clearColumns: ['id', 'class', 'pack_bytes', 'first_commit', 'last_commit', 'dropped', 'namespace', 'epoch'],
  keyOf: ({ number }) => [number],
  encode: (pack) => {
    const { number, descriptor, items, dropped, liveBytes, condemned } = pack;
    const { id, packBytes, storedBytes, stripe, journal, seal } = descriptor;
    const shape = [number, id, packClassCode(descriptor.class), packBytes, storedBytes, stripe.id, stripe.k, stripe.m];
    const place = [journal?.incarnation ?? null, journal?.firstCommit ?? 0, journal?.lastCommit ?? 0];
    const key = [seal?.namespace ?? 0, seal?.epoch ?? null, seal?.salt ?? null];
    const live = [dropped ? 1 : 0, liveBytes || null, ...encodeLocalColumns(pack), condemned];
    return [...shape, stripe.roots, ...place, items, ...live, ...key];
  },
  decode: (columns) => {
    const stripe = decodeStripe(columns);
    const shards = decodeShards(columns.unchecked('shards'), stripe.k + stripe.m);
    return {
      number: columns.integer('number'),
      descriptor: {
        id: columns.bytes('id'),
        class: nameOf(PACK_CLASS_CODES, columns.integer('class')),
        packBytes: columns.integer('pack_bytes'),
        storedBytes: columns.integer('stored_bytes'),
        stripe,
        ...decodeJournalPlace(columns),
        ...decodeSeal(columns),
        ...(shards && { places: shards.places }),
      },
      items: columns.integer('items'),
      dropped: columns.integer('dropped') === 1,
      liveBytes: columns.optionalInteger('live_bytes') ?? 0,
      condemned: Number(columns.unchecked('condemned') ?? 0),
      ...(shards && { verified: shards.verified }),
    };
  },
};

export const itemsShape: TableShape<ItemRow> = {
  name: 'items',
  keyColumns: ['kind', 'id'],
  valueColumns: [
    ...['pack', 'commit_number', 'ordinal', 'record_offset', 'stored_length', 'plain_length', 'codec'],
    ...['inner_offset', 'length', 'refs', 'condemned'],
  ],
  laterColumns: ['refs', 'condemned'],
  localColumns: ['suspect'],
  sealedColumns: ['namespace'],
  // Whoever asks without keys which items are there must not be told of condemned ones.
  clearColumns: ['namespace', 'condemned'],
  keyOf: ({ kind, id }) => itemKey(kind, id),
  encode: (row) => [
    ...[ITEM_KIND_CODES[row.kind], row.id, row.pack, row.commit, row.ordinal, row.offset, row.storedLength],
    ...[row.plainLength, row.codec, row.inner, row.length, row.refs || null, row.condemned || null],
    ...[row.suspect ? 1 : 0, row.namespace],
  ],
  decode: (columns) => ({
    kind: nameOf(ITEM_KIND_CODES, columns.integer('kind')),
    id: columns.bytes('id'),
    pack: columns.integer('pack'),
    commit: columns.integer('commit_number'),
    ordinal: columns.integer('ordinal'),
    offset: columns.integer('record_offset'),
    storedLength: columns.integer('stored_length'),
    plainLength: columns.integer('plain_length'),
    codec: columns.integer('codec'),
    inner: columns.integer('inner_offset'),
    length: columns.integer('length'),
    suspect: columns.integer('suspect') !== 0,
    namespace: columns.optionalInteger('namespace') ?? 0,
    refs: columns.optionalInteger('refs') ?? 0,
    condemned: columns.optionalInteger('condemned') ?? 0,
  }),
};

/** Names and attributes have lengths of their own: padding lets few of them be told apart. */
const ENTRY_PAD_BYTES = 64;

export const entriesShape: TableShape<EntryRow> = {
  name: 'entries',
  keyColumns: ['key'],
  valueColumns: ['version', 'size', 'created', 'modified', 'entry'],
  sealedColumns: ['namespace'],
  clearColumns: ['namespace'],
  hiddenKey: true,
  padBytes: ENTRY_PAD_BYTES,
  encode: (row) => [
    ...[row.key, row.version, row.size, row.created, row.modified, row.entry],
    ...[namespaceOfKey(row.key)],
  ],
  decode: (columns) => ({
    key: columns.bytes('key'),
    version: columns.bytes('version'),
    entry: columns.bytes('entry'),
    size: columns.integer('size'),
    created: columns.integer('created'),
    modified: columns.integer('modified'),
  }),
};

export const outboxShape: TableShape<StoredRecord> = {
  name: 'outbox',
  keyColumns: ['commit_number'],
  valueColumns: ['bytes', 'record'],
  clearColumns: ['bytes'],
  encode: (row) => [row.commit, row.bytes, row.record],
  decode: (columns) => ({
    commit: columns.integer('commit_number'),
    bytes: columns.integer('bytes'),
    record: columns.bytes('record'),
  }),
};

const ITEM_ID_BYTES = 32;
const ITEM_BYTES = ITEM_ID_BYTES + 4;

function encodeItems(items: readonly RecordItem[]): Uint8Array {
  const writer = new BinaryWriter(items.length * ITEM_BYTES);
  for (const { id, length } of items) {
    invariant(id.length === ITEM_ID_BYTES, 'an id has 32 bytes');
    writer.put(id).u32(length);
  }
  return writer.bytes;
}

function decodeItems(bytes: Uint8Array): readonly RecordItem[] {
  const reader = new BinaryReader(bytes, (what) => {
    throw storeError('METADATA_CORRUPT', `metadata table outbox_records: the list of items ${what}`);
  });
  const items: RecordItem[] = [];
  while (reader.remaining > 0) items.push({ id: reader.bytes(ITEM_ID_BYTES).slice(), length: reader.u32() });
  return items;
}

export const outboxRecordsShape: TableShape<StoredInlineRecord> = {
  name: 'outbox_records',
  keyColumns: ['commit_number', 'ordinal'],
  valueColumns: ['codec', 'plain_length', 'items', 'stored'],
  encode: (row) => [row.commit, row.ordinal, row.codec, row.plainLength, encodeItems(row.items), row.stored],
  decode: (columns) => ({
    commit: columns.integer('commit_number'),
    ordinal: columns.integer('ordinal'),
    codec: columns.integer('codec'),
    plainLength: columns.integer('plain_length'),
    items: decodeItems(columns.bytes('items')),
    stored: columns.bytes('stored'),
  }),
};

export const sessionsShape: TableShape<SessionRow> = {
  name: 'sessions',
  keyColumns: ['id'],
  valueColumns: ['epoch', 'beat', 'process', 'ended'],
  laterColumns: ['epoch', 'beat', 'process', 'ended'],
  encode: ({ id, epoch, beat, process, ended }) => [
    ...[id, epoch || null, beat || null, process === '' ? null : utf8Encode(process), ended ? 1 : null],
  ],
  decode: (columns) => ({
    id: columns.bytes('id'),
    epoch: columns.optionalInteger('epoch') ?? 0,
    beat: columns.optionalInteger('beat') ?? 0,
    process: utf8Decode(columns.optionalBytes('process') ?? EMPTY_BYTES),
    ended: columns.optionalInteger('ended') === 1,
  }),
};

/** Counters of a namespace; a namespace that holds nothing has no row. */
export interface NamespaceRow extends NamespaceCounters {
  readonly number: number;
}

export const namespacesShape: TableShape<NamespaceRow> = {
  name: 'namespaces',
  keyColumns: ['number'],
  valueColumns: ['entries', 'logical_bytes', 'chunks', 'unique_bytes', 'stored_bytes'],
  encode: (row) => [row.number, row.entries, row.logicalBytes, row.chunks, row.uniqueBytes, row.storedBytes],
  decode: (columns) => ({
    number: columns.integer('number'),
    entries: columns.integer('entries'),
    logicalBytes: columns.integer('logical_bytes'),
    chunks: columns.integer('chunks'),
    uniqueBytes: columns.integer('unique_bytes'),
    storedBytes: columns.integer('stored_bytes'),
  }),
};

/** An isolation namespace that was dropped and whose key page is still to be destroyed. */
export interface ShredRow {
  readonly namespace: number;
}

export const shredsShape: TableShape<ShredRow> = {
  name: 'shreds',
  keyColumns: ['namespace'],
  valueColumns: [],
  encode: (row) => [row.namespace],
  decode: (columns) => ({ namespace: columns.integer('namespace') }),
};

/** The one row of the head. */
export const HEAD_KEY = [1] as const;

export const headShape: TableShape<HeadRow> = {
  name: 'head',
  keyColumns: ['id'],
  valueColumns: [
    ...['commit_number', 'record_digest', 'incarnation', 'record_incarnation', 'flushed', 'next_pack'],
    ...['entries', 'logical_bytes', 'chunks', 'unique_bytes', 'packs', 'stored_bytes'],
    ...['epoch', 'next_reference', 'census'],
  ],
  laterColumns: ['epoch', 'next_reference', 'census'],
  encode: (row) => [
    ...[...HEAD_KEY, row.commit, row.digest, row.incarnation, row.recordIncarnation ?? null, row.flushed],
    ...[row.nextPack, row.entries, row.logicalBytes, row.chunks, row.uniqueBytes, row.packs, row.storedBytes],
    ...[row.epoch || null, row.nextReference || null, row.census ?? null],
  ],
  decode: (columns) => ({
    commit: columns.integer('commit_number'),
    digest: columns.bytes('record_digest'),
    incarnation: columns.bytes('incarnation'),
    recordIncarnation: columns.optionalBytes('record_incarnation'),
    flushed: columns.integer('flushed'),
    nextPack: columns.integer('next_pack'),
    entries: columns.integer('entries'),
    logicalBytes: columns.integer('logical_bytes'),
    chunks: columns.integer('chunks'),
    uniqueBytes: columns.integer('unique_bytes'),
    packs: columns.integer('packs'),
    storedBytes: columns.integer('stored_bytes'),
    epoch: columns.optionalInteger('epoch') ?? 0,
    nextReference: columns.optionalInteger('next_reference') ?? 0,
    census: columns.optionalBytes('census'),
  }),
};

/** What is kept of a table while running, to be compared with its rows. */
export interface SumRow extends TableSum {
  readonly name: string;
}

/** @param digestBytes of the digests that are summed */
export function sumsShapeOf(digestBytes: number): TableShape<SumRow> {
  return {
    name: 'table_sums',
    keyColumns: ['name'],
    valueColumns: ['row_count', 'digest_sum'],
    encode: (row) => [row.name, row.rows, encodeSum(row.sum, digestBytes)],
    decode: (columns) => ({
      name: columns.text('name'),
      rows: columns.integer('row_count'),
      sum: decodeSum(columns.bytes('digest_sum')),
    }),
  };
}

export interface SettingRow {
  readonly name: string;
  readonly value: Uint8Array;
}

export const settingsShape: TableShape<SettingRow> = {
  name: 'settings',
  keyColumns: ['name'],
  valueColumns: ['value'],
  encode: (row) => [row.name, row.value],
  decode: (columns) => ({ name: columns.text('name'), value: columns.bytes('value') }),
};
