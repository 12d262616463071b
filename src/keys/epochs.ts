import { argumentRangeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { RING_EPOCHS_MAX } from '../limits.ts';
import { KEY_BYTES } from './key-file.ts';
import { materialOf } from './keyring.ts';
import type { Ring } from './ring.ts';
import { type KeyState, nextState } from './sealed-state.ts';
import type { KeyContext } from './slot.ts';

/** The ring with one epoch more, under whose fresh secret everything new is sealed. */
export function withEpoch(ring: Ring, context: KeyContext): Ring {
  if (ring.epochs.length >= RING_EPOCHS_MAX) {
    throw storeError(
      'QUOTA_EXCEEDED',
      `a store keeps at most ${RING_EPOCHS_MAX} key epochs: rekey, so that it forgets some`,
    );
  }
  const number = (ring.epochs.at(-1)?.number ?? 0) + 1;
  const epoch = { number, secret: context.random(KEY_BYTES), created: context.clock.now() };
  return { ...ring, epochs: [...ring.epochs, epoch] };
}

/**
 * Begins a new epoch. Nothing that is stored changes; what is sealed from now on needs the new secret.
 * @throws `exhausted/QUOTA_EXCEEDED` when the store still needs 4,096 epochs
 */
export function rotate(state: KeyState, context: KeyContext): KeyState {
  return nextState(state, { ring: withEpoch(materialOf(state.keyring).ring, context) }, context.random);
}

/**
 * Drops the secrets of epochs under which nothing is sealed any more. For good: whatever still is can never be opened
 * again. Those that are gone already are let pass, so that an interrupted caller can begin again.
 * @throws RangeError for the newest epoch
 */
export function forgetEpochs(
  state: KeyState,
  numbers: readonly number[],
  context: Pick<KeyContext, 'random'>,
): KeyState {
  const { ring } = materialOf(state.keyring);
  const newest = ring.epochs.at(-1)?.number ?? 0;
  const wrong = numbers.find((number) => number >= newest);
  if (wrong !== undefined) throw argumentRangeError('numbers', `epochs before ${newest}, the newest`, wrong);
  const epochs = ring.epochs.filter(({ number }) => !numbers.includes(number));
  return nextState(state, { ring: { ...ring, epochs } }, context.random);
}
