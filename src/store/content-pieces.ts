import type { EntryValue } from '../format/index.ts';
import { LENT_CONTENT_BYTES_MIN } from '../limits.ts';
import { type ReadContentOptions, readContent } from '../pipeline/content-reader.ts';
import type { ItemReader } from '../pipeline/item-reader.ts';
import { readLentContent } from '../pipeline/lent-content.ts';
import type { Engine } from './engine.ts';

/** How content is read piece by piece. */
export interface PieceOptions extends ReadContentOptions {
  /** See `StreamOptions.lent`. */
  readonly lent?: boolean;
}

/**
 * The content of an entry or an object, piece by piece. What is small is not worth a thread: its pieces are the caller's.
 * @throws what `readContent` throws
 */
export function contentPieces(
  { contentThread: thread }: Engine,
  { reader, value }: { readonly reader: ItemReader; readonly value: EntryValue },
  { lent = false, ...options }: PieceOptions,
): AsyncGenerator<Uint8Array> {
  const { offset, end } = options.range ?? { offset: 0, end: value.size };
  if (!lent || end - offset < LENT_CONTENT_BYTES_MIN) return readContent(reader, value, options);
  return readLentContent(reader, value, { ...options, thread });
}
