import { argumentTypeError, checkInteger } from '../../errors/argument-error.ts';
import { storeError } from '../../errors/store-error.ts';
import { BACKEND_NAME, type ConfigPlacement } from '../../format/index.ts';
import { BACKEND_WEIGHT_MAX } from '../../limits.ts';
import type { BackendChange, NewBackend } from './backend-types.ts';

/** What a caller says of a new backend, checked. @throws `invalid/BACKEND_INVALID`, TypeError, RangeError */
export function checkNew(backend: NewBackend): Pick<NewBackend, 'name' | 'domain' | 'weight'> {
  const { location, name, domain, weight } = backend;
  if (typeof location !== 'string' && (typeof location !== 'object' || location === null))
    throw argumentTypeError('location', 'a folder, or a backend', location);
  checkFacts({ name, domain, weight });
  return {
    ...(name !== undefined && { name }),
    ...(domain !== undefined && { domain }),
    ...(weight !== undefined && { weight }),
  };
}

/** @throws as `checkNew` */
export function checkChange(change: BackendChange): void {
  if (typeof change !== 'object' || change === null) throw argumentTypeError('change', 'an object', change);
  checkFacts({ name: change.name, domain: change.domain, weight: change.weight });
  if (change.mode !== undefined && change.mode !== 'active' && change.mode !== 'read-only')
    throw storeError('BACKEND_INVALID', `the mode of a backend is active or read-only, not ${String(change.mode)}`);
}

function checkFacts(facts: {
  readonly name: string | undefined;
  readonly domain: string | undefined;
  readonly weight: number | undefined;
}): void {
  for (const [what, text] of [
    ['name', facts.name],
    ['domain', facts.domain],
  ] as const) {
    if (text === undefined || (typeof text === 'string' && BACKEND_NAME.test(text))) continue;
    const message = `the ${what} of a backend is 1 to 63 of a-z, 0-9, '.', '_' and '-', not ${JSON.stringify(text)}`;
    throw storeError('BACKEND_INVALID', message);
  }
  if (facts.weight !== undefined) checkInteger('weight', facts.weight, { min: 0, max: BACKEND_WEIGHT_MAX });
}

/** A name that no backend has: from the last part of a place, as far as its letters go. */
export function nameFor(url: string, { backends, nextNumber }: ConfigPlacement): string {
  const last = decodeURIComponent(url.replace(/\?.*$/, '').split('/').at(-1) ?? '').toLowerCase();
  const base = last
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 50);
  const isFree = (name: string): boolean => !backends.some((backend) => backend.name === name);
  if (BACKEND_NAME.test(base) && isFree(base)) return base;
  return `${BACKEND_NAME.test(base) ? base : 'backend'}-${nextNumber}`;
}
