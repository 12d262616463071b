/**
 * What a move leaves where a store goes to and where it was: small blobs beside those of the store. Layout in
 * `docs/format.md`, section "Store folder".
 */
import { z } from 'zod';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { failWith, formatUnsupported } from './damage.ts';

/** Where a store is being moved to, until it is there. */
export const MIGRATION_KEY = 'holdfast-migration.json';
/** Where a store was, once it has moved. */
export const MOVED_KEY = 'holdfast-moved.json';
const FORMAT = 1;

/** How far a move is. */
export interface MigrationMark {
  /** In lower-case hex. */
  readonly storeId: string;
  /** Blobs up to this key, in byte order, are at the target and were compared; empty while none is. */
  readonly verifiedTo: string;
}

/** Where a store went. */
export interface MovedMark {
  readonly storeId: string;
  /** URL without secrets. */
  readonly to: string;
}

const storeId = z.string().regex(/^[0-9a-f]{32}$/);
const migrationSchema = z.strictObject({ format: z.literal(FORMAT), storeId, verifiedTo: z.string() });
const movedSchema = z.strictObject({ format: z.literal(FORMAT), storeId, to: z.string() });

export function encodeMigrationMark({ storeId, verifiedTo }: MigrationMark): Uint8Array {
  return spell({ format: FORMAT, storeId, verifiedTo });
}

/** @throws `corrupt/CONFIG_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED` */
export function decodeMigrationMark(bytes: Uint8Array): MigrationMark {
  const { format: _, ...mark } = parse(bytes, migrationSchema, MIGRATION_KEY);
  return mark;
}

export function encodeMovedMark({ storeId, to }: MovedMark): Uint8Array {
  return spell({ format: FORMAT, storeId, to });
}

/** @throws `corrupt/CONFIG_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED` */
export function decodeMovedMark(bytes: Uint8Array): MovedMark {
  const { format: _, ...mark } = parse(bytes, movedSchema, MOVED_KEY);
  return mark;
}

function spell(document: object): Uint8Array {
  return utf8Encode(`${JSON.stringify(document, undefined, 2)}\n`);
}

function parse<T>(bytes: Uint8Array, schema: z.ZodType<T>, backendKey: string): T {
  const fail = failWith('CONFIG_CORRUPT', 'mark of a move', { backendKey });
  let document: unknown;
  try {
    document = JSON.parse(utf8Decode(bytes));
  } catch (error) {
    // Pure functions over bytes: whatever they throw, these bytes are the reason.
    return fail('is no JSON', error);
  }
  const head = z.object({ format: z.int().min(1) }).safeParse(document);
  if (!head.success) return fail('says no format', head.error);
  if (head.data.format !== FORMAT) throw formatUnsupported('mark of a move', `format ${head.data.format}`);
  const whole = schema.safeParse(document);
  return whole.success ? whole.data : fail('does not say what it is to say', whole.error);
}
