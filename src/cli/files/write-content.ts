/** Writes a run of buffers where the last one ended. @returns how many bytes it took: fewer than all, now and then */
export type WriteBuffers = (buffers: readonly Uint8Array[]) => Promise<number>;

/** Gathered for one call, which goes on beside the reading of what comes next. Pieces that are lent have as many. */
const GATHERED_BYTES = 1024 * 1024;

async function writeAll(write: WriteBuffers, buffers: readonly Uint8Array[]): Promise<void> {
  let rest = buffers;
  while (rest.length > 0) rest = withoutFirst(rest, await write(rest));
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, buffer] of buffers.entries()) {
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)];
    left -= buffer.length;
  }
  return [];
}

/**
 * Writes content piece by piece: the pieces of some thousand bytes that content is read in by the hundred, and while they
 * are written the next ones are read.
 * @param content whose pieces may be lent, each until the one after the next is asked for, if all but the last have a
 *   mebibyte
 * @param onBytes called with the bytes of what is written
 * @throws what `content` and `write` throw; then nothing is being written any more
 */
export async function writeContent(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  write: WriteBuffers,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const send = async (): Promise<void> => {
    await writing;
    const [buffers, sum] = [gathered, bytes];
    gathered = [];
    bytes = 0;
    writing = writeAll(write, buffers).then(() => onBytes(sum));
    // It is waited for below, or before the next one.
    writing.catch(() => undefined);
  };
  try {
    for await (const piece of content) {
      if (piece.length === 0) continue;
      gathered.push(piece);
      bytes += piece.length;
      if (bytes >= GATHERED_BYTES) await send();
    }
    if (bytes > 0) await send();
  } finally {
    await writing;
  }
}
