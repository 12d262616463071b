/** What is said in JSON: the shapes of the library, for the checks of what comes and for the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import type { EntriesStats, EntryInfo, NamespaceInfo, PutResult, StoreStats, VersionInfo } from '../index.ts';

/** Fails to compile when a schema and the type of the library part ways. */
type Same<S extends z.ZodType, T> = z.output<S> extends T ? S : never;
const of =
  <T>() =>
  <S extends z.ZodType>(schema: Same<S, T>): S =>
    schema;

/**
 * A property that may be absent, as the library has it: never `undefined`. The document is made by asking a schema whether it takes
 * `undefined`, so it has to.
 */
const maybe = <S extends z.ZodType>(schema: S): z.ZodExactOptional<S> =>
  schema.optional() as unknown as z.ZodExactOptional<S>;

const bytes = z.int().min(0);
const count = z.int().min(0);
const version = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^[a-z0-9]+:[0-9a-f]+$/);
const time = z.iso.datetime();

export const versionIdSchema = version.describe('a version: 64 hex digits, an ETag without its quotes');
export const keySchema = z
  .string()
  .min(1)
  .describe('a key: any text of 1 to 1,024 bytes; its slashes need no encoding');

export const objectIdSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('the id of an object: 64 hex digits');
export const addressSchema = z
  .string()
  .min(1)
  .describe('an id, a ref, ref@{1}, ref@{2026-01-31}, each with :path behind it');

/** Media type of lists of any length: a JSON object a line. */
export const LINES = 'application/x-ndjson';

const described = {
  key: z.string(),
  version,
  digest,
  size: bytes,
  chunks: count,
  root: digest,
  contentType: maybe(z.string()),
  attributes: z.record(z.string(), z.string()),
  parent: maybe(version),
  isolated: maybe(z.literal(true)),
};

export const entrySchema = of<EntryInfo>()(z.object({ ...described, created: time, modified: time })).openapi('Entry');

export const versionSchema = of<VersionInfo>()(
  z.object({
    ...described,
    number: maybe(z.int().min(1)),
    current: z.boolean(),
    from: time,
    until: maybe(time),
  }),
).openapi('Version');

export const storedSchema = of<PutResult>()(
  z.object({
    key: z.string(),
    version,
    digest,
    size: bytes,
    chunks: count,
    newBytes: bytes,
    storedBytes: bytes,
    stats: z.object({ totalBytes: bytes, storedBytes: bytes, savingsPercent: z.number() }),
    digests: maybe(z.array(digest)),
  }),
).openapi('Stored');

const entriesStats = {
  entries: count,
  chunks: count,
  logicalBytes: bytes,
  uniqueBytes: bytes,
  storedBytes: bytes,
  savingsPercent: z.number(),
  compressionRatio: z.number(),
};

export const entriesStatsSchema = of<EntriesStats>()(z.object(entriesStats)).openapi('EntriesStats');

export const storeStatsSchema = of<Omit<StoreStats, 'requests'>>()(
  z.object({ ...entriesStats, packs: count, commit: count }),
).openapi('StoreStats');

export const namespaceSchema = of<NamespaceInfo>()(
  z.object({
    name: z.string(),
    created: time,
    quotaBytes: maybe(bytes),
    entries: count,
    logicalBytes: bytes,
    chunks: count,
    uniqueBytes: bytes,
    storedBytes: bytes,
  }),
).openapi('Namespace');
