/**
 * The 16 bytes every fixed layout begins with: magic (8), version u16, feature bits (three u16). `docs/format.md`,
 * section "Versions and features", has the rules; the code here enforces them for readers and writers.
 *
 * Invariant: the size of a fixed layout, the place of its check and how the check is computed are the same in every
 * version. So damage is told from novelty: a check that fails is damage, whatever the version says.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import type { BinaryWriter } from '../bytes/binary-writer.ts';
import { equalBytes, utf8Encode } from '../bytes/bytes.ts';
import { type Fail, formatUnsupported } from './damage.ts';

export const PRELUDE_BYTES = 16;
const MAGIC_BYTES = 8;
const NO_BITS = 0;

/** One fixed layout: 8 letters it begins with, the version this code writes and reads, its name in messages. */
export interface Layout {
  readonly magic: string;
  readonly version: number;
  readonly component: string;
}

/** Feature bits that a reader of this version may meet without knowing them. It knows none yet. */
export interface FeatureBits {
  /** Hints, kept when the component is written again. */
  readonly compatible: number;
  /** Promises that only a writer who knows them keeps: safe to read, not to write again. */
  readonly readOnlyCompatible: number;
}

export function writePrelude(writer: BinaryWriter, layout: Layout, features?: FeatureBits): void {
  writer
    .put(utf8Encode(layout.magic))
    .u16(layout.version)
    .u16(features?.compatible ?? NO_BITS)
    .u16(features?.readOnlyCompatible ?? NO_BITS)
    .u16(NO_BITS);
}

/**
 * Called by whatever writes a component with a header that was read before.
 * @throws `unsupported/FORMAT_UNSUPPORTED` for read-only-compatible bits: this version would not keep what they promise
 */
export function refuseReadOnlyFeatures(component: string, features: FeatureBits | undefined): void {
  const bits = features?.readOnlyCompatible ?? NO_BITS;
  if (bits !== NO_BITS) throw formatUnsupported(component, `read-only-compatible feature bits ${bits}`);
}

/** Reserved bytes are zero until an incompatible bit or another version says otherwise. */
export function readReserved(reader: BinaryReader, length: number, fail: Fail): void {
  if (reader.bytes(length).some((byte) => byte !== 0)) fail('has reserved bytes that are not zero');
}

/**
 * Checks the front of a component, in the order that gives the right error: magic, then its check, then version and
 * incompatible bits.
 * @param bytes the component from its first byte
 * @param intact whether its check holds
 * @returns the feature bits, `undefined` when none is set
 * @throws what `fail` throws, `unsupported/FORMAT_UNSUPPORTED`
 */
export function readPrelude(
  bytes: Uint8Array,
  layout: Layout,
  rules: { readonly fail: Fail; readonly intact: () => boolean },
): FeatureBits | undefined {
  const reader = new BinaryReader(bytes, rules.fail);
  if (!equalBytes(reader.bytes(MAGIC_BYTES), utf8Encode(layout.magic))) rules.fail('does not begin with its magic');
  if (!rules.intact()) rules.fail('does not match its check');
  const version = reader.u16();
  if (version !== layout.version) throw formatUnsupported(layout.component, `version ${version}`);
  const compatible = reader.u16();
  const readOnlyCompatible = reader.u16();
  const incompatible = reader.u16();
  if (incompatible !== NO_BITS) throw formatUnsupported(layout.component, `incompatible feature bits ${incompatible}`);
  return compatible === NO_BITS && readOnlyCompatible === NO_BITS ? undefined : { compatible, readOnlyCompatible };
}
