import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { PASSPHRASE_BYTES_MAX } from '../limits.ts';
import { passphraseBytes } from './passphrase.ts';

describe('a passphrase', () => {
  // RFC 8265, section 4.3: examples 4 to 7 of its table, and what it says of case, width and spaces at the ends.
  it.each([
    ['Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
    ['foo bar', 'foo bar'],
    ['foo\u1680bar', 'foo bar'],
    ['foo\u00a0\u3000bar', 'foo  bar'],
    ['\u03c0\u00df\u00e5', '\u03c0\u00df\u00e5'],
    ['Jack of \u2666s', 'Jack of \u2666s'],
    ['A\u030a', '\u00c5'],
    [' p ', ' p '],
    ['\uff21', '\uff21'],
  ])('as text %j has the bytes of %j', (text, prepared) => {
    expect(passphraseBytes(text)).toEqual(utf8Encode(prepared));
  });

  it('as bytes is taken as it is, in memory of its own', () => {
    const bytes = utf8Encode('A\u030a\u00a0');
    const taken = passphraseBytes(bytes);
    expect(taken).toEqual(bytes);
    taken.fill(0);
    expect(bytes).toEqual(utf8Encode('A\u030a\u00a0'));
  });

  it('is neither empty nor endless, and of whole characters', () => {
    expect(passphraseBytes('x'.repeat(PASSPHRASE_BYTES_MAX))).toHaveLength(PASSPHRASE_BYTES_MAX);
    for (const wrong of ['', new Uint8Array(0), 'x'.repeat(PASSPHRASE_BYTES_MAX + 1), '\udc00']) {
      expect(outcomeOf(() => passphraseBytes(wrong))).toBe('invalid/CREDENTIAL_INVALID');
    }
    expect(outcomeOf(() => passphraseBytes(7 as unknown as string))).toBe('TypeError');
  });
});
