import { invariant } from '../errors/store-error.ts';
import { STRIPE_SHARDS_MAX } from '../limits.ts';
import type { CborValue } from './cbor.ts';
import type { Fail } from './damage.ts';
import { Fields } from './fields.ts';
import { DIGEST_BYTES, INCARNATION_BYTES, PACK_ID_BYTES, STRIPE_ID_BYTES } from './sizes.ts';
import { packClassCode, packClassOf } from './type-codes.ts';
import type { PackDescriptor, Stripe } from './types.ts';

type JournalPlace = NonNullable<PackDescriptor['journal']>;

/** A descriptor as it stands inside journal records. */
export function packDescriptorToCbor(pack: PackDescriptor): CborValue {
  const { stripe, journal } = pack;
  invariant(
    pack.id.length === PACK_ID_BYTES && stripe.id.length === STRIPE_ID_BYTES,
    'pack and stripe ids have 16 bytes',
  );
  invariant(stripe.roots.length === (stripe.k + stripe.m) * DIGEST_BYTES, 'every shard of the stripe has a root');
  invariant((pack.class === 'journal') === (journal !== undefined), 'journal packs have a place in the journal');
  return [
    pack.id,
    packClassCode(pack.class),
    pack.packBytes,
    pack.storedBytes,
    [stripe.id, stripe.k, stripe.m, stripe.roots],
    journal ? [journal.incarnation, journal.firstCommit, journal.lastCommit] : null,
  ];
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
  const lastCommit = fields.integer('last commit', { min: firstCommit });
  fields.end();
  return { incarnation, firstCommit, lastCommit };
}

/**
 * Reads a descriptor out of a journal record.
 * @throws what `fail` throws, `unsupported/FORMAT_UNSUPPORTED` for a class of a later version
 */
export function packDescriptorFromCbor(value: unknown, fail: Fail): PackDescriptor {
  const fields = new Fields(value, fail);
  const id = fields.bytes('pack id', PACK_ID_BYTES);
  const packClass = packClassOf(fields.integer('pack class'));
  const packBytes = fields.integer('pack size');
  const storedBytes = fields.integer('stored size');
  const stripe = stripeFromCbor(fields.any('stripe'), fail);
  const place = fields.any('journal place');
  fields.end();
  const journal = place === null ? undefined : journalPlaceFromCbor(place, fail);
  if ((packClass === 'journal') !== (journal !== undefined)) fail('gives a place in the journal to the wrong class');
  return { id, class: packClass, packBytes, storedBytes, stripe, ...(journal && { journal }) };
}
