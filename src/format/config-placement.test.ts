import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { SAMPLE_CONFIG } from '../../test/support/format-samples.ts';
import { forgedConfig } from '../../test/support/sealed.ts';
import { BACKEND_NUMBER_MAX, BACKEND_URL_LENGTH_MAX, BACKEND_WEIGHT_MAX, STORE_BACKENDS_MAX } from '../limits.ts';
import { decodeStoreConfig, encodeStoreConfig, PLACEMENT_FEATURE, type PlainStoreConfig } from './config.ts';
import type { ConfigBackend, ConfigPlacement } from './config-placement.ts';

function backend(number: number, change: Partial<ConfigBackend> = {}): ConfigBackend {
  const id = number.toString(16).padStart(32, '0');
  const { name, url } = { name: `disk-${number}`, url: `file:///disks/${number}` };
  return { number, id, name, url, domain: 'rack.1', weight: 1, mode: 'active', ...change };
}

const PLACEMENT: ConfigPlacement = { nextNumber: 4, backends: [backend(1), backend(3)], map: [3, 1, 3] };
const CONFIG: PlainStoreConfig = {
  ...(SAMPLE_CONFIG as PlainStoreConfig),
  features: { ...SAMPLE_CONFIG.features, incompatible: [PLACEMENT_FEATURE] },
  placement: PLACEMENT,
};
const ENCODED = encodeStoreConfig(CONFIG);

/** What comes of the sample with other members, in the spelling there is, as somebody wrote it who did not look at them. */
function outcome(change: Readonly<Record<string, unknown>>): string {
  const forged = forgedConfig(ENCODED, (front) =>
    JSON.stringify({ ...JSON.parse(`${front}\n}`), ...change }, undefined, 2).slice(0, -2),
  );
  return outcomeOf(() => decodeStoreConfig(forged));
}

const withBackends = (...backends: readonly unknown[]): string =>
  outcome({ placement: { ...PLACEMENT, backends, map: [] } });
const withFirst = (change: Readonly<Record<string, unknown>>): string =>
  withBackends({ ...backend(1), ...change }, backend(3));

describe('the placement in a config', () => {
  it('reads back', () => {
    expect(decodeStoreConfig(ENCODED)).toEqual(CONFIG);
    expect(outcome({})).toBe('no error');
  });

  it('comes with its feature, and only then', () => {
    expect(outcome({ placement: undefined })).toBe('corrupt/CONFIG_CORRUPT');
    expect(outcome({ features: SAMPLE_CONFIG.features })).toBe('corrupt/CONFIG_CORRUPT');
    expect(outcomeOf(() => encodeStoreConfig({ ...CONFIG, features: SAMPLE_CONFIG.features }))).toBe(
      'internal/INVARIANT_BROKEN',
    );
  });

  it.each<[string, Partial<ConfigPlacement>, boolean]>([
    ['no map', { map: [] }, true],
    ['a map to a backend that it has not', { map: [1, 2] }, false],
    ['a map to number 0', { map: [0] }, false],
    ['a map that is too long', { map: Array(STORE_BACKENDS_MAX + 1).fill(1) }, false],
    ['the longest map', { map: Array(STORE_BACKENDS_MAX).fill(1) }, true],
    ['no backends', { backends: [], map: [] }, false],
    ['backends that fall', { backends: [backend(3), backend(1)] }, false],
    ['one number twice', { backends: [backend(1), { ...backend(3), number: 1 }], map: [] }, false],
    ['its last number among three', { backends: [backend(1), backend(3), backend(5)], nextNumber: 5 }, false],
    ['one backend twice', { backends: [backend(1), backend(1)], map: [] }, false],
    ['the number after its last', { nextNumber: 4 }, true],
    ['the number of its last', { nextNumber: 3 }, false],
    [
      'the largest number',
      { backends: [backend(BACKEND_NUMBER_MAX)], map: [], nextNumber: BACKEND_NUMBER_MAX + 1 },
      true,
    ],
    ['a next number beyond all', { nextNumber: BACKEND_NUMBER_MAX + 2 }, false],
    ['a next number 1', { backends: [], map: [], nextNumber: 1 }, false],
    ['half a number', { nextNumber: 4.5 }, false],
  ])('with %s', (_, change, isSound) => {
    expect(outcome({ placement: { ...PLACEMENT, ...change } })).toBe(isSound ? 'no error' : 'corrupt/CONFIG_CORRUPT');
  });

  it.each<[string, Readonly<Record<string, unknown>>, boolean]>([
    ['the id of another', { id: backend(3).id }, false],
    ['the name of another', { name: 'disk-3' }, false],
    ['the place of another', { url: backend(3).url }, false],
    ['an id in capitals', { id: 'A'.repeat(32) }, false],
    ['a longer id', { id: '0'.repeat(33) }, false],
    ['no name', { name: '' }, false],
    ['a name in capitals', { name: 'Disk' }, false],
    ['a name that begins with a dot', { name: '.disk' }, false],
    ['the longest name', { name: 'a'.repeat(63) }, true],
    ['a longer name', { name: 'a'.repeat(64) }, false],
    ['a domain with a slash', { domain: 'a/b' }, false],
    ['number 0', { number: 0 }, false],
    ['no weight', { weight: 0 }, true],
    ['the largest weight', { weight: BACKEND_WEIGHT_MAX }, true],
    ['a larger weight', { weight: BACKEND_WEIGHT_MAX + 1 }, false],
    ['a weight below 0', { weight: -1 }, false],
    ['a mode that is not known', { mode: 'gone' }, false],
    ['the longest place', { url: 'f'.repeat(BACKEND_URL_LENGTH_MAX) }, true],
    ['a longer place', { url: 'f'.repeat(BACKEND_URL_LENGTH_MAX + 1) }, false],
    ['a member too many', { more: 1 }, false],
  ])('of a backend with %s', (_, change, isSound) => {
    expect(withFirst(change)).toBe(isSound ? 'no error' : 'corrupt/CONFIG_CORRUPT');
  });

  it.each(['active', 'read-only', 'draining'])('of a backend that is %s', (mode) => {
    expect(withFirst({ mode })).toBe('no error');
  });

  it('of several backends that are passed at every opening', () => {
    expect(withBackends(backend(1, { url: '' }), backend(3, { url: '' }))).toBe('no error');
  });

  it('of as many backends as a store may have, and one more', () => {
    const backends = Array.from({ length: STORE_BACKENDS_MAX + 1 }, (_, index) => backend(index + 1));
    const placement = { ...PLACEMENT, nextNumber: STORE_BACKENDS_MAX + 2, map: [] };
    expect(outcome({ placement: { ...placement, backends: backends.slice(1) } })).toBe('no error');
    expect(outcome({ placement: { ...placement, backends } })).toBe('corrupt/CONFIG_CORRUPT');
  });
});
