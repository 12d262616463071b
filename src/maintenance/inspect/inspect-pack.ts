/**
 * What a pack holds, read in pieces: header, footer and directory, then record by record, each proven by its trailer
 * and its items by their ids. Where a part is damaged those that do not need it are read all the same.
 */
import { equalBytes, toHex } from '../../bytes/bytes.ts';
import { decompress } from '../../compress/index.ts';
import { invariant, storeError } from '../../errors/store-error.ts';
import {
  type DirectoryItem,
  decodeDirectory,
  decodePackFooter,
  decodePackHeader,
  type ItemIds,
  identifyPack,
  itemId,
  openRecord,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackFooter,
  type PackHeader,
  type PackIdentity,
  packBytesOf,
  plainIds,
  RECORD_TRAILER_BYTES,
  type ShardHeader,
} from '../../format/index.ts';
import { blake3 } from '../../hash/index.ts';
import type { ByteSource } from './byte-source.ts';
import type { Findings } from './findings.ts';
import { inspectRecord } from './inspect-record.ts';
import type { InspectedItem, InspectedPack, InspectedRecord } from './report.ts';

/** What is known of a pack before its header was read. */
type Expected = Pick<ShardHeader, 'store' | 'pack'> | undefined;

/** The pack that a source is, from its first byte to its last. @param expected what its shard says of it */
export async function inspectPack(source: ByteSource, findings: Findings, expected?: Expected): Promise<InspectedPack> {
  const header = await inspectPackHeader(source, findings, expected);
  const told = { bytes: source.bytes, ...(header && { header: describeHeader(header) }) };
  const identity = await identify(header, findings, expected);
  if (identity === undefined) return told;
  const footer = await findings.part('pack footer', () => readFooter(source, identity));
  if (footer === undefined) return told;
  const items = await findings.part('pack directory', async () => {
    const { directoryOffset, directoryLength } = footer;
    return decodeDirectory(await source.read(directoryOffset, directoryLength), identity, footer);
  });
  if (items === undefined) return { ...told, footer };
  const journal = await inspectRecords({ source, identity, items }, findings);
  const isJournal = items.some(({ kind }) => kind === 'journal');
  return {
    ...{ ...told, footer, items: Object.freeze(items.slice(0, findings.limit).map(describeItem)) },
    ...(isJournal && { journal: Object.freeze(journal) }),
  };
}

/** The header of a pack, held against what its shard says. */
export async function inspectPackHeader(
  source: ByteSource,
  findings: Findings,
  expected?: Expected,
): Promise<PackHeader | undefined> {
  return await findings.part('pack header', async () => {
    const header = decodePackHeader(await source.read(0, PACK_HEADER_BYTES));
    const isExpected =
      expected === undefined || (equalBytes(header.pack, expected.pack) && equalBytes(header.store, expected.store));
    if (isExpected) return header;
    throw damaged(expected.pack, 'its header names another pack or store than its shard', 0);
  });
}

/** @returns what its frames open with; `undefined` when that cannot be told, or takes keys that are not there */
async function identify(
  header: PackHeader | undefined,
  findings: Findings,
  expected: Expected,
): Promise<PackIdentity | undefined> {
  if (header?.keyMode === 'sealed') {
    if (findings.keys === undefined) findings.lock('KEY_REQUIRED');
    else return await findings.part('pack', () => identifyPack(header, findings.keys));
    return undefined;
  }
  if (header) return await identifyPack(header, undefined);
  if (expected === undefined || findings.keys !== undefined) return undefined;
  // In a plain store its shard tells all that frames are bound to: the class is bound in sealed packs only.
  const { store, pack } = expected;
  return { store, pack, class: 'data', namespace: 0, epoch: 0, keyMode: 'plain' };
}

async function readFooter(source: ByteSource, identity: PackIdentity): Promise<PackFooter> {
  const offset = Math.max(0, source.bytes - PACK_FOOTER_BYTES);
  const footer = decodePackFooter(await source.read(offset, PACK_FOOTER_BYTES), identity);
  if (packBytesOf(footer) === source.bytes) return footer;
  throw damaged(identity.pack, `has ${source.bytes} bytes, and ${packBytesOf(footer)} by its footer`, offset);
}

/** Where records are read from. */
interface Records {
  readonly source: ByteSource;
  readonly identity: PackIdentity;
  readonly items: readonly DirectoryItem[];
}

/** Proves every record; @returns the journal records among them, as many as are told */
async function inspectRecords({ source, identity, items }: Records, findings: Findings): Promise<InspectedRecord[]> {
  const journal: InspectedRecord[] = [];
  for (let first = 0; first < items.length; ) {
    const record = items[first] as DirectoryItem;
    const { ordinal } = record;
    let end = first + 1;
    while (items[end]?.ordinal === ordinal) end += 1;
    const inRecord = items.slice(first, end);
    first = end;
    const place = { source, identity, items: inRecord };
    const plain = await findings.part(`record ${ordinal}`, () => openItems(place, findings));
    if (plain === undefined || record.kind !== 'journal' || journal.length >= findings.limit) continue;
    const told = await findings.part(`journal record in record ${ordinal}`, () => inspectRecord(plain, findings));
    if (told) journal.push(told);
  }
  return journal;
}

/**
 * Opens one record and proves that its items are those that its pack lists.
 * @param records whose items are all of one record, or some of them
 * @returns its plain bytes
 */
export async function openItems({ source, identity, items }: Records, findings: Findings): Promise<Uint8Array> {
  const [record] = items;
  invariant(record, 'a record has an item');
  const ids = await idsOf(identity, findings);
  const frame = await source.read(record.offset, record.storedLength + RECORD_TRAILER_BYTES);
  const bytes = await decompress(record.codec, openRecord(identity, record, frame), record.plainLength);
  for (const item of items) checkItem(identity, item, { bytes, ids });
  return bytes;
}

async function idsOf({ keyMode, namespace }: PackIdentity, { keys }: Findings): Promise<ItemIds> {
  if (keyMode === 'plain' || keys === undefined) return plainIds;
  return await keys.using(namespace, () => keys.ids(namespace));
}

function checkItem(
  { pack }: PackIdentity,
  item: DirectoryItem,
  { bytes, ids }: { readonly bytes: Uint8Array; readonly ids: ItemIds },
): void {
  const digest = blake3(bytes.subarray(item.inner, item.inner + item.length));
  if (!equalBytes(itemId(ids, item.kind, digest), item.id))
    throw damaged(pack, 'has an item that is not what its directory says', item.offset);
}

function damaged(pack: Uint8Array, why: string, offset: number): Error {
  const packId = toHex(pack);
  return storeError('PACK_CORRUPT', `pack ${packId}: ${why}`, { details: { packId, offset } });
}

/** A header as it is told. */
export function describeHeader(header: PackHeader): NonNullable<InspectedPack['header']> {
  const { store, pack, session, class: packClass, keyMode, namespace, epoch, salt } = header;
  return {
    ...{ store: toHex(store), pack: toHex(pack), session: toHex(session), class: packClass },
    ...{ keyMode, namespace, epoch },
    ...(salt && { salt: toHex(salt) }),
  };
}

/** An item as it is told. */
export function describeItem(item: DirectoryItem): InspectedItem {
  const { ordinal, kind, id, offset, storedLength, plainLength, codec, inner, length } = item;
  return { ordinal, kind, id: toHex(id), offset, storedLength, plainLength, codec, inner, length };
}
