/**
 * The store config `holdfast.json`: what must be known before anything else can be read. JSON that people can read, in
 * one fixed spelling; layout in `docs/format.md`, section "Store config".
 *
 * Invariant: the last line but one is `"check"`, BLAKE3 over every byte before it, in every format version. So a damaged
 * config is told from one that a newer version wrote.
 */

import { z } from 'zod';
import { equalBytes, toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import { STORE_CONFIG_BYTES_MAX } from '../limits.ts';
import { type Fail, failWith, formatUnsupported } from './damage.ts';

export const STORE_CONFIG_KEY = 'holdfast.json';
export const STORE_FORMAT = 1;

const featureNames = z.array(z.string().regex(/^[a-z0-9-]{1,64}$/));

// Values that later versions may add are plain text here: an unknown one is unsupported, not damage.
const configSchema = z.strictObject({
  format: z.literal(STORE_FORMAT),
  features: z.strictObject({
    compatible: featureNames,
    readOnlyCompatible: featureNames,
    incompatible: featureNames,
  }),
  storeId: z.string().regex(/^[0-9a-f]{32}$/),
  created: z.iso.datetime(),
  digest: z.string(),
  chunking: z.string().min(1),
  compression: z.strictObject({ codec: z.string(), level: z.int() }),
  redundancy: z.string(),
  keys: z.string(),
  generation: z.int().min(1),
});

/** Names of features a store uses beyond what its format version says. */
export interface StoreFeatures {
  /** May be ignored; kept when the config is written again. */
  readonly compatible: readonly string[];
  /** A version that does not know them may read the store, not write to it. */
  readonly readOnlyCompatible: readonly string[];
  /** A version that does not know them must not open the store. */
  readonly incompatible: readonly string[];
}

/** What `holdfast.json` says, without its check. */
export interface StoreConfig {
  readonly format: typeof STORE_FORMAT;
  readonly features: StoreFeatures;
  /** 16 random bytes in lower-case hex. */
  readonly storeId: string;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
  readonly digest: 'blake3';
  /** Chunker profile in the text form of the chunking module. */
  readonly chunking: string;
  readonly compression: { readonly codec: 'zstd'; readonly level: number };
  readonly redundancy: 'none';
  readonly keys: 'none';
  /** From 1; one more for every change. */
  readonly generation: number;
}

const CHECK_LENGTH = 64;
const CHECK_FRONT = ',\n  "check": "';
const CHECK_BACK = '"\n}\n';
const SUFFIX_BYTES = CHECK_FRONT.length + CHECK_LENGTH + CHECK_BACK.length;

/** Read-only-compatible features of a store that this version does not know: with any, the store is opened read-only. */
export function unknownReadOnlyFeatures(config: StoreConfig): readonly string[] {
  return config.features.readOnlyCompatible;
}

/**
 * Encodes a config: members in fixed order, two spaces of indent, a final newline.
 * @throws `unsupported/FORMAT_UNSUPPORTED` for features that this version cannot keep
 */
export function encodeStoreConfig(config: StoreConfig): Uint8Array {
  const parsed = configSchema.safeParse(config);
  invariant(parsed.success, 'a store config has the shape it is written in');
  refuseFeatures([...config.features.incompatible, ...unknownReadOnlyFeatures(config)]);
  const text = JSON.stringify(parsed.data, undefined, 2);
  const front = text.slice(0, -'\n}'.length);
  return utf8Encode(`${front}${CHECK_FRONT}${toHex(blake3(utf8Encode(front)))}${CHECK_BACK}`);
}

function refuseFeatures(names: readonly string[]): void {
  if (names.length > 0) throw formatUnsupported('store config', `feature ${names.join(', ')}`);
}

function refuseSetting(setting: string, actual: string, known: string): void {
  if (actual === known) return;
  const message = `this version knows no ${setting} but ${JSON.stringify(known)}`;
  throw storeError('SETTING_UNSUPPORTED', message, { details: { setting, actual, expected: known } });
}

function parseChecked(bytes: Uint8Array, fail: Fail): unknown {
  if (bytes.length > STORE_CONFIG_BYTES_MAX) fail(`has ${bytes.length} bytes`);
  const front = bytes.subarray(0, Math.max(0, bytes.length - SUFFIX_BYTES));
  const suffix = bytes.subarray(front.length);
  const expected = utf8Encode(`${CHECK_FRONT}${toHex(blake3(front))}${CHECK_BACK}`);
  if (!equalBytes(suffix, expected)) fail('does not match its check');
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch (error) {
    // Pure functions over bytes: whatever they throw, these bytes are the reason.
    return fail('is no JSON', error);
  }
}

/** What is looked at before anything else is believed to have a known shape. */
const headSchema = z.object({ format: z.int().min(1), features: configSchema.shape.features });
const documentSchema = configSchema.extend({ check: z.string() });

/**
 * Decodes a config.
 * @throws `corrupt/CONFIG_CORRUPT`; `unsupported/FORMAT_UNSUPPORTED` for a newer format or an unknown incompatible
 *   feature; `unsupported/SETTING_UNSUPPORTED` for a value this version does not know, with `details.setting`
 */
export function decodeStoreConfig(bytes: Uint8Array): StoreConfig {
  const fail = failWith('CONFIG_CORRUPT', 'store config', { backendKey: STORE_CONFIG_KEY });
  const document = parseChecked(bytes, fail);
  const format = z.object({ format: z.int().min(1) }).safeParse(document);
  if (!format.success) return fail('says no format', format.error);
  if (format.data.format !== STORE_FORMAT) throw formatUnsupported('store config', `format ${format.data.format}`);
  const head = headSchema.safeParse(document);
  if (!head.success) return fail('says no features', head.error);
  refuseFeatures(head.data.features.incompatible);
  // Members that this version does not know come with the name of a feature that lets it read the store all the same.
  const lenient = head.data.features.readOnlyCompatible.length > 0;
  const whole = (lenient ? documentSchema.strip() : documentSchema).safeParse(document);
  if (!whole.success) return fail('has not the members of a store config', whole.error);
  const { check: _check, ...config } = whole.data;
  const { digest, compression, redundancy, keys } = config;
  refuseSetting('digest', digest, 'blake3');
  refuseSetting('compression.codec', compression.codec, 'zstd');
  refuseSetting('redundancy', redundancy, 'none');
  refuseSetting('keys', keys, 'none');
  // JSON has many spellings of one value, and members that come twice; only the one that is written is taken.
  if (!lenient && !equalBytes(encodeStoreConfig(config as StoreConfig), bytes)) fail('is not in its fixed spelling');
  return config as StoreConfig;
}
