import type { Backend } from '../../backend/contract.ts';
import { encapsulate } from '../../crypto/kem.ts';
import type { Signer } from '../../crypto/signature.ts';
import { storeError } from '../../errors/store-error.ts';
import {
  encodeMessageHead,
  type MessageEntry,
  type MessageKeys,
  type MessagePlace,
  messageHeadKey,
  messageKeys,
  messagePartKey,
  messageText,
  PartBuilder,
  sealMessagePart,
} from '../../format/index.ts';
import { isDefinite } from '../health.ts';

/**
 * Writes one message: its parts as they fill up, one in memory at a time, and the head last. Until the head is there
 * the message is not: whatever happens before, nobody adopts a part of it.
 */
export class MessageWriter {
  readonly #backend: Backend;
  readonly #place: MessagePlace;
  readonly #keys: MessageKeys;
  readonly #ciphertext: Uint8Array;
  readonly #id: string;
  readonly #part = new PartBuilder();
  #parts = 0;
  #isHeadTried = false;

  /**
   * @param recipient ML-KEM-1024 public key that the message is sealed for, of the namespace in the epoch of `place`
   */
  constructor(backend: Backend, place: MessagePlace, recipient: Uint8Array) {
    const { ciphertext, sharedKey } = encapsulate(recipient);
    this.#backend = backend;
    this.#place = place;
    this.#id = messageText(place.message);
    this.#keys = messageKeys(place, sharedKey);
    this.#ciphertext = ciphertext;
    sharedKey.fill(0);
  }

  /**
   * The next chunk of the content, as bytes.
   * @param chunk copied
   * @returns how many bytes are written for it: none where the part has the chunk already
   */
  async addBytes(chunk: Uint8Array, digest: Uint8Array, signal?: AbortSignal): Promise<number> {
    let rest = chunk;
    let bytes = 0;
    for (;;) {
      const { taken, written } = this.#part.addBytes(rest, rest === chunk ? digest : undefined);
      bytes += written;
      if (taken === rest.length) return bytes;
      if (taken > 0) rest = rest.subarray(taken);
      await this.#putPart(signal);
    }
  }

  /** The next chunk of the content, which is in the store. */
  async addStored(digest: Uint8Array, length: number, signal?: AbortSignal): Promise<void> {
    if (this.#part.addStored(digest, length)) return;
    await this.#putPart(signal);
    this.#part.addStored(digest, length);
  }

  /** Ends the content; the message is there, and durable, when this resolves. */
  async finish(entry: Omit<MessageEntry, 'parts'>, signer: Signer, signal?: AbortSignal): Promise<void> {
    if (!this.#part.isEmpty) await this.#putPart(signal);
    signal?.throwIfAborted();
    const secrets = { keys: this.#keys, ciphertext: this.#ciphertext, signer };
    this.#isHeadTried = true;
    await this.#put(
      messageHeadKey(this.#id),
      encodeMessageHead(this.#place, { ...entry, parts: this.#parts }, secrets),
    );
  }

  /**
   * Takes back what was written of a message that failed, as far as the backend lets; what stays is garbage. The head
   * goes first: a failed put may have left it, and a message must not lose its parts.
   * @returns what to tell of the failure: it is in doubt where a head may have stayed
   */
  async giveUp(failure: unknown): Promise<unknown> {
    let mayStay = this.#isHeadTried;
    try {
      await this.#backend.delete(messageHeadKey(this.#id));
      mayStay = false;
      for (let index = 0; index < this.#parts; index += 1) await this.#backend.delete(messagePartKey(this.#id, index));
    } catch {
      // The failure that ended the put is the one to tell.
    }
    if (!mayStay || !isDefinite(failure)) return failure;
    return storeError('BACKEND_IO', 'the put failed, could not be taken back, and may be adopted all the same', {
      retry: false,
      cause: failure,
    });
  }

  async #putPart(signal?: AbortSignal): Promise<void> {
    const index = this.#parts;
    const sealed = sealMessagePart(this.#keys.part, index, this.#part.finish());
    // Counted first: a put that failed may have left it.
    this.#parts += 1;
    await this.#put(messagePartKey(this.#id, index), sealed, signal);
  }

  async #put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { ifAbsent } = this.#backend.capabilities;
    await this.#backend.put(key, bytes, { ifAbsent, ...(signal && { signal }) });
  }
}
