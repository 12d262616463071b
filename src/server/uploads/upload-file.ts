/**
 * The file of one unfinished upload: length u32 | head, JSON | records. The head says in the clear whose it is and how large it
 * will be, which the server counts by; everything else is sealed. Content is only ever added at the end.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { UPLOAD_HEAD_BYTES_MAX, UPLOAD_UNSYNCED_BYTES_MAX } from '../../limits.ts';
import { nodeFileSystem } from '../../runtime/file-system.ts';
import {
  OpenRecord,
  openRecord,
  parseRecordHead,
  RECORD_EXTRA_BYTES,
  RECORD_HEAD_BYTES,
  RECORD_KINDS,
  type RecordKind,
  type RecordSeal,
  sealOf,
} from './upload-record.ts';

const MODE_OWNER = 0o600;
const HEAD_AT = 4;
const NAME_DIGITS = 32;

const headSchema = z.strictObject({
  version: z.literal(1),
  namespace: z.string(),
  owner: z.string(),
  length: z.int().min(0),
  /** Of one that has become an entry: it is told of a while longer, and takes no room. */
  finished: z.literal(true).exactOptional(),
});

/** What is said in the clear. */
export type UploadHead = z.infer<typeof headSchema>;

const factsSchema = z.strictObject({ metadata: z.record(z.string(), z.string().nullable()) });
const resultSchema = z.strictObject({ key: z.string(), version: z.string() });

/** What an upload was created with. */
export type UploadFacts = z.infer<typeof factsSchema>;
/** The entry that a finished one became. */
export type UploadResult = z.infer<typeof resultSchema>;

/** Name of the file of an upload: its address cannot be made of it. */
export function uploadFileName(secret: string): string {
  return createHash('sha256').update(`holdfast upload ${secret}`).digest('hex').slice(0, NAME_DIGITS);
}

async function readFull(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function writeFull(handle: FileHandle, pieces: Uint8Array[], position: number): Promise<number> {
  const bytes = Buffer.concat(pieces);
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
  return position + bytes.length;
}

function encodeHead(head: UploadHead): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(HEAD_AT);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}

