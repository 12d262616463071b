import type { Backend } from '../../backend/contract.ts';
import { concatBytes, fromHex } from '../../bytes/bytes.ts';
import type { ChunkingSpec } from '../../chunking/index.ts';
import { createSigner, type Signer } from '../../crypto/signature.ts';
import { invariant, storeError } from '../../errors/store-error.ts';
import { type ItemIds, keyedIds, MESSAGE_ID_BYTES, type MessageEntry } from '../../format/index.ts';
import { blake3, createHasher } from '../../hash/index.ts';
import type { WriterCredential } from '../../keys/index.ts';
import { LOOKUP_BATCH_CHUNKS, RECORD_PLAIN_BYTES_TARGET } from '../../limits.ts';
import type { Metadata } from '../../metadata/contract.ts';
import { cutSource } from '../../pipeline/cut-source.ts';
import type { Source } from '../../pipeline/source.ts';
import { BufferPool } from '../../runtime/buffer-pool.ts';
import type { RandomBytes } from '../../runtime/random.ts';
import { type HeldBytes, SlabCopier } from '../../runtime/slabs.ts';
import { ActiveCalls } from '../active-calls.ts';
import { checkAttributes, checkContentType, encodeKey } from '../arguments.ts';
import { digestText } from '../entry-info.ts';
import type { PutOnlyOptions, PutOnlyResult, PutOnlyStore } from '../key-types.ts';
import { MessageWriter } from './message-writer.ts';

export interface InboxStoreParts {
  readonly backend: Backend;
  /** Locked. */
  readonly metadata: Metadata;
  readonly credential: WriterCredential;
  /** How to cut, under the seed of the namespace. */
  readonly chunking: ChunkingSpec;
  readonly random: RandomBytes;
}

interface HeldChunk extends HeldBytes {
  readonly digest: Uint8Array;
}

/** Buffers for chunks that wait for their lookup: one batch fills at most two. */
const BUFFERS_KEPT = 4;

/** See `PutOnlyStore`. Each put is one message in the inbox. */
export class InboxStore implements PutOnlyStore {
  readonly id: string;
  readonly #parts: InboxStoreParts;
  readonly #storeId: Uint8Array;
  readonly #ids: ItemIds;
  readonly #signer: Signer;
  readonly #buffers = new BufferPool({ bytes: RECORD_PLAIN_BYTES_TARGET, keptMax: BUFFERS_KEPT });
  readonly #calls = new ActiveCalls();
  #closing: Promise<void> | undefined;

  constructor(parts: InboxStoreParts) {
    const { storeId, idKey, signingSeed } = parts.credential;
    const bytes = fromHex(storeId);
    invariant(bytes, 'a credential has the id of its store in hex');
    this.id = storeId;
    this.#parts = parts;
    this.#storeId = bytes;
    this.#ids = keyedIds(idKey);
    this.#signer = createSigner('ed25519', signingSeed);
  }

  async put(key: string, source: Source, options: PutOnlyOptions = {}): Promise<PutOnlyResult> {
    if (this.#closing) throw storeError('STORE_CLOSED', 'the store is closed');
    options.signal?.throwIfAborted();
    return await this.#calls.run(() => this.#put(key, source, options));
  }

  close(): Promise<void> {
    const { metadata, backend } = this.#parts;
    this.#closing ??= this.#calls.settled().then(() => metadata.close().finally(() => backend.close()));
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #put(key: string, source: Source, options: PutOnlyOptions): Promise<PutOnlyResult> {
    const { contentType, attributes, signal } = options;
    const entry = {
      key: encodeKey(key),
      attributes: attributes === undefined ? {} : checkAttributes(attributes),
      ...(contentType !== undefined && { contentType: checkContentType(contentType) }),
    };
    const { backend, random, credential } = this.#parts;
    const { namespace, epoch, publicKey } = credential;
    const place = { store: this.#storeId, message: random(MESSAGE_ID_BYTES), namespace, epoch };
    const message = new MessageWriter(backend, place, publicKey);
    try {
      const { digest, size, chunks, newBytes } = await this.#write(source, message, options);
      await message.finish({ ...entry, digest, size }, this.#signer, signal);
      return Object.freeze({ key, digest: digestText(digest), size, chunks, newBytes });
    } catch (error) {
      throw await message.giveUp(error);
    }
  }

  async #write(
    source: Source,
    message: MessageWriter,
    { signal, onProgress }: PutOnlyOptions,
  ): Promise<Pick<MessageEntry, 'digest' | 'size'> & { readonly chunks: number; readonly newBytes: number }> {
    const content = createHasher('blake3');
    const held = new SlabCopier(this.#buffers);
    const total = source instanceof Uint8Array ? { total: source.length } : {};
    let batch: HeldChunk[] = [];
    let batchBytes = 0;
    let size = 0;
    let chunks = 0;
    let newBytes = 0;
    for await (const view of cutSource(source, this.#parts.chunking, signal)) {
      signal?.throwIfAborted();
      // What is hashed is the copy: the caller's array may change.
      const { bytes, release } = held.copy(view);
      content.update(bytes);
      batch.push({ bytes, release, digest: blake3(bytes) });
      batchBytes += bytes.length;
      size += bytes.length;
      chunks += 1;
      onProgress?.({ phase: 'put', done: size, bytes: size, ...total });
      if (batchBytes < RECORD_PLAIN_BYTES_TARGET && batch.length < LOOKUP_BATCH_CHUNKS) continue;
      newBytes += await this.#add(message, batch, signal);
      batch = [];
      batchBytes = 0;
    }
    newBytes += await this.#add(message, batch, signal);
    return { digest: content.digest(), size, chunks, newBytes };
  }

  /** Adds chunks in their order. @returns bytes that the store did not have */
  async #add(message: MessageWriter, chunks: readonly HeldChunk[], signal?: AbortSignal): Promise<number> {
    if (chunks.length === 0) return 0;
    const ids = concatBytes(chunks.map(({ digest }) => this.#ids.idOf('chunk', digest)));
    const known = await this.#parts.metadata.knownItems('chunk', ids);
    let newBytes = 0;
    for (const [index, { bytes, digest, release }] of chunks.entries()) {
      if (known[index]) await message.addStored(digest, bytes.length, signal);
      else newBytes += await message.addBytes(bytes, digest, signal);
      release();
    }
    return newBytes;
  }
}
