import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.ts';
import { FolderConflicts, restoreComponents } from './restore-name.ts';
import { sourceName, withPrefix } from './source-name.ts';

describe('sourceName', () => {
  it.each([
    ['a.txt', 'a.txt'],
    ['./a.txt', 'a.txt'],
    ['docs//x/./a.txt', 'docs/x/a.txt'],
    ['docs/x/../a.txt', 'docs/a.txt'],
    ['/etc/hosts', 'etc/hosts'],
    ['photos/', 'photos'],
    ['.', ''],
    ['./', ''],
    ['/', ''],
    ['..a/b', '..a/b'],
    [' spaces and 🎉', ' spaces and 🎉'],
  ])('calls %j %j', (typed, name) => {
    expect(sourceName(typed)).toBe(name);
  });

  it.each(['..', '../a', 'a/../../b', './..'])('refuses %j, which leaves the folder', (typed) => {
    expect(() => sourceName(typed)).toThrow('outside the current folder');
  });

  it('refuses an empty path', () => {
    expect(() => sourceName('')).toThrow('empty');
  });
});

describe('withPrefix', () => {
  it('puts exactly one slash between', () => {
    expect(withPrefix(undefined, 'a')).toBe('a');
    expect(withPrefix('', 'a')).toBe('a');
    expect(withPrefix('p', 'a')).toBe('p/a');
    expect(withPrefix('p//', 'a')).toBe('p/a');
    expect(withPrefix('/', 'a')).toBe('/a');
  });
});

describe('restoreComponents', () => {
  it('splits a key that can be a file', () => {
    expect(restoreComponents('a/b c/🎉')).toEqual(['a', 'b c', '🎉']);
    expect(restoreComponents('backup/monday/a/b', 'backup/monday/')).toEqual(['a', 'b']);
    expect(restoreComponents('...')).toEqual(['...']);
  });

  it.each(['..', '../x', 'a/../b', './a', '/etc/passwd', 'a//b', 'a/', '', 'a\0b'])('refuses %j', (key) => {
    expect(() => restoreComponents(key)).toThrow(expect.objectContaining({ code: 'LOCATION_INVALID' }));
  });

  it('lets no key leave its folder', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '.', '..', '/', '\0', '\\'), { maxLength: 12 }), (pieces) => {
        const key = pieces.join('');
        let components: readonly string[];
        try {
          components = restoreComponents(key);
        } catch {
          return;
        }
        expect(components.join('/')).toBe(key);
        for (const component of components) expect(['', '.', '..']).not.toContain(component);
      }),
    );
  });
});

describe('FolderConflicts', () => {
  function refused(keys: readonly string[]): string[] {
    const conflicts = new FolderConflicts();
    return keys.filter((key) => {
      try {
        conflicts.check(key);
        return false;
      } catch {
        return true;
      }
    });
  }

  it('refuses what lies below a key that is a file, however far before it came', () => {
    expect(refused(['a', 'a b', 'a!c', 'a/b', 'a/b/c', 'b'])).toEqual(['a/b', 'a/b/c']);
    expect(refused(['a/b', 'a/c', 'ab', 'ab/c'])).toEqual(['ab/c']);
  });

  it('agrees with a plain search over all keys', () => {
    const key = fc
      .array(fc.constantFrom('a', 'b', '/', '!'), { minLength: 1, maxLength: 5 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.uniqueArray(key), (unsorted) => {
        const keys = unsorted.sort();
        const expected = keys.filter((one) => keys.some((other) => one.startsWith(`${other}/`)));
        expect(refused(keys)).toEqual(expected);
      }),
    );
  });
});

describe('compileGlob', () => {
  it.each([
    ['*.log', 'a.log', true],
    ['*.log', 'deep/down/a.log', true],
    ['*.log', 'a.log.txt', false],
    ['node_modules', 'x/node_modules', true],
    ['node_modules', 'node_modules_2', false],
    ['/build', 'build', true],
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/b/a.ts', false],
    ['src/*.ts', 'x/src/a.ts', false],
    ['src/**/*.ts', 'src/a.ts', true],
    ['src/**/*.ts', 'src/b/c/a.ts', true],
    ['a/**', 'a/b/c', true],
    ['?.txt', 'ab.txt', false],
    ['[a-c].txt', 'b.txt', true],
    ['[!a-c].txt', 'b.txt', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a.b', 'axb', false],
    ['🎉?', '🎉🎈', true],
  ])('%s matches %s: %s', (pattern, name, matches) => {
    expect(compileGlob(pattern)(name, false)).toBe(matches);
  });

  it('ending with a slash is about folders only', () => {
    expect(compileGlob('tmp/')('x/tmp', true)).toBe(true);
    expect(compileGlob('tmp/')('x/tmp', false)).toBe(false);
  });

  // Going back and trying again, each of these would take longer than the universe is old.
  it.each([
    ['*a'.repeat(40), 'a'.repeat(200), true],
    [`${'*a'.repeat(40)}b`, 'a'.repeat(200), false],
    [`${'**'.repeat(40)}b`, 'a/'.repeat(100), false],
    [`${'**/'.repeat(40)}b`, 'a/'.repeat(100), false],
    [`${'**/'.repeat(40)}b`, `${'a/'.repeat(100)}b`, true],
  ])('takes time in proportion to pattern and name: %s', (pattern, name, matches) => {
    const started = performance.now();
    expect(compileGlob(pattern)(name, false)).toBe(matches);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each(['[abc', '[z-a]'])('refuses %s', (pattern) => {
    expect(() => compileGlob(pattern)).toThrow(pattern);
  });
});
