import { readTar, type TarItem, type TarRefusal, type WriteTarOptions, writeTar } from '../../src/archive/index.ts';
import { concatBytes, utf8Encode } from '../../src/bytes/bytes.ts';

export const MTIME = '2026-11-21T20:00:00.000000000Z';

/** An item as it was read, with its content. */
export interface ReadItem extends Omit<TarItem, 'content'> {
  readonly bytes?: Uint8Array;
}

export function bytesOf(text: string): Uint8Array {
  return utf8Encode(text);
}

export async function* pieces(bytes: Uint8Array, pieceBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
}

export function file(path: string | Uint8Array, content: string | Uint8Array, more: Partial<TarItem> = {}): TarItem {
  const bytes = typeof content === 'string' ? bytesOf(content) : content;
  return {
    path: typeof path === 'string' ? bytesOf(path) : path,
    type: 'file',
    mode: 0o644,
    mtime: MTIME,
    size: bytes.length,
    content: () => pieces(bytes),
    ...more,
  };
}

export function folder(path: string, more: Partial<TarItem> = {}): TarItem {
  return { path: bytesOf(path), type: 'folder', mode: 0o755, mtime: MTIME, size: 0, ...more };
}

export function linkTo(path: string, target: string | Uint8Array, more: Partial<TarItem> = {}): TarItem {
  const bytes = typeof target === 'string' ? bytesOf(target) : target;
  return { path: bytesOf(path), type: 'link', mode: 0o777, mtime: MTIME, size: 0, target: bytes, ...more };
}

export function sameAs(path: string, other: string): TarItem {
  return { path: bytesOf(path), type: 'file', mode: 0o644, mtime: MTIME, size: 0, sameAs: bytesOf(other) };
}

export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

export async function archiveOf(items: Iterable<TarItem>, options: WriteTarOptions = {}): Promise<Uint8Array> {
  return concatBytes(await Array.fromAsync(writeTar(stream(items), options)));
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<readonly (ReadItem | TarRefusal)[]> {
  const all: (ReadItem | TarRefusal)[] = [];
  for await (const item of readTar(source)) {
    if (item.type === 'refused' || item.content === undefined) {
      all.push(item);
      continue;
    }
    const { content, ...rest } = item;
    all.push({ ...rest, bytes: concatBytes((await Array.fromAsync(content())).map((piece) => new Uint8Array(piece))) });
  }
  return all;
}

/** What `readAll` gives for an item. */
export async function expectedOf({ content, ...rest }: TarItem): Promise<ReadItem> {
  return content === undefined ? rest : { ...rest, bytes: concatBytes(await Array.fromAsync(content())) };
}

/** A header block of ustar as any program may write it; numbers are in octal. */
export function header(fields: {
  readonly name?: string | Uint8Array;
  readonly flag?: string;
  readonly size?: number | Uint8Array;
  readonly mtime?: Uint8Array;
  readonly link?: string;
  readonly magic?: string;
  readonly prefix?: string;
  readonly mode?: string;
}): Uint8Array {
  const block = new Uint8Array(512);
  const put = (offset: number, value: string | Uint8Array) =>
    block.set(typeof value === 'string' ? bytesOf(value) : value, offset);
  put(0, fields.name ?? 'a');
  put(100, fields.mode ?? '0000644');
  const size = fields.size ?? 0;
  put(124, typeof size === 'number' ? size.toString(8).padStart(11, '0') : size);
  put(136, fields.mtime ?? '15110143500');
  put(156, fields.flag ?? '0');
  put(157, fields.link ?? '');
  put(257, fields.magic ?? 'ustar\u000000');
  put(345, fields.prefix ?? '');
  block.fill(0x20, 148, 156);
  put(
    148,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return block;
}

export const END = new Uint8Array(1024);

/** Content with what pads it to whole blocks. */
export function padded(content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? bytesOf(content) : content;
  return concatBytes([bytes, new Uint8Array((512 - (bytes.length % 512)) % 512)]);
}
