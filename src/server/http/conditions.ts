/**
 * Conditional requests.
 * @see RFC 9110, sections 8.8.3 (ETag), 13.1 (fields) and 13.2.2 (their order)
 */
import { storeError } from '../../errors/store-error.ts';

/** What conditions are about: a version is a digest of content, type and attributes, so its tag is a strong one. */
export interface Validators {
  readonly version: string;
  /** ISO 8601. */
  readonly modified: string;
}

type Tags = '*' | readonly { readonly weak: boolean; readonly value: string }[];

const TAG = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y;

export function formatTag(version: string): string {
  return `"${version}"`;
}

/** HTTP has seconds only; so the newest change of two in one second may look older than it is, never newer. */
export function formatModified(modified: string): string {
  return new Date(modified).toUTCString();
}

function parseTags(field: string, text: string): Tags {
  if (text.trim() === '*') return '*';
  const tags: { weak: boolean; value: string }[] = [];
  TAG.lastIndex = 0;
  while (TAG.lastIndex < text.length) {
    const match = TAG.exec(text);
    if (!match)
      throw storeError('REQUEST_INVALID', `${field} must be * or a list of tags in quotes`, { details: { field } });
    tags.push({ weak: match[1] !== undefined, value: match[2] ?? '' });
  }
  return tags;
}

function tagsOf(headers: Headers, field: string): Tags | undefined {
  const text = headers.get(field);
  return text === null ? undefined : parseTags(field, text);
}

/** A date that is none is no condition (RFC 9110, 13.1.3 and 13.1.4). */
function secondsOf(headers: Headers, field: string): number | undefined {
  const ms = Date.parse(headers.get(field) ?? '');
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

const modifiedSeconds = ({ modified }: Validators): number => Math.floor(Date.parse(modified) / 1000);

function matches(tags: Tags, current: Validators | undefined, options: { readonly weakly: boolean }): boolean {
  if (current === undefined) return false;
  return tags === '*' || tags.some(({ weak, value }) => value === current.version && (options.weakly || !weak));
}

function preconditionFailed(): Error {
  return storeError('PRECONDITION_FAILED', 'the entry is not in the state that the request names');
}

/** @throws `conflict/PRECONDITION_FAILED` when `If-Match` or `If-Unmodified-Since` does not hold */
function checkUnchanged(headers: Headers, current: Validators | undefined): void {
  const wanted = tagsOf(headers, 'if-match');
  if (wanted !== undefined) {
    if (!matches(wanted, current, { weakly: false })) throw preconditionFailed();
    return;
  }
  const since = secondsOf(headers, 'if-unmodified-since');
  if (since !== undefined && (current === undefined || modifiedSeconds(current) > since)) throw preconditionFailed();
}

/** @returns whether a reader has the version already. @throws `conflict/PRECONDITION_FAILED` */
export function isKnown(headers: Headers, current: Validators): boolean {
  checkUnchanged(headers, current);
  const known = tagsOf(headers, 'if-none-match');
  if (known !== undefined) return matches(known, current, { weakly: true });
  const since = secondsOf(headers, 'if-modified-since');
  return since !== undefined && modifiedSeconds(current) <= since;
}

/** Whether the ranges of a request are meant of this version (RFC 9110, 13.1.5): strong tags and exact dates alone. */
export function holdsIfRange(headers: Headers, current: Validators): boolean {
  const text = headers.get('if-range');
  if (text === null) return true;
  if (text.startsWith('"')) return text === formatTag(current.version);
  return text === formatModified(current.modified);
}

export function hasWriteCondition(headers: Headers): boolean {
  return ['if-match', 'if-none-match', 'if-unmodified-since'].some((field) => headers.has(field));
}

/**
 * What a write has to tell the store so that the conditions that hold now still hold when it is committed.
 * @throws `conflict/PRECONDITION_FAILED` when they do not hold now
 */
export function writeConditions(
  headers: Headers,
  current: Validators | undefined,
): { readonly ifMatch: string } | { readonly ifAbsent: true } {
  checkUnchanged(headers, current);
  const unwanted = tagsOf(headers, 'if-none-match');
  if (unwanted !== undefined && matches(unwanted, current, { weakly: true })) throw preconditionFailed();
  return current === undefined ? { ifAbsent: true } : { ifMatch: current.version };
}

/** @throws `conflict/CONDITION_REQUIRED` where a server demands conditions of everything that replaces or deletes */
export function demandCondition(
  settings: { readonly conditionalWrites: boolean },
  isConditional: boolean,
  key: string,
): void {
  if (!isConditional && settings.conditionalWrites) throw conditionRequired(key);
}

export function conditionRequired(key: string): Error {
  return storeError('CONDITION_REQUIRED', 'what replaces or deletes has to name the version it means', {
    details: { key },
  });
}
