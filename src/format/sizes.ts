/** Bytes of the fixed-width values that the layouts share. They are part of the format: none ever changes. */

/** Store, pack, stripe and incarnation ids. */
export const STORE_ID_BYTES = 16;
export const PACK_ID_BYTES = 16;
export const STRIPE_ID_BYTES = 16;
export const INCARNATION_BYTES = 16;
/** Session ids: the first half of the ids of the packs a session writes. */
export const SESSION_ID_BYTES = 8;
/** Ids of items, digests, Merkle hashes and shard roots. */
export const DIGEST_BYTES = 32;
/** Checks of headers, and trailers of everything framed inside a pack: a BLAKE3 cut to 16 bytes, or an AES-GCM tag. */
export const CHECK_BYTES = 16;
/** Secrets of the ring, and every key that seals. */
export const SECRET_BYTES = 32;
/** Salt of a sealed pack. */
export const PACK_SALT_BYTES = 32;
