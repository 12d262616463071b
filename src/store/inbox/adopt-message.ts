import { equalBytes, toHex, utf8Decode } from '../../bytes/bytes.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import {
  decapsulateMessageKeys,
  decodeMessageHead,
  entryVersion,
  type MessageHead,
  messageFail,
  messageHeadKey,
  openMessageHead,
  verifyMessageHead,
} from '../../format/index.ts';
import type { WriterFacts } from '../../keys/index.ts';
import { INBOX_HEAD_BYTES_MAX } from '../../limits.ts';
import type { Engine } from '../engine.ts';
import { digestText } from '../entry-info.ts';
import { Isolations } from '../isolations.ts';
import type { Keychain } from '../keychain.ts';
import type { Scope } from '../scope.ts';
import { checkConditions, checkPut, type PutRequest, storeContent } from '../staged-put.ts';
import type { ProgressOptions } from '../types.ts';
import { messageContent, type OpenedMessage } from './message-content.ts';

/** What became of a message: an entry, what was an entry already, or nothing because another process was first. */
export type Adoption =
  | { readonly outcome: 'adopted'; readonly bytes: number }
  | { readonly outcome: 'present' }
  | { readonly outcome: 'gone' };

/** A message that was let in, and the put that it asks for. */
interface WantedPut extends OpenedMessage {
  readonly scope: Scope;
  readonly request: PutRequest;
}

/**
 * Makes one message an entry. Nothing of the message itself becomes a part of the store: its content is read, verified,
 * cut and sealed as in any other put, and committed only if the key is free and the content is what the head says.
 */
export class MessageAdopter {
  readonly #engine: Engine;
  readonly #keychain: Keychain;

  constructor(engine: Engine, keychain: Keychain) {
    this.#engine = engine;
    this.#keychain = keychain;
  }

  /**
   * Reads a head and lets it in. Until here nothing is believed of it, and what is told of its writer is true.
   * @param message 32 hex digits
   * @returns `undefined` when there is none (any more)
   * @throws `corrupt/MESSAGE_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`, `denied/WRITER_UNKNOWN`
   */
  async admit(message: string): Promise<{ readonly head: MessageHead; readonly writer: WriterFacts } | undefined> {
    const fail = messageFail(message);
    const key = messageHeadKey(message);
    const { backend, config } = this.#engine;
    const info = await backend.head(key);
    if (info && info.bytes > INBOX_HEAD_BYTES_MAX) fail(`has a head of ${info.bytes} bytes`);
    const bytes = info && (await backend.get(key));
    if (bytes === undefined) return undefined;
    const head = decodeMessageHead(bytes, message);
    if (toHex(head.store) !== config.storeId) fail('belongs to another store');
    const writer = this.#keychain.keyring.writers.find(({ publicKey }) => equalBytes(publicKey, head.writer));
    if (writer === undefined || writer.namespace !== head.namespace) {
      const problem = 'its writer is not, or no longer, let into this namespace';
      throw storeError('WRITER_UNKNOWN', problem, { details: { namespace: head.namespace } });
    }
    if (!verifyMessageHead(head)) fail('is not signed by its writer');
    return { head, writer };
  }

  /**
   * @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE`, `conflict/ENTRY_EXISTS`, `exhausted/*`,
   *   `corrupt/MESSAGE_CORRUPT`, `corrupt/CHUNK_MISSING`, `corrupt/CHUNK_CORRUPT`, `invalid/*`; what a put throws. The
   *   message is as it was then, and so is the store
   */
  async adopt(head: MessageHead, options: ProgressOptions): Promise<Adoption> {
    const wanted = this.#open(head, options);
    if (await this.#isPresent(wanted)) return { outcome: 'present' };
    await this.#checkQuota(wanted);
    try {
      return await this.#put(wanted, options);
    } catch (error) {
      // Another process, or an ordinary put, was first.
      if (isStoreError(error, 'ENTRY_EXISTS') && (await this.#isPresent(wanted))) return { outcome: 'present' };
      throw error;
    }
  }

  /** Whether the head is still there: whoever takes it away has adopted the message, or thrown it away. */
  async isThere(message: string): Promise<boolean> {
    return (await this.#engine.backend.head(messageHeadKey(message))) !== undefined;
  }

  #open(head: MessageHead, { signal }: ProgressOptions): WantedPut {
    const { schedule } = this.#keychain;
    const keys = decapsulateMessageKeys(head, schedule);
    const entry = openMessageHead(head, keys);
    const opened = { message: toHex(head.message), entry, partKey: keys.part };
    const scope = this.#engine.scopes.of(head.namespace);
    const { backend, metadata } = this.#engine;
    const source = messageContent(opened, { backend, metadata, scope }, signal);
    const { contentType, attributes } = entry;
    const options = { attributes, ifAbsent: true, ...(contentType !== undefined && { contentType }) };
    return { ...opened, scope, request: checkPut(scope, { key: keyOf(opened), source, options }) };
  }

  /** @throws `conflict/ENTRY_EXISTS` when the key names something else */
  async #isPresent({ scope, entry, request }: WantedPut): Promise<boolean> {
    try {
      await checkConditions(this.#engine, request);
      return false;
    } catch (error) {
      if (!isStoreError(error, 'ENTRY_EXISTS') || request.key === undefined) throw error;
      const [row] = await this.#engine.metadata.getEntries([request.key]);
      if (row === undefined) return false;
      const { value } = await this.#engine.scopes.openEntry(row, scope);
      if (equalBytes(entryVersion(value), entryVersion(entry))) return true;
      throw error;
    }
  }

  /** The commit decides; this keeps a writer from filling the disk with what it will refuse. */
  async #checkQuota({ scope, entry }: WantedPut): Promise<void> {
    const quota = this.#keychain.quotaOf(scope.namespace);
    if (quota === undefined) return;
    const { logicalBytes } = await this.#engine.metadata.namespaceCounters(scope.namespace);
    if (logicalBytes + entry.size <= quota) return;
    const details = { namespace: scope.namespace, size: entry.size, expected: quota };
    throw storeError('QUOTA_EXCEEDED', 'the namespace would grow beyond its quota', { details });
  }

  async #put(wanted: WantedPut, { signal, onProgress }: ProgressOptions): Promise<Adoption> {
    const { scope, request, entry, message } = wanted;
    const engine = this.#engine;
    const writer = engine.createWriter(scope);
    const isolations = new Isolations((namespace) => engine.dropIsolated(namespace));
    try {
      const options = { writer, ...(signal && { signal }), ...(onProgress && { onProgress }) };
      const { changes, staged } = await storeContent({ engine, scope, isolations }, request, options);
      const inline = await writer.finish();
      if (staged.size !== entry.size || staged.digest !== digestText(entry.digest)) {
        messageFail(message)('holds other content than it says');
      }
      signal?.throwIfAborted();
      // Adopted by another process, and its entry perhaps deleted since: it must not come back.
      if (!(await this.isThere(message))) return { outcome: 'gone' };
      await engine.commit(scope, { changes, inline });
      return { outcome: 'adopted', bytes: staged.size };
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }
}

function keyOf({ message, entry }: OpenedMessage): string {
  try {
    return utf8Decode(entry.key);
  } catch (error) {
    // The one thing a decoder of UTF-8 throws.
    if (!(error instanceof TypeError)) throw error;
    return messageFail(message)('has a key that is no text', error);
  }
}
