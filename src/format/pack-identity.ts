/**
 * From what is known of a pack to what its frames open with. The one place that decides whether a pack may be believed
 * in a store: a plain store takes plain packs, a sealed one sealed packs. Taking both would let anybody who can write
 * to a backend put a plain pack where a sealed one belongs, and have it believed without a key.
 */

import { invariant } from '../errors/store-error.ts';
import { type PackIdentity, packFail } from './pack-frame.ts';
import type { PackHeader } from './pack-header.ts';
import type { PackDescriptor, PackKeys, SealedPackName } from './types.ts';

/** The part of a header that frames are bound to. */
type PackPlace = Omit<PackIdentity, 'key'> & Pick<PackHeader, 'salt'>;

/**
 * What the frames of a pack open with in a plain store.
 * @throws `corrupt/PACK_CORRUPT` for a sealed pack
 */
export function plainIdentity(place: PackPlace): PackIdentity {
  const { store, pack, class: packClass, namespace, epoch, keyMode } = place;
  if (keyMode !== 'plain') packFail(place, 'pack')('is sealed, in a plain store');
  return { store, pack, class: packClass, namespace, epoch, keyMode };
}

/**
 * What the key of a pack is made of, in a sealed store.
 * @throws `corrupt/PACK_CORRUPT` for a plain pack
 */
export function sealedNameOf(place: PackPlace): SealedPackName {
  const { store, pack, class: packClass, namespace, epoch, keyMode, salt } = place;
  if (keyMode !== 'sealed') packFail(place, 'pack')('is plain, in a sealed store');
  invariant(salt, 'the header of a sealed pack has a salt');
  return { store, pack, class: packClass, namespace, epoch, salt };
}

/**
 * Adds the key of a pack to what its header says.
 * @param keys of the store; `undefined` for a plain one
 * @throws `corrupt/PACK_CORRUPT` for a pack of the other key mode, and what `keys` throws
 */
export async function identifyPack(place: PackPlace, keys: PackKeys | undefined): Promise<PackIdentity> {
  if (keys === undefined) return plainIdentity(place);
  const name = sealedNameOf(place);
  return { ...name, keyMode: 'sealed', key: await keys.keyOf(name) };
}

/**
 * What the frames of a pack open with, by what journal and metadata know of it: its header need not be read.
 * @throws as {@link identifyPack}
 */
export function identityOf(
  store: Uint8Array,
  { id: pack, class: packClass, seal }: Pick<PackDescriptor, 'id' | 'class' | 'seal'>,
  keys: PackKeys | undefined,
): Promise<PackIdentity> {
  const place = { store, pack, class: packClass };
  return identifyPack(
    seal ? { ...place, ...seal, keyMode: 'sealed' } : { ...place, namespace: 0, epoch: 0, keyMode: 'plain' },
    keys,
  );
}
