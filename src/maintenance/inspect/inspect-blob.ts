/** Blobs of every kind but shards and packs, and which kind a blob is: by its first bytes, or by the name it has. */
import { toHex, utf8Decode } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import {
  BACKEND_MARKER_KEY,
  decapsulateMessageKeys,
  decodeBackendMarker,
  decodeKeyPage,
  decodeMessageHead,
  decodeStoreConfig,
  KEY_PAGE_BYTES,
  KEY_PAGES_PREFIX,
  keyPageNamespace,
  MESSAGE_ID_BYTES,
  MESSAGE_PART_BYTES_MAX,
  type MessageHead,
  messageFail,
  openMessageHead,
  openMessagePart,
  PACK_FOOTER_BYTES,
  parseInboxKey,
  parseShardKey,
  readPieces,
  SHARD_TAIL_BYTES,
  STORE_CONFIG_KEY,
  verifyMessageHead,
} from '../../format/index.ts';
import { INBOX_HEAD_BYTES_MAX, STORE_CONFIG_BYTES_MAX } from '../../limits.ts';
import { type ByteSource, readSmall } from './byte-source.ts';
import type { Findings } from './findings.ts';
import { inspectPack } from './inspect-pack.ts';
import { inspectShard } from './inspect-shard.ts';
import type { BlobKind, InspectedMessage, InspectedMessagePart, Inspection } from './report.ts';

/** A blob to look at. */
export interface BlobToInspect {
  readonly source: ByteSource;
  /** Its backend key, as far as its path tells: what it should be where its first bytes are damaged. */
  readonly key?: string | undefined;
  /** The head of the message of which it is a part. */
  readonly head?: (() => Promise<Uint8Array | undefined>) | undefined;
}

type Parts = Omit<Inspection, 'kind' | 'bytes' | 'outcome' | 'problems' | 'problemCount' | 'locked' | 'path'>;

const MAGIC_BYTES = 8;
/** Where a message head has the id of its message. */
const MESSAGE_AT = 32;
const KINDS_BY_MAGIC: Readonly<Record<string, BlobKind>> = {
  HOLDSHRD: 'shard',
  HOLDPACK: 'pack',
  HOLDKEYS: 'key page',
  HOLDMAIL: 'message head',
};
const KINDS_BY_END: readonly (readonly [kind: BlobKind, magic: string, bytes: number])[] = [
  ['shard', 'HOLDTAIL', SHARD_TAIL_BYTES],
  ['pack', 'HOLDFOOT', PACK_FOOTER_BYTES],
];
/** A marker has some 140 bytes. */
const MARKER_BYTES_MAX = 4096;
/** What other files begin with, for a message that helps. */
const OTHERS: readonly (readonly [name: string, front: RegExp])[] = [
  ['a zstd frame', /^28b52ffd/],
  ['gzip', /^1f8b/],
  ['a zip archive', /^504b0304/],
  ['a SQLite database', /^53514c69746520/],
  ['JSON', /^7b/],
  ['a text', /^([2-7][0-9a-f]|0a|0d|09)+$/],
];

/**
 * What a blob holds.
 * @throws `invalid/FILE_UNKNOWN` for what is none of Holdfast's
 */
export async function inspectBlob(blob: BlobToInspect, findings: Findings): Promise<Inspection> {
  const { source } = blob;
  const front = await source.read(0, MAGIC_BYTES);
  const kind =
    KINDS_BY_MAGIC[latin1(front)] ??
    kindByKey(blob.key) ??
    (await kindByEnd(source)) ??
    (await kindOfJson(source, front));
  if (kind === undefined) throw unknownFile(front, source.bytes);
  const parts = await READERS[kind](blob, findings);
  return { kind, bytes: source.bytes, ...findings.verdict(), ...parts };
}

const READERS: Readonly<Record<BlobKind, (blob: BlobToInspect, findings: Findings) => Promise<Parts>>> = {
  shard: ({ source }, findings) => inspectShard(source, findings),
  pack: async ({ source }, findings) => ({ pack: await inspectPack(source, findings) }),
  config: inspectConfig,
  'backend marker': inspectMarker,
  'key page': inspectKeyPage,
  'message head': inspectMessageHead,
  'message part': inspectMessagePart,
};

function kindByKey(key: string | undefined): BlobKind | undefined {
  if (key === undefined) return undefined;
  if (key === STORE_CONFIG_KEY) return 'config';
  if (key === BACKEND_MARKER_KEY) return 'backend marker';
  if (key.startsWith(KEY_PAGES_PREFIX)) return 'key page';
  const message = parseInboxKey(key);
  if (message) return message.part === undefined ? 'message head' : 'message part';
  return parseShardKey(key) ? 'shard' : undefined;
}

/** Where the front is damaged and the name says nothing. */
async function kindByEnd(source: ByteSource): Promise<BlobKind | undefined> {
  for (const [kind, magic, bytes] of KINDS_BY_END) {
    if (source.bytes < bytes) continue;
    if (latin1(await source.read(source.bytes - bytes, MAGIC_BYTES)) === magic) return kind;
  }
  return undefined;
}

/** A config or a marker under another name. */
async function kindOfJson(source: ByteSource, front: Uint8Array): Promise<BlobKind | undefined> {
  if (latin1(front)[0] !== '{' || source.bytes > STORE_CONFIG_BYTES_MAX) return undefined;
  const text = latin1(await source.read(0, source.bytes));
  if (!/"storeId"/.test(text) || !/"format"/.test(text)) return undefined;
  return /"backendId"/.test(text) ? 'backend marker' : 'config';
}

