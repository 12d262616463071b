import { z } from 'zod';
import { fromBase64 } from '../bytes/base64.ts';

/** Schema of a byte string of a known length in canonical base64; gives the bytes. */
export function base64Bytes(length: number): z.ZodType<Uint8Array> {
  return z.string().transform((text, context) => {
    const bytes = fromBase64(text);
    if (bytes?.length === length) return bytes;
    // Without the value, which may be a secret.
    context.addIssue({ code: 'custom', message: `no base64 of ${length} bytes` });
    return z.NEVER;
  });
}
