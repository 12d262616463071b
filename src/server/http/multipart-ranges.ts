import { randomId } from '../../runtime/random.ts';
import { formatContentRange, type Range } from './ranges.ts';

/** What the parts are cut from. */
interface Whole {
  readonly size: number;
  /** Media type of the whole. */
  readonly type: string;
  read(range: Range): AsyncIterable<Uint8Array>;
}

/** A body of several ranges. */
interface Multipart {
  readonly contentType: string;
  /** Bytes in all. */
  readonly length: number;
  readonly parts: readonly (AsyncIterable<Uint8Array> | Uint8Array)[];
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Several ranges as one body, in the order asked.
 * @see RFC 9110, section 14.6
 */
export function partsOf(ranges: readonly Range[], { size, type, read }: Whole): Multipart {
  // Random, so that nobody can have stored content that ends a part.
  const boundary = randomId();
  const heads = ranges.map((range) =>
    bytesOf(`\r\n--${boundary}\r\ncontent-type: ${type}\r\ncontent-range: ${formatContentRange(range, size)}\r\n\r\n`),
  );
  const tail = bytesOf(`\r\n--${boundary}--\r\n`);
  const framing = [...heads, tail].reduce((sum, { length }) => sum + length, 0);
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    length: framing + ranges.reduce((sum, { length }) => sum + length, 0),
    parts: [...ranges.flatMap((range, index) => [heads[index] ?? tail, read(range)]), tail],
  };
}
