/**
 * Ids: what chunks and manifest nodes are stored and looked up by. Users, entries, manifests and proofs speak plain
 * digests; directories, journal and metadata speak ids. In a plain store the two are the same bytes; in a sealed one an
 * id is a keyed digest, so that nobody without the key of the namespace can tell whether known content is there.
 */

import { invariant } from '../errors/store-error.ts';
import { createKeyedDigest } from '../hash/index.ts';
import { DIGEST_BYTES } from './sizes.ts';
import { recordKindCode } from './type-codes.ts';
import type { RecordKind } from './types.ts';

/** What is found by its id. */
export type IdentifiedKind = 'chunk' | 'manifest';

/** Makes ids of plain digests, for one namespace. */
export interface ItemIds {
  /**
   * @param digest 32 bytes, BLAKE3 of the item's plain bytes
   * @returns 32 bytes, to be left unchanged: it may be `digest` itself
   */
  idOf(kind: IdentifiedKind, digest: Uint8Array): Uint8Array;
}

/** What an item goes by in directories: journal records and parts of checkpoints by their digest everywhere. */
export function itemId(ids: ItemIds, kind: RecordKind, digest: Uint8Array): Uint8Array {
  return kind === 'chunk' || kind === 'manifest' ? ids.idOf(kind, digest) : digest;
}

/** Ids of plain stores: the digest itself. */
export const plainIds: ItemIds = { idOf: (_kind, digest) => digest };

/**
 * Ids of one namespace of a sealed store: keyed BLAKE3 (section 2.3) of `kind u8 ‖ digest`. The kind keeps a chunk
 * whose bytes happen to be a manifest node apart from that node.
 * @param idKey 32 bytes (`KeySchedule.idKey`)
 */
export function keyedIds(idKey: Uint8Array): ItemIds {
  const keyed = createKeyedDigest(idKey);
  // One for all: it is hashed before the call is over.
  const named = new Uint8Array(1 + DIGEST_BYTES);
  return {
    idOf(kind, digest) {
      invariant(digest.length === DIGEST_BYTES, 'a digest has 32 bytes');
      named[0] = recordKindCode(kind);
      named.set(digest, 1);
      return keyed(named);
    },
  };
}
