import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatDuration, formatMs } from './format.ts';
import { foldersTo, nameOf, previewOf } from './key.ts';

describe('numbers', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [1_234_567, '1.2 MB'],
    [5e12, '5 TB'],
    [2e21, '2,000 EB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('say how long and how long ago', () => {
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect(
      ['2026-01-01T23:59:30Z', '2026-01-01T23:57:00Z', '2025-12-01T00:00:00Z'].map((time) => formatAgo(time, now)),
    ).toEqual(['just now', '3 minutes ago', 'last month']);
    expect([1500, 125_000, 7_260_000].map(formatDuration)).toEqual(['2 s', '2 min 5 s', '2 h 1 min']);
    expect([0.25, 12.4, 1500].map(formatMs)).toEqual(['0.3 ms', '12 ms', '1.5 s']);
  });
});

describe('a key', () => {
  it('is a name in folders', () => {
    expect(['a', 'a/b', 'a/b/', '/', 'a//b'].map(nameOf)).toEqual(['a', 'b', 'b/', '/', 'b']);
    expect(foldersTo('a/b/')).toEqual(['a/', 'a/b/']);
  });

  it.each([
    ['a.txt', undefined, 'text', 'text/plain'],
    ['a.html', 'text/html', 'text', 'text/plain'],
    ['a', 'application/xhtml+xml', 'text', 'text/plain'],
    ['a.png', undefined, 'picture', 'image/png'],
    ['a', 'image/jpeg; x=1', 'picture', 'image/jpeg'],
    ['a.svg', 'text/html', 'picture', 'image/svg+xml'],
    ['a.PDF', 'text/html', 'pdf', 'application/pdf'],
    ['a.bin', 'application/octet-stream', 'none', 'text/plain'],
  ])('%s of type %s is shown as %s, never as a page', (key, said, kind, type) => {
    expect(previewOf(key, said)).toEqual({ kind, type });
  });
});