async function inspectConfig({ source }: BlobToInspect, findings: Findings): Promise<Parts> {
  const config = await findings.part('config', async () =>
    decodeStoreConfig(await readSmall(source, STORE_CONFIG_BYTES_MAX, 'config')),
  );
  const keyring = findings.keys?.keyring;
  if (config && config.keys !== 'none' && keyring === undefined) findings.lock('KEY_REQUIRED');
  if (config === undefined || keyring === undefined) return { ...(config && { config }) };
  const writers = keyring.writers.map(({ label, fingerprint, namespace }) => ({ label, fingerprint, namespace }));
  return { config, ring: { epochs: keyring.epochs, namespaces: keyring.namespaces, writers } };
}

async function inspectMarker({ source }: BlobToInspect, findings: Findings): Promise<Parts> {
  const marker = await findings.part('backend marker', async () =>
    decodeBackendMarker(await readSmall(source, MARKER_BYTES_MAX, 'backend marker')),
  );
  return { ...(marker && { marker }) };
}

/** Never its secret: whether the keys open it. */
async function inspectKeyPage({ source }: BlobToInspect, findings: Findings): Promise<Parts> {
  const bytes = await readSmall(source, 2 * KEY_PAGE_BYTES, 'key page');
  const namespace = await findings.part('key page', () => keyPageNamespace(bytes));
  const { keys } = findings;
  if (namespace === undefined) return {};
  if (keys === undefined) {
    findings.lock('KEY_REQUIRED');
    return { keyPage: { namespace } };
  }
  const opens = await findings.part('key page', () => {
    decodeKeyPage(bytes, namespace, keys.keyring.schedule).fill(0);
    return true;
  });
  return { keyPage: { namespace, opens: opens === true } };
}

async function inspectMessageHead({ source, key }: BlobToInspect, findings: Findings): Promise<Parts> {
  const bytes = await readSmall(source, INBOX_HEAD_BYTES_MAX, 'message');
  const head = await findings.part('message head', () => decodeHead(bytes, key));
  if (head === undefined) return {};
  const message: InspectedMessage = {
    ...{ store: toHex(head.store), message: toHex(head.message), namespace: head.namespace, epoch: head.epoch },
    ...{ writer: toHex(head.writer), signed: verifyMessageHead(head) },
  };
  const entry = await findings.part('message entry', () => openEntry(head, findings));
  if (entry === undefined) return { message };
  const { contentType, attributes, size, parts } = entry;
  const told = {
    ...{ key: utf8Decode(entry.key), attributes, digest: toHex(entry.digest), size, parts },
    ...(contentType !== undefined && { contentType }),
  };
  return { message: { ...message, entry: told } };
}

/** A head names its message itself; where its place does too, the two must agree. */
function decodeHead(bytes: Uint8Array, key: string | undefined): MessageHead {
  const named = key === undefined ? undefined : parseInboxKey(key)?.message;
  const id = toHex(bytes.subarray(MESSAGE_AT, MESSAGE_AT + MESSAGE_ID_BYTES));
  // One that is cut off before its id is damaged whatever it is called.
  return decodeMessageHead(bytes, named ?? id.padEnd(2 * MESSAGE_ID_BYTES, '0'));
}

function openEntry(head: MessageHead, findings: Findings): ReturnType<typeof openMessageHead> | undefined {
  const { keys } = findings;
  if (keys) return openMessageHead(head, decapsulateMessageKeys(head, keys.keyring.schedule));
  findings.lock('KEY_REQUIRED');
  return undefined;
}

async function inspectMessagePart({ source, key, head }: BlobToInspect, findings: Findings): Promise<Parts> {
  const { message = '', part: index = 0 } = (key === undefined ? undefined : parseInboxKey(key)) ?? {};
  const bytes = await readSmall(source, MESSAGE_PART_BYTES_MAX, 'part of a message');
  const { keys } = findings;
  if (keys === undefined) {
    findings.lock('KEY_REQUIRED');
    return { part: { message, index } };
  }
  const pieces = await findings.part('message part', async () => {
    const headBytes = await head?.();
    if (headBytes === undefined) return undefined;
    const secrets = decapsulateMessageKeys(decodeMessageHead(headBytes, message), keys.keyring.schedule);
    return piecesOf(openMessagePart(secrets.part, { index, bytes }, messageFail(message)), message, findings.limit);
  });
  return { part: { message, index, ...pieces } };
}

function piecesOf(
  plain: Uint8Array,
  message: string,
  limit: number,
): Required<Pick<InspectedMessagePart, 'pieces' | 'pieceCount'>> {
  const pieces: { readonly length: number; readonly chunk?: string }[] = [];
  let pieceCount = 0;
  for (const piece of readPieces(plain, messageFail(message))) {
    pieceCount += 1;
    if (pieces.length === limit) continue;
    pieces.push(piece.digest ? { length: piece.length, chunk: toHex(piece.digest) } : { length: piece.bytes.length });
  }
  return { pieces, pieceCount };
}

function unknownFile(front: Uint8Array, size: number): Error {
  const hex = toHex(front);
  const [looksLike = 'nothing that is known'] = OTHERS.find(([, pattern]) => pattern.test(hex)) ?? [];
  const is = size === 0 ? 'it is empty' : `it looks like ${looksLike}`;
  return storeError('FILE_UNKNOWN', `this is none of the files that Holdfast makes: ${is}`, { details: { size } });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
