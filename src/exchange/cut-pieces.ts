import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';

/**
 * Cuts a stream into chunks of given lengths.
 * @param lengths how long each chunk is; one that never ends cuts everything, the last chunk being shorter
 * @yields chunks in memory of their own
 * @throws `conflict/SOURCE_CHANGED` when the lengths end before the stream
 */
export async function* cutPieces(
  pieces: AsyncIterable<Uint8Array>,
  lengths: Iterator<number>,
): AsyncGenerator<Uint8Array> {
  let chunk: Uint8Array = EMPTY_BYTES;
  let filled = 0;
  for await (const piece of pieces) {
    for (let offset = 0; offset < piece.length; ) {
      if (filled === chunk.length) {
        chunk = new Uint8Array(nextLength(lengths));
        filled = 0;
      }
      const taken = piece.subarray(offset, offset + chunk.length - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      offset += taken.length;
      if (filled === chunk.length) yield chunk;
    }
  }
  if (filled < chunk.length) yield chunk.subarray(0, filled);
}

function nextLength(lengths: Iterator<number>): number {
  const next = lengths.next();
  if (!next.done) return next.value;
  throw storeError('SOURCE_CHANGED', 'the entry changed while it was read');
}

/** Lengths for chunks of one size. */
export function* sameLength(length: number): Generator<number> {
  for (;;) yield length;
}
