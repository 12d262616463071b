import { checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';

/**
 * How the bytes of a record are kept. A codec id is one byte on disk and never changes its meaning: 0 and 1 are
 * defined, 2 to 63 are reserved for later codecs of Holdfast (2 lz4, 3 brotli, 4 zstd with a dictionary), 64 and above
 * belong to nobody.
 */

/** The plain bytes themselves. */
export const CODEC_STORED = 0;
/**
 * One zstd frame (RFC 8878) without dictionary. Holdfast writes frames that declare their content size and carry no
 * checksum: records are authenticated as a whole.
 */
export const CODEC_ZSTD = 1;

/** A codec this version reads and writes. */
export type Codec = typeof CODEC_STORED | typeof CODEC_ZSTD;

const NAMES: Readonly<Record<Codec, string>> = { [CODEC_STORED]: 'stored', [CODEC_ZSTD]: 'zstd' };

/**
 * Narrows a codec id read from disk.
 * @param codec 0 to 255
 * @throws TypeError, RangeError when it is not one byte
 * @throws `unsupported/CODEC_UNSUPPORTED` for every id this version does not know
 */
export function checkCodec(codec: number): Codec {
  checkInteger('codec', codec, { min: 0, max: 255 });
  if (codec !== CODEC_STORED && codec !== CODEC_ZSTD) {
    throw storeError('CODEC_UNSUPPORTED', `codec ${codec} is not known to this version of Holdfast`, {
      details: { setting: 'codec', actual: codec },
    });
  }
  return codec;
}

/** The name of a codec for people: `stored`, `zstd`. */
export function codecName(codec: Codec): string {
  return NAMES[codec];
}
