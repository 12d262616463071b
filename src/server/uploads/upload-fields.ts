/** What `Upload-Metadata` says of the entry that an upload is to become: the headers of an upload in one piece, by other names. */
import { storeError } from '../../errors/store-error.ts';
import { ATTRIBUTES_FIELD } from '../http/entry-headers.ts';

/** Names that we document first, then those that clients of tus are used to. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'content-type': ['contentType', 'filetype'],
  [ATTRIBUTES_FIELD]: ['attributes'],
  'content-digest': ['contentDigest'],
  'if-match': ['ifMatch'],
  'if-none-match': ['ifNoneMatch'],
};

type Metadata = Readonly<Record<string, string | null>>;

function named(metadata: Metadata, names: readonly string[]): string | undefined {
  const name = names.find((one) => Object.hasOwn(metadata, one));
  return name === undefined ? undefined : (metadata[name] ?? '');
}

/** What is to be stored, without its content. */
export interface UploadFields {
  /** `null` to name the entry by its digest. */
  readonly key: string | null;
  readonly headers: Headers;
}

/** Names that mean nothing here are passed by. @throws `invalid/REQUEST_INVALID` for a value that no header may have */
export function uploadFields(metadata: Metadata): UploadFields {
  const headers = new Headers();
  for (const [header, names] of Object.entries(FIELDS)) {
    const value = named(metadata, names);
    if (value === undefined || value === '') continue;
    try {
      headers.set(header, value);
    } catch (cause) {
      const [field = ''] = names;
      throw storeError('REQUEST_INVALID', `${field} is no value of a header`, { details: { field }, cause });
    }
  }
  return { key: named(metadata, ['key', 'filename']) ?? null, headers };
}
