/**
 * What tells one backend of a store from another, and from those of other stores: a small blob on each of them. Layout
 * in `docs/format.md`, section "Backend marker".
 */
import { z } from 'zod';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { failWith, formatUnsupported } from './damage.ts';

export const BACKEND_MARKER_KEY = 'holdfast-backend.json';
const FORMAT = 1;

/** Which backend of which store this is: ids in lower-case hex, 16 bytes each. */
export interface BackendMarker {
  readonly storeId: string;
  readonly backendId: string;
}

const id = z.string().regex(/^[0-9a-f]{32}$/);
const schema = z.strictObject({ format: z.literal(FORMAT), storeId: id, backendId: id });

export function encodeBackendMarker({ storeId, backendId }: BackendMarker): Uint8Array {
  return utf8Encode(`${JSON.stringify({ format: FORMAT, storeId, backendId }, undefined, 2)}\n`);
}

/** @throws `corrupt/CONFIG_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED` */
export function decodeBackendMarker(bytes: Uint8Array): BackendMarker {
  const fail = failWith('CONFIG_CORRUPT', 'backend marker', { backendKey: BACKEND_MARKER_KEY });
  const document = parse(bytes, fail);
  const head = z.object({ format: z.int().min(1) }).safeParse(document);
  if (!head.success) return fail('says no format', head.error);
  if (head.data.format !== FORMAT) throw formatUnsupported('backend marker', `format ${head.data.format}`);
  const marker = schema.safeParse(document);
  if (!marker.success) return fail('does not say which backend it is', marker.error);
  return { storeId: marker.data.storeId, backendId: marker.data.backendId };
}

function parse(bytes: Uint8Array, fail: ReturnType<typeof failWith>): unknown {
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch (error) {
    // Pure functions over bytes: whatever they throw, these bytes are the reason.
    return fail('is no JSON', error);
  }
}
