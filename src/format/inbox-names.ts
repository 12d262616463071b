/** Backend keys of inbox messages: `inbox/<message id>/<part index>` and, last, `inbox/<message id>/head`. */

import { toHex } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { INBOX_PARTS_MAX } from '../limits.ts';

/** Backend keys of messages begin with this. */
export const INBOX_PREFIX = 'inbox/';
/** Bytes of a message id. */
export const MESSAGE_ID_BYTES = 16;

const HEAD = 'head';
const KEY = /^inbox\/([0-9a-f]{32})\/(head|0|[1-9][0-9]{0,9})$/;
const MESSAGE = /^[0-9a-f]{32}$/;

/** What a backend key in the inbox names. */
export interface InboxName {
  /** Message id, 32 hex digits. */
  readonly message: string;
  /** Absent: the head. */
  readonly part?: number;
}

/** What the backend keys of one message begin with. @param message 32 hex digits */
export function messagePrefix(message: string): string {
  invariant(isMessageId(message), 'a message id has 32 hex digits');
  return `${INBOX_PREFIX}${message}/`;
}

/** Backend key of the head of a message: with it the message is there. */
export function messageHeadKey(message: string): string {
  return messagePrefix(message) + HEAD;
}

/** @param index from 0 */
export function messagePartKey(message: string, index: number): string {
  checkInteger('index', index, { min: 0, max: INBOX_PARTS_MAX - 1 });
  return messagePrefix(message) + index.toString();
}

/** @returns `undefined` for a key that is spelled in any other way: not Holdfast's */
export function parseInboxKey(key: string): InboxName | undefined {
  const [, message, name] = KEY.exec(key) ?? [];
  if (message === undefined || name === undefined) return undefined;
  if (name === HEAD) return { message };
  const part = Number(name);
  return part < INBOX_PARTS_MAX ? { message, part } : undefined;
}

/** Whether text is spelled as a message id: 32 hex digits in lower case. */
export function isMessageId(text: string): boolean {
  return MESSAGE.test(text);
}

/** A message id as text. */
export function messageText(id: Uint8Array): string {
  invariant(id.length === MESSAGE_ID_BYTES, 'a message id has 16 bytes');
  return toHex(id);
}
