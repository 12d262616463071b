import { decodeDirectory } from './pack-directory.ts';
import { decodePackFooter, PACK_FOOTER_BYTES, packBytesOf } from './pack-footer.ts';
import { type PackIdentity, packFail } from './pack-frame.ts';
import { decodePackHeader, type PackHeader } from './pack-header.ts';
import { plainIdentity, sealedNameOf } from './pack-identity.ts';
import type { DirectoryItem, SealedPackName } from './types.ts';

/** What a whole pack says of itself. */
export interface DecodedPack {
  readonly header: PackHeader;
  /** What its records open with. */
  readonly identity: PackIdentity;
  /** In pack order. */
  readonly items: DirectoryItem[];
}

/**
 * Decodes what a whole pack says of itself: header, footer and directory. Its records are not opened.
 * @param keyOf gives the keys of a sealed store; absent for a plain one
 * @throws `corrupt/PACK_CORRUPT`, also for a pack of the other key mode, `unsupported/FORMAT_UNSUPPORTED`, and what
 *   `keyOf` throws
 */
export function decodePack(bytes: Uint8Array, keyOf?: (pack: SealedPackName) => Uint8Array): DecodedPack {
  const header = decodePackHeader(bytes);
  const identity = keyOf ? { ...header, key: keyOf(sealedNameOf(header)) } : plainIdentity(header);
  const footer = decodePackFooter(bytes, identity);
  if (packBytesOf(footer) !== bytes.length) {
    packFail(header, 'pack')(`has ${bytes.length} bytes, and ${packBytesOf(footer)} by its footer`);
  }
  const directory = bytes.subarray(footer.directoryOffset, bytes.length - PACK_FOOTER_BYTES);
  return { header, identity, items: decodeDirectory(directory, identity, footer) };
}