/** @returns the head as it stands in the file, and what it says; `undefined` for a file that is none of ours */
async function readHead(handle: FileHandle): Promise<{ bytes: Buffer; head: UploadHead } | undefined> {
  const start = await readFull(handle, HEAD_AT + UPLOAD_HEAD_BYTES_MAX, 0);
  if (start.length < HEAD_AT) return undefined;
  const bytes = start.subarray(0, HEAD_AT + start.readUInt32LE());
  try {
    return { bytes, head: headSchema.parse(JSON.parse(bytes.toString('utf8', HEAD_AT))) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** What is said in the clear of the upload in a file; `undefined` when it says nothing. */
export async function readUploadHead(file: string): Promise<UploadHead | undefined> {
  const handle = await open(file, 'r');
  try {
    return (await readHead(handle))?.head;
  } finally {
    await handle.close();
  }
}

function jsonRecord(seal: RecordSeal, record: { kind: RecordKind; value: object; position: number }): Uint8Array[] {
  const open = new OpenRecord(seal, record.kind, record.position);
  open.add(Buffer.from(JSON.stringify(record.value)));
  return open.end();
}

/** Makes a file of an upload, whole or not at all. @param result of one that is finished */
async function createFile(
  file: string,
  secret: string,
  said: { readonly head: UploadHead; readonly facts: UploadFacts; readonly result?: UploadResult },
): Promise<void> {
  const head = encodeHead(said.head);
  const seal = sealOf(Buffer.from(secret, 'base64url'), head);
  const next = `${file}.new`;
  const handle = await open(next, 'w', MODE_OWNER);
  try {
    let end = await writeFull(handle, [head], 0);
    end = await writeFull(handle, jsonRecord(seal, { kind: 'facts', value: said.facts, position: end }), end);
    if (said.result)
      await writeFull(handle, jsonRecord(seal, { kind: 'result', value: said.result, position: end }), end);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  await nodeFileSystem.syncDirectory(path.dirname(file));
}

/** An upload, open for one request at a time. */
export class UploadFile implements AsyncDisposable {
  readonly head: UploadHead;
  readonly #file: string;
  readonly #secret: string;
  readonly #handle: FileHandle;
  readonly #seal: RecordSeal;
  /** Where the next record goes, and where each of content begins. */
  #end = 0;
  readonly #content: { readonly position: number; readonly length: number }[] = [];
  #facts: UploadFacts = { metadata: {} };
  #offset = 0;
  #hasBegun = false;
  #result: UploadResult | undefined;

  private constructor(file: string, secret: string, opened: { handle: FileHandle; head: UploadHead; bytes: Buffer }) {
    this.#file = file;
    this.#secret = secret;
    this.#handle = opened.handle;
    this.head = opened.head;
    this.#end = opened.bytes.length;
    this.#seal = sealOf(Buffer.from(secret, 'base64url'), opened.bytes);
  }

  /** Makes one of which nothing has come yet; durable when this resolves. */
  static create(file: string, secret: string, said: { head: UploadHead; facts: UploadFacts }): Promise<void> {
    return createFile(file, secret, said);
  }

  /** @throws the system's `ENOENT`; `corrupt/UPLOAD_CORRUPT` when not even its beginning can be read */
  static async open(file: string, secret: string): Promise<UploadFile> {
    const handle = await open(file, 'r+');
    try {
      const read = await readHead(handle);
      if (read === undefined) throw storeError('UPLOAD_CORRUPT', 'what was taken of the upload is damaged');
      const upload = new UploadFile(file, secret, { handle, ...read });
      await upload.#load();
      return upload;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get facts(): UploadFacts {
    return this.#facts;
  }

  /** How many bytes of content are here. */
  get offset(): number {
    return this.#result === undefined ? this.#offset : this.head.length;
  }

  /** Whether somebody began to store the content before. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get result(): UploadResult | undefined {
    return this.#result;
  }

  /**
   * Adds content. What came before the pieces failed is kept; it is durable when this resolves, and when it throws.
   * @throws whatever the pieces throw, the system's errors
   */
  async append(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    // Behind the last whole record may stand a part of one that a crash cut off.
    await this.#handle.truncate(this.#end);
    let record: OpenRecord | undefined;
    let unsynced = 0;
    const flush = async (): Promise<void> => {
      if (record === undefined) return;
      const { length } = record;
      const position = this.#end;
      this.#end = await writeFull(this.#handle, record.end(), position);
      this.#content.push({ position, length });
      this.#offset += length;
      record = undefined;
      unsynced += length;
      if (unsynced < UPLOAD_UNSYNCED_BYTES_MAX / 2) return;
      await this.#handle.datasync();
      unsynced = 0;
    };
    try {
      for await (let rest of pieces) {
        while (rest.length > 0) {
          record ??= new OpenRecord(this.#seal, 'content', this.#end);
          const part = rest.subarray(0, record.room);
          record.add(part);
          rest = rest.subarray(part.length);
          if (record.room === 0) await flush();
        }
      }
    } finally {
      await flush();
      await this.#handle.datasync();
    }
  }

  /** Takes back what came after an offset at which an `append` began. */
  async cutBackTo(offset: number): Promise<void> {
    while (this.#offset > offset) {
      const last = this.#content.pop();
      if (last === undefined) break;
      this.#offset -= last.length;
      this.#end = last.position;
    }
    await this.#handle.truncate(this.#end);
    await this.#handle.datasync();
  }

  /** The content, verified. @throws `corrupt/UPLOAD_CORRUPT` */
  async *read(): AsyncGenerator<Uint8Array> {
    for (const { position, length } of this.#content) {
      yield openRecord(this.#seal, await readFull(this.#handle, length + RECORD_EXTRA_BYTES, position), position);
    }
  }

  /** Remembers, durably, that from now on the content may be in the store. */
  async begin(): Promise<void> {
    if (this.#hasBegun) return;
    const record = new OpenRecord(this.#seal, 'begun', this.#end);
    this.#end = await writeFull(this.#handle, record.end(), this.#end);
    await this.#handle.datasync();
    this.#hasBegun = true;
  }

  /** Remembers what became of it, and gives back the space of the content. */
  async finish(result: UploadResult): Promise<void> {
    await createFile(this.#file, this.#secret, {
      head: { ...this.head, finished: true },
      facts: this.#facts,
      result,
    });
    this.#result = result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  /** Finds the records. Those at the end may never have become durable, so they are looked into. */
  async #load(): Promise<void> {
    const { size } = await this.#handle.stat();
    while (this.#end + RECORD_EXTRA_BYTES <= size) {
      const found = parseRecordHead(await readFull(this.#handle, RECORD_HEAD_BYTES, this.#end));
      const bytes = found && found.length + RECORD_EXTRA_BYTES;
      if (!found || bytes === undefined || this.#end + bytes > size) break;
      const isSure = found.kind === 'content' && this.#end + bytes < size - UPLOAD_UNSYNCED_BYTES_MAX;
      const holds = isSure ? undefined : await this.#look(bytes);
      if (!isSure && holds === undefined) break;
      this.#note(found, holds);
      this.#end += bytes;
    }
  }

  /** @returns what the record at the end holds; `undefined` when it is damaged */
  async #look(bytes: number): Promise<Uint8Array | undefined> {
    const record = await readFull(this.#handle, bytes, this.#end);
    try {
      return openRecord(this.#seal, record, this.#end);
    } catch (error) {
      // The facts were durable before anybody was told of the upload.
      if (isStoreError(error, 'UPLOAD_CORRUPT') && record.readUInt8() !== RECORD_KINDS.facts) return undefined;
      throw error;
    }
  }

  #note({ kind, length }: { kind: RecordKind; length: number }, holds: Uint8Array | undefined): void {
    const json = (): unknown => JSON.parse(Buffer.from(holds ?? []).toString());
    if (kind === 'facts') this.#facts = factsSchema.parse(json());
    else if (kind === 'result') this.#result = resultSchema.parse(json());
    else if (kind === 'begun') this.#hasBegun = true;
    else {
      this.#content.push({ position: this.#end, length });
      this.#offset += length;
    }
  }
}
