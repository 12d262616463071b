import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { createHasher, formatDigest, parseDigest } from '../../hash/index.ts';
import { DigestCheck } from '../http/digest-fields.ts';
import { putOptionsOf } from '../http/entry-headers.ts';
import { conditionsOf, putContent, statIfAny } from '../put-content.ts';
import type { Call } from '../route.ts';
import { type UploadFields, uploadFields } from './upload-fields.ts';
import type { UploadFile, UploadResult } from './upload-file.ts';
import type { UploadOwner, UploadSpool } from './upload-spool.ts';

/** What the same content would meet again: such an upload is over. */
const FINAL_CODES = [
  'PRECONDITION_FAILED',
  'ENTRY_EXISTS',
  'CONDITION_REQUIRED',
  'ACTION_FORBIDDEN',
  'CONTENT_MISMATCH',
  'UPLOAD_CORRUPT',
  'NAMESPACE_NOT_FOUND',
] as const;

/** What one request may do to uploads: those of its caller, for the entries that it is about. */
export class CallUploads extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  /** The entry that an upload has become. */
  result: UploadResult | undefined;
  /** What was wrong with the body: the protocol's server knows only that something was. */
  bodyError: unknown;
  readonly #call: Call;
  readonly #spool: UploadSpool;
  readonly #owner: UploadOwner;

  constructor(call: Call, spool: UploadSpool, owner: UploadOwner) {
    super();
    this.#call = call;
    this.#spool = spool;
    this.#owner = owner;
  }

  override getExpiration(): number {
    return this.#spool.keptMs;
  }

  override async create(upload: Upload): Promise<Upload> {
    const { id, size = 0, metadata = {} } = upload;
    await this.#check(uploadFields(metadata));
    const head = { version: 1 as const, ...this.#owner, length: size };
    await this.#spool.create(id, head, { facts: { metadata }, quotaLeft: await this.#quotaLeft() });
    if (size === 0) await this.getUpload(id);
    return upload;
  }

  /** Tells of an upload; one of which all has come is finished first, so that whoever is told so can rely on it. */
  override async getUpload(id: string): Promise<Upload> {
    const { file, changedMs } = await this.#spool.open(id, this.#owner);
    await using _ = file;
    if (file.offset === file.head.length) await this.#finish(file, id);
    return new Upload({
      id,
      size: file.head.length,
      offset: file.offset,
      metadata: file.facts.metadata,
      creation_date: new Date(changedMs).toISOString(),
    });
  }

  override async write(stream: Readable, id: string): Promise<number> {
    const { file } = await this.#spool.open(id, this.#owner);
    await using _ = file;
    const start = file.offset;
    try {
      await file.append(stream);
    } catch (error) {
      // Of a body that is not what its head says, nothing is kept; of one that broke off, what came.
      if (isStoreError(this.bodyError, 'CONTENT_MISMATCH')) await file.cutBackTo(start);
      throw error;
    }
    if (file.offset === file.head.length) await this.#finish(file, id);
    return file.offset;
  }

  override async remove(id: string): Promise<void> {
    const { file } = await this.#spool.open(id, this.#owner);
    await file[Symbol.asyncDispose]();
    await this.#spool.remove(id);
  }

  /** Fails now where storing would fail in the end. */
  async #check({ key, headers }: UploadFields): Promise<void> {
    const { signal } = this.#call;
    putOptionsOf(headers);
    new DigestCheck(headers).update(new Uint8Array());
    const { ifAbsent } = { ifAbsent: false, ...(await conditionsOf(this.#call, key, { headers, signal })) };
    if (key !== null && (await this.#call.entries.has(key, { signal })) && ifAbsent)
      throw storeError('ENTRY_EXISTS', `there is an entry ${JSON.stringify(key)} already`, { details: { key } });
  }

  async #quotaLeft(): Promise<number | undefined> {
    const { store, signal } = this.#call;
    if (!store.sealed) return undefined;
    const { quotaBytes, logicalBytes } = await store.namespaces.stat(this.#owner.namespace, { signal });
    return quotaBytes === undefined ? undefined : quotaBytes - logicalBytes;
  }

  /** Makes the entry, once: also after a crash between storing it and remembering that. */
  async #finish(file: UploadFile, id: string): Promise<void> {
    try {
      if (file.result === undefined) {
        const fields = uploadFields(file.facts.metadata);
        const result =
          (file.hasBegun ? await this.#found(file, fields) : undefined) ?? (await this.#store(file, fields));
        await file.finish({ key: result.key, version: result.version });
      }
      this.result = file.result;
    } catch (error) {
      if (isStoreError(error, ...FINAL_CODES)) await this.#spool.remove(id);
      throw error;
    }
  }

  async #store(file: UploadFile, { key, headers }: UploadFields): Promise<UploadResult> {
    await file.begin();
    // It goes on without the client: whoever asks next is told what came of it.
    const { signal } = new AbortController();
    return await putContent(this.#call, key, { headers, body: checked(file, headers), signal });
  }

  /** The entry, where it was stored before. */
  async #found(file: UploadFile, { key, headers }: UploadFields): Promise<UploadResult | undefined> {
    const entry = key === null ? undefined : await statIfAny(this.#call, key);
    const { contentType, attributes = {} } = putOptionsOf(headers);
    const isLike = entry?.size === file.head.length && entry.contentType === contentType;
    if (!entry || !isLike || !isSame(entry.attributes, attributes)) return undefined;
    const { algorithm } = parseDigest(entry.digest);
    const hasher = createHasher(algorithm);
    for await (const bytes of file.read()) hasher.update(bytes);
    return formatDigest(algorithm, hasher.digest()) === entry.digest ? entry : undefined;
  }
}

function isSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

async function* checked(file: UploadFile, headers: Headers): AsyncGenerator<Uint8Array> {
  const check = new DigestCheck(headers);
  for await (const bytes of file.read()) {
    check.update(bytes);
    yield bytes;
  }
  check.finish();
}
