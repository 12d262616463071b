import { storeError } from '../../errors/store-error.ts';

/** Bytes that are read where they are asked for: a pack is never whole in memory. */
export interface ByteSource {
  readonly bytes: number;
  /** @returns fewer bytes where the source ends before the range does */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A part of a source as a source of its own: as much of it as there is. */
export function sourcePart(source: ByteSource, offset: number, length: number): ByteSource {
  const bytes = Math.max(0, Math.min(length, source.bytes - offset));
  return {
    bytes,
    read: (from, count) => source.read(offset + from, Math.max(0, Math.min(count, bytes - from))),
  };
}

/** All of a source that is small. @throws `invalid/FILE_UNKNOWN` for one that is not */
export async function readSmall(source: ByteSource, bytesMax: number, what: string): Promise<Uint8Array> {
  if (source.bytes <= bytesMax) return await source.read(0, source.bytes);
  const message = `it is too large for a ${what}: ${source.bytes} bytes, where ${bytesMax} are the most`;
  throw storeError('FILE_UNKNOWN', message, { details: { size: source.bytes } });
}
