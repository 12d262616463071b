/** `holdfast/compress`: bytes made smaller where it pays, and opened again within bounds known beforehand. */
export { CODEC_STORED, CODEC_ZSTD, type Codec, checkCodec, codecName } from './codec.ts';
export {
  COMPRESSION_LEVEL_DEFAULT,
  COMPRESSION_LEVEL_MAX,
  COMPRESSION_LEVEL_MIN,
  type Compressed,
  type CompressOptions,
  checkCompressionLevel,
  compress,
  compressSync,
} from './compress.ts';
export { decompress, decompressSync } from './decompress.ts';
export { compressStream, decompressStream, type StreamCompression, sniffCompression } from './streams.ts';
