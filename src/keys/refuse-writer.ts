import { utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';

/** What the text form of a put-only writer's credential says it is. */
export const WRITER_TYPE = 'holdfast writer';

/**
 * Tells somebody who tries to open a store with a writer's credential why that cannot be. Anything else passes.
 * @throws `denied/WRITE_ONLY`
 */
export function refuseWriterCredential(document: string | Uint8Array): void {
  if (!isWriterCredential(document)) return;
  const message = 'this is the credential of a put-only writer: it can put through the inbox, and opens nothing';
  throw storeError('WRITE_ONLY', message);
}

function isWriterCredential(document: string | Uint8Array): boolean {
  try {
    const parsed: unknown = JSON.parse(typeof document === 'string' ? document : utf8Decode(document));
    return typeof parsed === 'object' && parsed !== null && 'type' in parsed && parsed.type === WRITER_TYPE;
  } catch {
    // Pure functions over the document: it is no JSON, and whoever reads it next says what it should be.
    return false;
  }
}
