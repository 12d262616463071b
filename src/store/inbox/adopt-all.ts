import type { Backend } from '../../backend/contract.ts';
import { listAll } from '../../backend/list-all.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import { isStoreError, type StoreError } from '../../errors/store-error.ts';
import { INBOX_PREFIX, messageHeadKey, messagePrefix, parseInboxKey } from '../../format/index.ts';
import type { Engine } from '../engine.ts';
import type { AdoptReport, RefusedMessage } from '../key-types.ts';
import type { Keychain } from '../keychain.ts';
import type { ProgressOptions } from '../types.ts';
import { type Adoption, MessageAdopter } from './adopt-message.ts';

/** What is wrong with a message and not with the store: it is told, and the next message has its turn. */
const REFUSALS: readonly ErrorCode[] = [
  'MESSAGE_CORRUPT',
  'FORMAT_UNSUPPORTED',
  'WRITER_UNKNOWN',
  'EPOCH_UNKNOWN',
  'NAMESPACE_KEY_GONE',
  'KEY_INVALID',
  'ATTRIBUTES_INVALID',
  'ENTRY_EXISTS',
  'QUOTA_EXCEEDED',
  'CHUNK_MISSING',
  'CHUNK_CORRUPT',
];

/** A message as a listing shows it. */
interface ListedMessage {
  /** 32 hex digits. */
  readonly message: string;
  /** Without one it is being written, or was given up. */
  hasHead: boolean;
}

/** How to adopt. */
export interface AdoptOptions extends ProgressOptions {
  /** Messages to leave alone, because they were refused before. */
  readonly skip?: ReadonlySet<string>;
}

/**
 * Adopts every message in order of its key. Each is an entry, or unchanged with a reason in the report; in between
 * there is nothing, whenever the process ends.
 * @throws what is wrong with the store; the reason of the signal
 */
export async function adoptAll(
  { engine, keychain }: { readonly engine: Engine; readonly keychain: Keychain },
  options: AdoptOptions,
): Promise<AdoptReport> {
  const { signal, onProgress } = options;
  const adopter = new MessageAdopter(engine, keychain);
  const refused: RefusedMessage[] = [];
  const incomplete: string[] = [];
  let adopted = 0;
  let entries = 0;
  let bytes = 0;
  // Who may write is what the newest config says.
  await keychain.reload();
  for await (const { message, hasHead } of listMessages(engine.backend, signal)) {
    signal?.throwIfAborted();
    if (!hasHead) incomplete.push(message);
    if (!hasHead || options.skip?.has(message)) continue;
    const before = { done: adopted + refused.length, bytes };
    const report = onProgress && ((part: { readonly bytes: number }) => onProgress(progressOf(before, part.bytes)));
    const result = await adoptOne(adopter, message, {
      ...(signal && { signal }),
      ...(report && { onProgress: report }),
    });
    if ('code' in result) refused.push(result);
    else if (result.outcome !== 'gone') {
      await removeMessage(engine.backend, message);
      adopted += 1;
      if (result.outcome === 'adopted') {
        entries += 1;
        bytes += result.bytes;
      }
    }
    onProgress?.(progressOf({ done: adopted + refused.length, bytes }, 0));
  }
  return Object.freeze({
    ...{ adopted, entries, bytes },
    refused: Object.freeze(refused),
    incomplete: Object.freeze(incomplete),
  });
}

function progressOf(before: { readonly done: number; readonly bytes: number }, bytes: number) {
  return { phase: 'adopt', done: before.done, bytes: before.bytes + bytes };
}

async function adoptOne(
  adopter: MessageAdopter,
  message: string,
  options: ProgressOptions,
): Promise<Adoption | RefusedMessage> {
  let label: string | undefined;
  try {
    const admitted = await adopter.admit(message);
    if (admitted === undefined) return { outcome: 'gone' };
    label = admitted.writer.label;
    return await adopter.adopt(admitted.head, options);
  } catch (error) {
    if (!isStoreError(error, ...REFUSALS)) throw error;
    // The parts of a message that another process has adopted meanwhile are missed for a good reason.
    if (!(await adopter.isThere(message))) return { outcome: 'gone' };
    return refusal(message, label, error);
  }
}

function refusal(message: string, label: string | undefined, { code, message: reason }: StoreError): RefusedMessage {
  return Object.freeze({ message, code, reason, ...(label !== undefined && { writer: label }) });
}

/** The messages of an inbox in order of their keys; memory stays that of one page of a listing. */
async function* listMessages(backend: Backend, signal?: AbortSignal): AsyncGenerator<ListedMessage> {
  let current: ListedMessage | undefined;
  for await (const { key } of listAll(backend, { prefix: INBOX_PREFIX, ...(signal && { signal }) })) {
    const name = parseInboxKey(key);
    if (name === undefined) continue;
    if (current?.message !== name.message) {
      if (current) yield current;
      current = { message: name.message, hasHead: false };
    }
    if (name.part === undefined) current.hasHead = true;
  }
  if (current) yield current;
}

/**
 * Takes a message out of the inbox. The head goes first: a crash behind it leaves parts that nobody adopts, where a
 * head without its parts would be refused for ever, or a deleted entry come back.
 * @returns whether there was anything of it
 */
export async function removeMessage(backend: Backend, message: string): Promise<boolean> {
  let found = (await backend.head(messageHeadKey(message))) !== undefined;
  if (found) await backend.delete(messageHeadKey(message));
  for await (const { key } of listAll(backend, { prefix: messagePrefix(message) })) {
    found = true;
    await backend.delete(key);
  }
  return found;
}
