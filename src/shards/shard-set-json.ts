/**
 * A shard set as one JSON document:
 *
 *     { "type": "holdfast shard set", "version": 1, "id": "…32 hex digits…", "redundancy": "3+2", "size": 11,
 *       "digest": "blake3:…", "root": "blake3:…", "contentType": "text/plain", "subject": "…",
 *       "created": "2026-01-02T03:04:05.678Z", "verified": "…",
 *       "shards": [{ "digest": "blake3:…", "bytes": "…base64…" or null, "location": { "backend": "…", "key": "…" } }, …] }
 *
 * `subject`, `verified` and `location` may be absent; nothing else may be, and nothing else may be there. All digests are
 * of one algorithm. Bytes are in canonical base64, `null` for a missing shard.
 */
import { z } from 'zod';
import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { formatRedundancy, parseRedundancy } from '../erasure/index.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { type Digest, type DigestAlgorithm, formatDigest, parseDigest } from '../hash/index.ts';
import { SHARD_SET_JSON_LENGTH_MAX, STRIPE_SHARDS_MAX } from '../limits.ts';
import { checkShardSet, type SetShard, type ShardSet, shardSetInvalid } from './shard-set.ts';

const TYPE = 'holdfast shard set';
const VERSION = 1;

/** What any version has; looked at first, so that a newer set is not taken for a wrong one. */
const headSchema = z.looseObject({ type: z.literal(TYPE), version: z.int() });

const shardSchema = z.strictObject({
  digest: z.string(),
  bytes: z.string().nullable(),
  location: z.strictObject({ backend: z.string(), key: z.string() }).optional(),
});

const setSchema = z.strictObject({
  type: z.literal(TYPE),
  version: z.literal(VERSION),
  id: z.string(),
  redundancy: z.string(),
  size: z.int().min(0),
  digest: z.string(),
  root: z.string(),
  contentType: z.string(),
  subject: z.string().optional(),
  created: z.string(),
  verified: z.string().optional(),
  shards: z.array(shardSchema).max(STRIPE_SHARDS_MAX),
});

type ShardDocument = z.infer<typeof shardSchema>;

/**
 * Writes a set as JSON, on one line.
 * @throws `invalid/SHARD_SET_INVALID` for what is no shard set
 */
export function formatShardSet(set: ShardSet): string {
  checkShardSet(set);
  const { id, algorithm, size, contentType, subject, created, verified } = set;
  return JSON.stringify({
    type: TYPE,
    version: VERSION,
    id,
    redundancy: formatRedundancy(set.redundancy),
    size,
    digest: formatDigest(algorithm, set.digest),
    root: formatDigest(algorithm, set.root),
    contentType,
    subject,
    created,
    verified,
    shards: set.shards.map(({ digest, bytes, location }) => ({
      digest: formatDigest(algorithm, digest),
      bytes: bytes === undefined ? null : toBase64(bytes),
      location: location && { backend: location.backend, key: location.key },
    })),
  });
}

/**
 * Reads the JSON of a set, whoever wrote it: every field is checked, unknown ones are refused. Whether the shards are good
 * is not looked at.
 * @returns the set; its arrays are the caller's own
 * @throws `invalid/SHARD_SET_INVALID` with the path of a wrong field in `details.setting`; `unsupported/FORMAT_UNSUPPORTED`
 *   for another version; TypeError when it is no text
 */
export function parseShardSet(text: string): ShardSet {
  if (typeof text !== 'string') throw argumentTypeError('text', 'a string', text);
  if (text.length > SHARD_SET_JSON_LENGTH_MAX) throw shardSetInvalid('text', 'no more characters than fit');
  const document = parseJson(text);
  const head = headSchema.safeParse(document);
  if (head.success && head.data.version !== VERSION) {
    const actual = head.data.version;
    throw storeError('FORMAT_UNSUPPORTED', `a shard set of version ${actual}`, {
      details: { expected: VERSION, actual },
    });
  }
  const parsed = setSchema.safeParse(document);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') || 'value';
    throw shardSetInvalid(path, 'the fields of version 1 and no others');
  }
  const { type: _type, version: _version, redundancy, digest, root, shards, ...rest } = parsed.data;
  const { subject, verified, ...required } = rest;
  const content = namedDigest('digest', digest);
  const read = reader(content.algorithm);
  const set: ShardSet = {
    ...required,
    ...(subject !== undefined && { subject }),
    ...(verified !== undefined && { verified }),
    redundancy: known('redundancy', () => parseRedundancy(redundancy)),
    algorithm: content.algorithm,
    digest: content.digest,
    root: read('root', root),
    shards: shards.map((shard, index) => parseShard(shard, `shards.${index}`, read)),
  };
  checkShardSet(set);
  return set;
}

function parseShard(
  { digest, bytes, location }: ShardDocument,
  field: string,
  read: (field: string, text: string) => Digest,
): SetShard {
  const decoded = bytes === null ? undefined : fromBase64(bytes);
  if (bytes !== null && decoded === undefined) throw shardSetInvalid(`${field}.bytes`, 'canonical base64 or null');
  return { digest: read(`${field}.digest`, digest), bytes: decoded, ...(location !== undefined && { location }) };
}

/** Reads digests of one algorithm. */
function reader(algorithm: DigestAlgorithm): (field: string, text: string) => Digest {
  return (field, text) => {
    const named = namedDigest(field, text);
    if (named.algorithm !== algorithm) throw shardSetInvalid(field, `a digest of ${algorithm}`);
    return named.digest;
  };
}

function namedDigest(field: string, text: string) {
  return known(field, () => parseDigest(text));
}

function known<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isStoreError(error, 'DIGEST_INVALID', 'REDUNDANCY_INVALID')) throw error;
    throw shardSetInvalid(field, 'text that says one');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A pure function over the text: whatever it throws, the text is the reason, and its message quotes the text.
    throw shardSetInvalid('text', 'JSON');
  }
}
