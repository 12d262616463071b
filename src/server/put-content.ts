/** Storing content, by whatever way it came: under the conditions that its headers name, and with what they say of it. */

import { isStoreError, storeError } from '../errors/store-error.ts';
import type { EntryInfo, PutOptions, PutResult } from '../index.ts';
import { mayDo } from './access/grant.ts';
import { conditionRequired, hasWriteCondition, writeConditions } from './http/conditions.ts';
import { putOptionsOf } from './http/entry-headers.ts';
import { jsonAnswer } from './http/json-answer.ts';
import type { Call } from './route.ts';

/** Who stores, and where. */
export type Storing = Pick<Call, 'entries' | 'grant' | 'settings'>;

/** What is to be stored. */
export interface NewContent {
  /** Content type, attributes and conditions. */
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

export async function statIfAny(
  { entries, signal }: Pick<Call, 'entries' | 'signal'>,
  key: string,
): Promise<EntryInfo | undefined> {
  try {
    return await entries.stat(key, { signal });
  } catch (error) {
    if (isStoreError(error, 'ENTRY_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Whether a caller may replace and delete, and not only create. */
function mayWrite({ grant }: Storing): boolean {
  return grant !== undefined && mayDo(grant, 'write');
}

/**
 * What the store is told, so that of two writers with conditions one wins.
 * @throws `conflict/PRECONDITION_FAILED` when the conditions do not hold now, `denied/ACTION_FORBIDDEN`
 */
export async function conditionsOf(
  storing: Storing,
  key: string | null,
  { headers, signal }: Omit<NewContent, 'body'>,
): Promise<Pick<PutOptions, 'ifMatch' | 'ifAbsent'>> {
  if (key === null || !hasWriteCondition(headers))
    return mayWrite(storing) && !storing.settings.conditionalWrites ? {} : { ifAbsent: true };
  const conditions = writeConditions(headers, await statIfAny({ entries: storing.entries, signal }, key));
  if ('ifMatch' in conditions && !mayWrite(storing))
    throw storeError('ACTION_FORBIDDEN', 'replacing an entry needs a token that may write');
  return conditions;
}

/** What is told of a failure to store under conditions: where an entry is in the way, why it is. */
export function refusalOf(storing: Storing, error: unknown, headers: Headers): unknown {
  if (!isStoreError(error, 'ENTRY_EXISTS')) return error;
  const { key = '' } = error.details;
  if (hasWriteCondition(headers))
    return storeError('PRECONDITION_FAILED', 'the entry is there already', { details: { key }, cause: error });
  // With leave to write it was this server that asked for a new entry.
  return mayWrite(storing) ? conditionRequired(key) : error;
}

/**
 * Stores content; resolves when it is durable.
 * @param key `null` to name the entry by its digest
 * @throws `conflict/PRECONDITION_FAILED`, `conflict/ENTRY_EXISTS`, `conflict/CONDITION_REQUIRED`, `denied/ACTION_FORBIDDEN`, what
 *   the body throws
 */
export async function putContent(storing: Storing, key: string | null, content: NewContent): Promise<PutResult> {
  const { headers, body, signal } = content;
  const conditions = await conditionsOf(storing, key, content);
  try {
    return await storing.entries.put(key, body, { ...putOptionsOf(headers), ...conditions, signal });
  } catch (error) {
    throw key === null ? error : refusalOf(storing, error, headers);
  }
}

/** The answer to whoever stored something: what the library tells, and what was saved. */
export function storedAnswer(
  result: PutResult,
  options: { readonly digests?: readonly string[] | undefined; readonly headers?: Record<string, string> } = {},
): Response {
  const { size, newBytes, storedBytes } = result;
  const { digests, headers = {} } = options;
  const savingsPercent = size === 0 ? 0 : 100 * (1 - newBytes / size);
  const stats = { totalBytes: size, storedBytes, savingsPercent };
  return jsonAnswer({ ...result, stats, ...(digests && { digests }) }, 201, headers);
}
