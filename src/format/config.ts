/**
 * The store config `holdfast.json`: what must be known before anything else can be read. JSON that people can read, in
 * one fixed spelling; layout in `docs/format.md`, section "Store config". Format 1 is a plain store, format 2 a sealed
 * one: its `keys` hold slots and ring, and a MAC under the master key stands in front of the check.
 *
 * Invariant: the last line but one is `"check"`, BLAKE3 over every byte before it, in every format version. So a
 * damaged config is told from one that a newer version wrote. The MAC is not looked at here: that takes the master key.
 */

import { z } from 'zod';
import { equalBytes, toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import { STORE_CONFIG_BYTES_MAX, STRIPE_SHARDS_MAX } from '../limits.ts';
import { type SealedKeys, SLOT_TYPES, sealedKeysSchema } from './config-keys.ts';
import { type ConfigPlacement, isSoundPlacement, placementSchema } from './config-placement.ts';
import { type Fail, failWith, formatUnsupported } from './damage.ts';

export const STORE_CONFIG_KEY = 'holdfast.json';
/** Format of the config of a plain store. */
export const STORE_FORMAT = 1;
/** Format of the config of a sealed store. */
export const SEALED_STORE_FORMAT = 2;
/** The one cipher suite of sealed stores. */
export const SEALED_SUITE = 'aes-256-gcm';

/** The incompatible feature of a store whose config says where its shards go. */
export const PLACEMENT_FEATURE = 'placement';
/**
 * The incompatible feature of a store whose metadata are in a database that several machines share: whoever opened it with
 * metadata of its own would commit beside the others.
 */
export const SHARED_METADATA_FEATURE = 'shared-metadata';
const KNOWN_FEATURES: ReadonlySet<string> = new Set([PLACEMENT_FEATURE, SHARED_METADATA_FEATURE]);

const featureNames = z.array(z.string().regex(/^[a-z0-9-]{1,64}$/));

// Values that later versions may add are plain text here: an unknown one is unsupported, not damage.
const plainSchema = z.strictObject({
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
  placement: placementSchema.optional(),
  keys: z.string(),
  generation: z.int().min(1),
});

const sealedSchema = plainSchema.extend({
  format: z.literal(SEALED_STORE_FORMAT),
  keys: sealedKeysSchema,
  mac: z.string().regex(/^[0-9a-f]{64}$/),
});

const authenticatedSchema = sealedSchema.omit({ mac: true });

/** Names of features a store uses beyond what its format version says. */
export interface StoreFeatures {
  /** May be ignored; kept when the config is written again. */
  readonly compatible: readonly string[];
  /** A version that does not know them may read the store, not write to it. */
  readonly readOnlyCompatible: readonly string[];
  /** A version that does not know them must not open the store. */
  readonly incompatible: readonly string[];
}

/** What the configs of plain and sealed stores have in common. */
export interface StoreConfigBase {
  readonly features: StoreFeatures;
  /** 16 random bytes in lower-case hex. */
  readonly storeId: string;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
  readonly digest: 'blake3';
  /** Chunker profile in the text form of the chunking module. */
  readonly chunking: string;
  readonly compression: { readonly codec: 'zstd'; readonly level: number };
  /** `none`, or data and parity shards in the text form `k+m`: what packs are written with unless a put says otherwise. */
  readonly redundancy: string;
  /** Absent while the store has one backend only, which needs no name. There exactly with the feature `placement`. */
  readonly placement?: ConfigPlacement;
  /** From 1; one more for every change. */
  readonly generation: number;
}

/** What `holdfast.json` of a plain store says, without its check. */
export interface PlainStoreConfig extends StoreConfigBase {
  readonly format: typeof STORE_FORMAT;
  readonly keys: 'none';
}

/** What `holdfast.json` of a sealed store says, without its check. */
export interface SealedStoreConfig extends StoreConfigBase {
  readonly format: typeof SEALED_STORE_FORMAT;
  readonly keys: SealedKeys;
  /** BLAKE3 keyed under the master key over `configMacBytes`, in lower-case hex. */
  readonly mac: string;
}

/** What `holdfast.json` says, without its check. Told apart by `format`. */
export type StoreConfig = PlainStoreConfig | SealedStoreConfig;

const CHECK_LENGTH = 64;
const CHECK_FRONT = ',\n  "check": "';
const CHECK_BACK = '"\n}\n';
const SUFFIX_BYTES = CHECK_FRONT.length + CHECK_LENGTH + CHECK_BACK.length;

/**
 * Read-only-compatible features of a store that this version does not know: with any, the store is opened read-only.
 */
export function unknownReadOnlyFeatures(config: StoreConfig): readonly string[] {
  return config.features.readOnlyCompatible;
}

/** Members in fixed order, two spaces of indent, without what closes the document. */
function spell(schema: z.ZodType, members: unknown): string {
  const parsed = schema.safeParse(members);
  invariant(parsed.success, 'a store config has the shape it is written in');
  return JSON.stringify(parsed.data, undefined, 2).slice(0, -'\n}'.length);
}

function spellChecked(config: StoreConfig): Uint8Array {
  const front = spell(config.format === STORE_FORMAT ? plainSchema : sealedSchema, config);
  const bytes = utf8Encode(`${front}${CHECK_FRONT}${toHex(blake3(utf8Encode(front)))}${CHECK_BACK}`);
  invariant(bytes.length <= STORE_CONFIG_BYTES_MAX, 'a store config fits its largest size');
  return bytes;
}

/**
 * Encodes a config: members in fixed order, two spaces of indent, a final newline.
 * @throws `unsupported/FORMAT_UNSUPPORTED` for features that this version cannot keep
 */
export function encodeStoreConfig(config: StoreConfig): Uint8Array {
  refuseFeatures([...config.features.incompatible, ...unknownReadOnlyFeatures(config)]);
  invariant(hasPlacementFeature(config), 'a store config names the feature of its placement');
  return spellChecked(config);
}

/**
 * The bytes of a sealed config that its MAC covers: everything in front of the comma before the member `mac`, in the
 * one spelling there is. What `decodeStoreConfig` gave is spelled back byte for byte.
 */
export function configMacBytes(config: Omit<SealedStoreConfig, 'mac'>): Uint8Array {
  const { mac: _mac, ...members } = { mac: '', ...config };
  return utf8Encode(spell(authenticatedSchema, members));
}

function refuseFeatures(names: readonly string[]): void {
  const unknown = names.filter((name) => !KNOWN_FEATURES.has(name));
  if (unknown.length > 0) throw formatUnsupported('store config', `feature ${unknown.join(', ')}`);
}

function hasPlacementFeature({ features, placement }: StoreConfigBase): boolean {
  return features.incompatible.includes(PLACEMENT_FEATURE) === (placement !== undefined);
}

function refuseSetting(setting: string, actual: string, known: readonly string[]): void {
  if (known.includes(actual)) return;
  const expected = known.join(', ');
  const message = `this version knows no ${setting} but ${known.map((one) => JSON.stringify(one)).join(', ')}`;
  throw storeError('SETTING_UNSUPPORTED', message, { details: { setting, actual, expected } });
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

const check = { check: z.string() };
const REDUNDANCY_TEXT = /^([1-9]\d{0,2})\+(0|[1-9]\d{0,2})$/;

/** Whether a text is `none`, or data and parity shards that one stripe can have. */
function isRedundancy(text: string): boolean {
  const counts = REDUNDANCY_TEXT.exec(text);
  return text === 'none' || (counts !== null && Number(counts[1]) + Number(counts[2]) <= STRIPE_SHARDS_MAX);
}

/** What is looked at before anything else is believed to have a known shape. */
const headSchema = z.object({ format: z.int().min(1), features: plainSchema.shape.features });
const plainDocumentSchema = plainSchema.extend(check);
const sealedDocumentSchema = sealedSchema.extend(check);
const sealedHeadSchema = z.object({
  keys: z.object({ suite: z.string(), slots: z.array(z.object({ type: z.string() })) }),
});

/**
 * Decodes a config. The MAC of a sealed one is not verified: unlocking does that.
 * @throws `corrupt/CONFIG_CORRUPT`; `unsupported/FORMAT_UNSUPPORTED` for a newer format or an unknown incompatible
 *   feature; `unsupported/SETTING_UNSUPPORTED` for a value this version does not know, with `details.setting`
 */
export function decodeStoreConfig(bytes: Uint8Array): StoreConfig {
  const fail = failWith('CONFIG_CORRUPT', 'store config', { backendKey: STORE_CONFIG_KEY });
  const document = parseChecked(bytes, fail);
  const format = z.object({ format: z.int().min(1) }).safeParse(document);
  if (!format.success) return fail('says no format', format.error);
  if (format.data.format > SEALED_STORE_FORMAT) throw formatUnsupported('store config', `format ${format.data.format}`);
  const head = headSchema.safeParse(document);
  if (!head.success) return fail('says no features', head.error);
  refuseFeatures(head.data.features.incompatible);
  // Members that this version does not know come with the name of a feature that lets it read the store all the same.
  // A sealed config has none: what a MAC stands for is spelled again before it is verified.
  const sealed = format.data.format === SEALED_STORE_FORMAT;
  const lenient = !sealed && head.data.features.readOnlyCompatible.length > 0;
  const config = sealed ? sealedMembers(document, fail) : plainMembers(document, lenient, fail);
  refuseSetting('digest', config.digest, ['blake3']);
  refuseSetting('compression.codec', config.compression.codec, ['zstd']);
  if (!isRedundancy(config.redundancy)) refuseSetting('redundancy', config.redundancy, ['none', 'k+m']);
  if (!hasPlacementFeature(config)) fail('has a placement without its feature, or the feature without it');
  if (config.placement && !isSoundPlacement(config.placement)) fail('names one backend twice, or one it has not');
  // JSON has many spellings of one value, and members that come twice; only the one that is written is taken.
  if (!lenient && !equalBytes(spellChecked(config), bytes)) fail('is not in its fixed spelling');
  return config;
}

function plainMembers(document: unknown, lenient: boolean, fail: Fail): StoreConfig {
  const whole = (lenient ? plainDocumentSchema.strip() : plainDocumentSchema).safeParse(document);
  if (!whole.success) return fail('has not the members of a store config', whole.error);
  const { check: _check, ...config } = whole.data;
  refuseSetting('keys', config.keys, ['none']);
  return config as PlainStoreConfig;
}

function sealedMembers(document: unknown, fail: Fail): StoreConfig {
  const head = sealedHeadSchema.safeParse(document);
  if (!head.success) return fail('says no suite or slots', head.error);
  refuseSetting('keys.suite', head.data.keys.suite, [SEALED_SUITE]);
  for (const { type } of head.data.keys.slots) refuseSetting('keys.slots.type', type, SLOT_TYPES);
  const whole = sealedDocumentSchema.safeParse(document);
  if (!whole.success) return fail('has not the members of a sealed store config', whole.error);
  const { check: _check, ...config } = whole.data;
  return config as SealedStoreConfig;
}
