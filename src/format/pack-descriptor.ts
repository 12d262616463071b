import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { EPOCH_NUMBER_MAX, NAMESPACE_NUMBER_MAX, STRIPE_SHARDS_MAX } from '../limits.ts';
import type { CborValue } from './cbor.ts';
import type { Fail } from './damage.ts';
import { Fields } from './fields.ts';
import { hasJournalPlace, isJournalPlace } from './names.ts';
import { DIGEST_BYTES, INCARNATION_BYTES, PACK_ID_BYTES, PACK_SALT_BYTES, STRIPE_ID_BYTES } from './sizes.ts';
import { packClassCode, packClassOf } from './type-codes.ts';
import type { PackDescriptor, PackSeal, Stripe } from './types.ts';

type JournalPlace = NonNullable<PackDescriptor['journal']>;

/**
 * A descriptor as it stands inside journal records of a version: from 2 on it says how the pack is sealed. `places` are
 * left out: another machine may see other backends, and shards move without a commit.
 */
export function packDescriptorToCbor(pack: PackDescriptor, version: number): CborValue {
  const { stripe, journal, seal } = pack;
  invariant(
    pack.id.length === PACK_ID_BYTES && stripe.id.length === STRIPE_ID_BYTES,
    'pack and stripe ids have 16 bytes',
  );
  invariant(stripe.roots.length === (stripe.k + stripe.m) * DIGEST_BYTES, 'every shard of the stripe has a root');
  invariant(hasJournalPlace(pack.class) === (journal !== undefined), 'journal packs have a place in the journal');
  invariant(version > 1 || seal === undefined, 'plain stores have no sealed packs');
  return [
    pack.id,
    packClassCode(pack.class),
    pack.packBytes,
    pack.storedBytes,
    [stripe.id, stripe.k, stripe.m, stripe.roots],
    journal ? [journal.incarnation, journal.firstCommit, journal.lastCommit] : null,
    ...(version > 1 ? [seal ? sealToCbor(seal) : null] : []),
  ];
}

function sealToCbor({ namespace, epoch, salt }: PackSeal): CborValue {
  checkInteger('seal.namespace', namespace, { min: 0, max: NAMESPACE_NUMBER_MAX });
  checkInteger('seal.epoch', epoch, { min: 1, max: EPOCH_NUMBER_MAX });
  invariant(salt.length === PACK_SALT_BYTES, 'the salt of a pack has 32 bytes');
  return [namespace, epoch, salt];
}

function sealFromCbor(value: unknown, fail: Fail): PackSeal {
  const fields = new Fields(value, fail);
  const namespace = fields.integer('namespace', { max: NAMESPACE_NUMBER_MAX });
  const epoch = fields.integer('key epoch', { min: 1, max: EPOCH_NUMBER_MAX });
  const salt = fields.bytes('salt', PACK_SALT_BYTES);
  fields.end();
  return { namespace, epoch, salt };
}

function stripeFromCbor(value: unknown, fail: Fail): Stripe {
  const fields = new Fields(value, fail);
  const id = fields.bytes('stripe id', STRIPE_ID_BYTES);
  const k = fields.integer('k', { min: 1, max: STRIPE_SHARDS_MAX });
  const m = fields.integer('m', { max: STRIPE_SHARDS_MAX - k });
  const roots = fields.bytes('roots', (k + m) * DIGEST_BYTES);
  fields.end();
  return { id, k, m, roots };
}

function journalPlaceFromCbor(value: unknown, fail: Fail): JournalPlace {
  const fields = new Fields(value, fail);
  const incarnation = fields.bytes('incarnation of a journal pack', INCARNATION_BYTES);
  const firstCommit = fields.integer('first commit', { min: 1 });
  const lastCommit = fields.integer('last commit', { min: 1 });
  fields.end();
  return { incarnation, firstCommit, lastCommit };
}

/**
 * Reads a descriptor out of a journal record of a version.
 * @throws what `fail` throws, `unsupported/FORMAT_UNSUPPORTED` for a class of a later version
 */
export function packDescriptorFromCbor(value: unknown, version: number, fail: Fail): PackDescriptor {
  const fields = new Fields(value, fail);
  const id = fields.bytes('pack id', PACK_ID_BYTES);
  const packClass = packClassOf(fields.integer('pack class'));
  const packBytes = fields.integer('pack size');
  const storedBytes = fields.integer('stored size');
  const stripe = stripeFromCbor(fields.any('stripe'), fail);
  const place = fields.any('journal place');
  const sealed = version > 1 ? fields.any('seal') : null;
  fields.end();
  const journal = place === null ? undefined : journalPlaceFromCbor(place, fail);
  if (hasJournalPlace(packClass) !== (journal !== undefined)) fail('gives a place in the journal to the wrong class');
  if (journal && !isJournalPlace(packClass, journal)) fail('has a place in the journal that ends before it begins');
  const seal = sealed === null ? undefined : sealFromCbor(sealed, fail);
  return {
    ...{ id, class: packClass, packBytes, storedBytes, stripe },
    ...(journal && { journal }),
    ...(seal && { seal }),
  };
}
