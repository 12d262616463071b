import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { BACKEND_MARKER_KEY, decodeBackendMarker, encodeBackendMarker } from './backend-marker.ts';

const MARKER = { storeId: '0'.repeat(31).concat('a'), backendId: '0123456789abcdef'.repeat(2) };
const DOCUMENT = { format: 1, ...MARKER };

describe('the marker of a backend', () => {
  it('reads back, and is JSON that people can read', () => {
    const bytes = encodeBackendMarker(MARKER);
    expect(decodeBackendMarker(bytes)).toEqual(MARKER);
    expect(utf8Decode(bytes)).toBe(`${JSON.stringify(DOCUMENT, undefined, 2)}\n`);
  });

  it.each<[string, unknown, string]>([
    ['an empty object', {}, 'corrupt/CONFIG_CORRUPT'],
    ['a list', [], 'corrupt/CONFIG_CORRUPT'],
    ['format 0', { ...DOCUMENT, format: 0 }, 'corrupt/CONFIG_CORRUPT'],
    ['half a format', { ...DOCUMENT, format: 1.5 }, 'corrupt/CONFIG_CORRUPT'],
    ['format 2', { format: 2 }, 'unsupported/FORMAT_UNSUPPORTED'],
    ['no store', { ...DOCUMENT, storeId: undefined }, 'corrupt/CONFIG_CORRUPT'],
    ['no backend', { ...DOCUMENT, backendId: undefined }, 'corrupt/CONFIG_CORRUPT'],
    ['an id in capitals', { ...DOCUMENT, backendId: 'A'.repeat(32) }, 'corrupt/CONFIG_CORRUPT'],
    ['a short id', { ...DOCUMENT, storeId: 'a'.repeat(31) }, 'corrupt/CONFIG_CORRUPT'],
    ['a long id', { ...DOCUMENT, storeId: 'a'.repeat(33) }, 'corrupt/CONFIG_CORRUPT'],
    ['a member too many', { ...DOCUMENT, more: 1 }, 'corrupt/CONFIG_CORRUPT'],
  ])('is not read out of %s', (_, document, outcome) => {
    expect(outcomeOf(() => decodeBackendMarker(utf8Encode(JSON.stringify(document))))).toBe(outcome);
  });

  it.each([
    ['text', utf8Encode('{')],
    ['nothing', new Uint8Array(0)],
    ['what is no UTF-8', Uint8Array.of(0xff)],
  ])('is not read out of %s, and says which blob that is', (_, bytes) => {
    expect(caught(() => decodeBackendMarker(bytes))).toMatchObject({
      ...{ code: 'CONFIG_CORRUPT', details: { backendKey: BACKEND_MARKER_KEY } },
    });
  });
});
