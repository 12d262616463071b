import { decodeDirectory } from './pack-directory.ts';
import { decodePackFooter, PACK_FOOTER_BYTES, packBytesOf } from './pack-footer.ts';
import { packFail } from './pack-frame.ts';
import { decodePackHeader, type PackHeader } from './pack-header.ts';
import type { DirectoryItem } from './types.ts';

/**
 * Decodes what a whole pack says of itself: header, footer and directory. Its records are not opened.
 * @returns every item in pack order
 * @throws `corrupt/PACK_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodePack(bytes: Uint8Array): { readonly header: PackHeader; readonly items: DirectoryItem[] } {
  const header = decodePackHeader(bytes);
  const footer = decodePackFooter(bytes, header);
  if (packBytesOf(footer) !== bytes.length) {
    packFail(header, 'pack')(`has ${bytes.length} bytes, and ${packBytesOf(footer)} by its footer`);
  }
  const directory = bytes.subarray(footer.directoryOffset, bytes.length - PACK_FOOTER_BYTES);
  return { header, items: decodeDirectory(directory, header, footer) };
}
