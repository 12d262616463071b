import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fileUrlOf, isPathText } from './file-url.ts';

describe('the URL of a path', () => {
  it.each([
    '/',
    '/a b',
    '/a%20b',
    '/a?b#c',
    '/ends with \u0012',
    '/ends\u0001/\u001f\u0002',
    '/ends with a space ',
    '/été',
  ])('of %j names that path and no other', (path) => {
    const absolute = resolve(path);
    const { href } = fileUrlOf(absolute);
    expect(fileURLToPath(href)).toBe(absolute);
    expect(new URL(href).href).toBe(href);
  });

  it('is for text that can be a path', () => {
    expect(isPathText('/été \u0001')).toBe(true);
    expect(isPathText('/a\0b')).toBe(false);
    expect(isPathText('/\ud800')).toBe(false);
  });
});
