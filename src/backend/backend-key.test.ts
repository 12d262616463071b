import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKEND_KEY_LENGTH_MAX } from '../limits.ts';
import { checkBackendKey, checkBackendPrefix, isBackendKey } from './backend-key.ts';

const component = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
const legalKey = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

describe('a backend key', () => {
  it('is one to four components of the alphabet', () => {
    fc.assert(fc.property(legalKey, (key) => checkBackendKey(key) === key && isBackendKey(key)));
  });

  it('never leaves the root: no component is empty or starts with a dot, and no other character passes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z./]{1,12}$/)), (text) => {
        const isSafe =
          /^[a-z0-9._/-]+$/.test(text) && text.split('/').every((part) => /^[a-z0-9]/.test(part)) && text.length > 0;
        expect(isBackendKey(text)).toBe(isSafe && text.split('/').length <= 4);
      }),
    );
  });

  it('is refused with its beginning and its length when it is too long', () => {
    const key = 'a'.repeat(BACKEND_KEY_LENGTH_MAX + 1);
    expect(() => checkBackendKey(key)).toThrow(
      expect.objectContaining({
        code: 'BACKEND_KEY_INVALID',
        retry: false,
        details: expect.objectContaining({ length: 201 }),
      }),
    );
    expect(checkBackendKey(key.slice(1))).toBe(key.slice(1));
  });

  it('that is no string is a mistake of the program', () => {
    expect(() => checkBackendKey(undefined)).toThrow(TypeError);
    expect(() => checkBackendPrefix(7, 'after')).toThrow('after must be a string');
  });
});

describe('a prefix', () => {
  it('is every beginning of a legal key, the empty one too', () => {
    fc.assert(
      fc.property(legalKey, fc.nat(90), (key, length) => {
        const prefix = key.slice(0, length);
        return checkBackendPrefix(prefix) === prefix;
      }),
    );
  });

  it('is refused when no legal key starts with it', () => {
    for (const prefix of ['/', '.', 'a//', 'a/.', 'A', 'a b', 'a/b/c/d/', 'é', 'a\n']) {
      expect(() => checkBackendPrefix(prefix)).toThrow(expect.objectContaining({ code: 'BACKEND_KEY_INVALID' }));
    }
  });
});
