/** What headers say of an entry, both ways. */
import { storeError } from '../../errors/store-error.ts';
import type { EntryInfo, PutOptions } from '../../index.ts';
import { SERVER_ATTRIBUTES_LENGTH_MAX } from '../../limits.ts';
import { formatModified, formatTag } from './conditions.ts';
import { formatReprDigest } from './digest-fields.ts';

/** Attributes as a form is encoded: `name=value&other=value`. */
export const ATTRIBUTES_FIELD = 'holdfast-attributes';

const ANY_BYTES = 'application/octet-stream';
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;

/** @throws `invalid/REQUEST_INVALID` for a name that is said twice */
function parseAttributes(text: string): Record<string, string> {
  const pairs = [...new URLSearchParams(text)];
  if (new Set(pairs.map(([name]) => name)).size < pairs.length)
    throw storeError('REQUEST_INVALID', `${ATTRIBUTES_FIELD} says a name twice`, {
      details: { field: ATTRIBUTES_FIELD },
    });
  // A name such as __proto__ must become a field of its own.
  return Object.fromEntries(pairs);
}

/** What an upload says of what it brings. @throws `invalid/REQUEST_INVALID` */
export function putOptionsOf(headers: Headers): Pick<PutOptions, 'contentType' | 'attributes'> {
  const contentType = headers.get('content-type');
  const attributes = headers.get(ATTRIBUTES_FIELD);
  return {
    ...(contentType !== null && { contentType }),
    ...(attributes !== null && { attributes: parseAttributes(attributes) }),
  };
}

/** What is sent of an entry: its version as it was put by whoever put it, and `modified` of that. */
export type SentEntry = Pick<EntryInfo, 'version' | 'digest' | 'size' | 'contentType' | 'attributes' | 'modified'>;

/** The headers of an answer that carries an entry, or would: everything but lengths and ranges. */
export function entryHeaders(entry: SentEntry): Headers {
  const { contentType = ANY_BYTES } = entry;
  const attributes = new URLSearchParams(Object.entries(entry.attributes)).toString();
  const headers = new Headers({
    // Somebody may have put a type by other means that is no header.
    'content-type': HEADER_VALUE.test(contentType) ? contentType : ANY_BYTES,
    etag: formatTag(entry.version),
    'last-modified': formatModified(entry.modified),
    'repr-digest': formatReprDigest(entry.digest),
    'accept-ranges': 'bytes',
    // May be kept, and has to be asked about: the tag makes that cheap.
    'cache-control': 'private, no-cache',
  });
  if (attributes !== '' && attributes.length <= SERVER_ATTRIBUTES_LENGTH_MAX) headers.set(ATTRIBUTES_FIELD, attributes);
  return headers;
}
