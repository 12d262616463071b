import { argumentTypeError } from '../errors/argument-error.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import {
  BUZHASH_MASK_BITS_MAX,
  BUZHASH_MASK_BITS_MIN,
  BUZHASH_WINDOW_BYTES,
  CHUNK_BYTES_MAX,
  CHUNK_BYTES_MIN,
  FASTCDC_AVG_BYTES_MAX,
  FASTCDC_AVG_BYTES_MIN,
  FASTCDC_MAX_BYTES_MAX,
  FASTCDC_MAX_BYTES_MIN,
  FASTCDC_MIN_BYTES_MAX,
  FASTCDC_NORMALISATION_MAX,
} from '../limits.ts';

/** Chunks of one size; the last of a stream may be shorter. */
export interface FixedSpec {
  readonly kind: 'fixed';
  /** 64 bytes to 32 MiB. */
  readonly bytes: number;
}

/** FastCDC of 2020 (see `fastcdc.ts`), sizes in bytes. An odd `min` allows chunks of `min - 1`, as in fastcdc-rs. */
export interface FastCdcSpec {
  readonly kind: 'fastcdc';
  /** 64 bytes to 1 MiB. */
  readonly min: number;
  /** 256 bytes to 4 MiB. The masks are chosen by its logarithm, rounded. */
  readonly avg: number;
  /** 1 KiB to 16 MiB. */
  readonly max: number;
  /** How strongly sizes are drawn towards `avg`. */
  readonly normalisation: 0 | 1 | 2 | 3;
  /**
   * u64, XORed into the gear table, so that cut points tell nothing to who does not know it; 0n is the published table.
   */
  readonly seed: bigint;
}

/** Buzhash of ipfs/boxo (see `buzhash.ts`), sizes in bytes. */
export interface BuzhashSpec {
  readonly kind: 'buzhash';
  /** 64 bytes to 32 MiB. */
  readonly min: number;
  readonly max: number;
  /** 6 to 25: beyond `min`, cuts are 2^maskBits bytes apart on average. */
  readonly maskBits: number;
  readonly window: 32;
}

/** The caller cuts; there is no chunker. */
export interface GivenSpec {
  readonly kind: 'given';
}

/** How content is cut into chunks: plain data. Two equal specs cut the same content at the same points, always. */
export type ChunkingSpec = FixedSpec | FastCdcSpec | BuzhashSpec | GivenSpec;

/** Makes the `CHUNKING_INVALID` error for one part of a spec. */
export function chunkingInvalid(setting: string, message: string): StoreError {
  return storeError('CHUNKING_INVALID', message, { details: { setting } });
}

function checkNumber(setting: string, value: unknown, bounds: { readonly min: number; readonly max: number }): void {
  const { min, max } = bounds;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw chunkingInvalid(setting, `${setting} must be an integer from ${min} to ${max}, got ${String(value)}`);
}

function checkOrder(kind: string, sizes: Readonly<Record<string, number>>): void {
  const names = Object.keys(sizes);
  for (let index = 1; index < names.length; index += 1) {
    const [smaller, larger] = [names[index - 1]!, names[index]!];
    if (sizes[smaller]! <= sizes[larger]!) continue;
    const got = `${sizes[smaller]} and ${sizes[larger]}`;
    throw chunkingInvalid(`${kind}.${smaller}`, `${kind}.${smaller} must not exceed ${kind}.${larger}, got ${got}`);
  }
}

function checkFastCdc({ min, avg, max, normalisation, seed }: FastCdcSpec): void {
  checkNumber('fastcdc.min', min, { min: CHUNK_BYTES_MIN, max: FASTCDC_MIN_BYTES_MAX });
  checkNumber('fastcdc.avg', avg, { min: FASTCDC_AVG_BYTES_MIN, max: FASTCDC_AVG_BYTES_MAX });
  checkNumber('fastcdc.max', max, { min: FASTCDC_MAX_BYTES_MIN, max: FASTCDC_MAX_BYTES_MAX });
  checkOrder('fastcdc', { min, avg, max });
  checkNumber('fastcdc.normalisation', normalisation, { min: 0, max: FASTCDC_NORMALISATION_MAX });
  if (typeof seed === 'bigint' && seed === BigInt.asUintN(64, seed)) return;
  // A seed may be a secret of a sealed store, so it stays out of the message.
  throw chunkingInvalid('fastcdc.seed', 'fastcdc.seed must be a bigint from 0 to 2^64-1');
}

function checkBuzhash({ min, max, maskBits, window }: BuzhashSpec): void {
  checkNumber('buzhash.min', min, { min: CHUNK_BYTES_MIN, max: CHUNK_BYTES_MAX });
  checkNumber('buzhash.max', max, { min: CHUNK_BYTES_MIN, max: CHUNK_BYTES_MAX });
  checkOrder('buzhash', { min, max });
  checkNumber('buzhash.maskBits', maskBits, { min: BUZHASH_MASK_BITS_MIN, max: BUZHASH_MASK_BITS_MAX });
  checkNumber('buzhash.window', window, { min: BUZHASH_WINDOW_BYTES, max: BUZHASH_WINDOW_BYTES });
}

/**
 * Checks a spec against the bounds of its kind; fields it does not know are ignored.
 * @throws `invalid/CHUNKING_INVALID` with the offending field in `details.setting` and its legal range in the message
 * @throws TypeError when `spec` is no object
 */
export function checkChunking(spec: ChunkingSpec): void {
  if (typeof spec !== 'object' || spec === null) throw argumentTypeError('spec', 'a chunking spec', spec);
  const { kind } = spec;
  if (kind === 'fixed') checkNumber('fixed.bytes', spec.bytes, { min: CHUNK_BYTES_MIN, max: CHUNK_BYTES_MAX });
  else if (kind === 'fastcdc') checkFastCdc(spec);
  else if (kind === 'buzhash') checkBuzhash(spec);
  else if (kind !== 'given') {
    throw chunkingInvalid('kind', `kind must be one of fixed, fastcdc, buzhash, given; got ${String(kind)}`);
  }
}
