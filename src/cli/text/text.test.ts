import { describe, expect, it } from 'vitest';
import { formatFields } from './fields.ts';
import { formatBytes } from './format-bytes.ts';
import { countOf, escapeControls, formatCount, formatDuration, formatTime, shellWord } from './format-text.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1023.94, '1023.9 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [1024 ** 2, '1.0 MiB'],
    [12 * 1024 ** 3, '12.0 GiB'],
    [1024 ** 4, '1.0 TiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
    [5000 * 1024 ** 5, '5000.0 PiB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('text for people', () => {
  it('separates thousands and knows one from many', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(countOf(1, 'entry', 'entries')).toBe('1 entry');
    expect(countOf(0, 'entry', 'entries')).toBe('0 entries');
    expect(countOf(1000, 'entry', 'entries')).toBe('1,000 entries');
  });

  it.each([
    [-3, '0s'],
    [0.4, '0s'],
    [59.4, '59s'],
    [59.6, '1m00s'],
    [65, '1m05s'],
    [7384, '2h03m'],
    [86_400 * 3 + 3600 * 4, '3d04h'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it('cuts times to the second', () => {
    expect(formatTime('2026-01-31T12:34:56.789Z')).toBe('2026-01-31 12:34:56');
  });

  it('puts the values of fields in one column and leaves absent ones away', () => {
    const text = formatFields([
      ['key', 'a'],
      ['parent', undefined],
      ['digest', 'b'],
    ]);
    expect(text).toBe('key     a\ndigest  b');
  });
});

describe('escapeControls', () => {
  it('shows what would move the cursor or disguise a name, and leaves the rest alone', () => {
    expect(escapeControls('a\u001b[2Jb\n\tc\r\u009b')).toBe('a\\x1b[2Jb\\n\\tc\\x0d\\x9b');
    expect(escapeControls('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe');
    expect(escapeControls('Grüße 🎉 日本')).toBe('Grüße 🎉 日本');
  });
});

describe('shellWord', () => {
  it.each([
    ['plain/path-1.txt', 'plain/path-1.txt'],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['$HOME', "'$HOME'"],
    ['', "''"],
  ])('writes %j as %s', (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});
