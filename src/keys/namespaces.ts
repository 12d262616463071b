import { checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { ISOLATED_NAMESPACE_MIN, RING_NAMESPACES_MAX } from '../limits.ts';
import { KEY_BYTES } from './key-file.ts';
import { materialOf } from './keyring.ts';
import { checkNamespaceName, DEFAULT_NAMESPACE } from './namespace-name.ts';
import type { RingNamespace } from './ring.ts';
import { type KeyState, nextState } from './sealed-state.ts';
import type { KeyContext } from './slot.ts';

/**
 * Adds a namespace: a tenant with keys and a dedup domain of its own. It is the last of the keyring's namespaces.
 * @param namespace `quotaBytes`: most bytes its entries may have together; default any
 * @throws `invalid/NAMESPACE_INVALID`, `conflict/NAMESPACE_EXISTS`; `exhausted/QUOTA_EXCEEDED` beyond 2,048 namespaces
 */
export function addNamespace(
  state: KeyState,
  namespace: { readonly name: string; readonly quotaBytes?: number },
  context: KeyContext,
): KeyState {
  const name = checkNamespaceName(namespace.name);
  const quota = quotaOf(namespace.quotaBytes);
  const { ring } = materialOf(state.keyring);
  if (ring.namespaces.some((one) => one.name === name)) {
    throw storeError('NAMESPACE_EXISTS', `there is a namespace ${JSON.stringify(name)}`, {
      details: { namespace: name },
    });
  }
  const number = ring.nextNamespace;
  if (ring.namespaces.length >= RING_NAMESPACES_MAX || number >= ISOLATED_NAMESPACE_MIN) {
    throw storeError('QUOTA_EXCEEDED', `a store has at most ${RING_NAMESPACES_MAX} namespaces`);
  }
  const added = { number, name, secret: context.random(KEY_BYTES), created: context.clock.now(), ...quota };
  const namespaces = [...ring.namespaces, added];
  return nextState(state, { ring: { ...ring, namespaces, nextNamespace: number + 1 } }, context.random);
}

/**
 * Drops the secret of a namespace, and the writers it had. Nothing of it can be opened with the new ring; older copies
 * of the config are the caller's to destroy. Its number is never used again.
 * @throws `not-found/NAMESPACE_NOT_FOUND`, `invalid/NAMESPACE_INVALID` for the default namespace
 */
export function dropNamespace(state: KeyState, name: string, context: Pick<KeyContext, 'random'>): KeyState {
  const { number } = state.keyring.namespace(name);
  if (number === 0) throw storeError('NAMESPACE_INVALID', `the namespace ${DEFAULT_NAMESPACE} cannot be dropped`);
  const { ring } = materialOf(state.keyring);
  const namespaces = ring.namespaces.filter((one) => one.number !== number);
  const writers = ring.writers.filter((writer) => writer.namespace !== number);
  return nextState(state, { ring: { ...ring, namespaces, writers } }, context.random);
}

/**
 * Sets or lifts the quota of a namespace.
 * @param change `quotaBytes`: most bytes its entries may have together; absent: any
 * @throws `not-found/NAMESPACE_NOT_FOUND`; TypeError or RangeError for the quota
 */
export function setNamespaceQuota(
  state: KeyState,
  change: { readonly name: string; readonly quotaBytes?: number | undefined },
  context: Pick<KeyContext, 'random'>,
): KeyState {
  const { number } = state.keyring.namespace(change.name);
  const quota = quotaOf(change.quotaBytes);
  const { ring } = materialOf(state.keyring);
  const namespaces = ring.namespaces.map((one): RingNamespace => {
    if (one.number !== number) return one;
    const { quotaBytes: _before, ...rest } = one;
    return { ...rest, ...quota };
  });
  return nextState(state, { ring: { ...ring, namespaces } }, context.random);
}

function quotaOf(quotaBytes: number | undefined): { readonly quotaBytes?: number } {
  return quotaBytes === undefined ? {} : { quotaBytes: checkInteger('quotaBytes', quotaBytes, { min: 0 }) };
}
