import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/errors/codes.ts';
import { detailGaps, documentationGaps, unmentioned } from './tidy/error-rules.ts';
import { CITED_NAMES, NEVER_WORDS, TABLES } from './tidy/exemptions.ts';
import { FIXTURES } from './tidy/fixtures.ts';
import { areaOf } from './tidy/import-rules.ts';
import { AREAS, MODULE_HOMES, SAME_LEVEL_EDGES } from './tidy/layers.ts';
import { RULES } from './tidy/rules.ts';
import { FILE_LINES_MAX, lineCount } from './tidy/size-rules.ts';
import { isProduct, isTest, parseSource, ROOT, readSources } from './tidy/source.ts';

const sources = readSources();

describe('the code base', () => {
  it('is found by the rules', () => {
    const areas = new Set(
      sources.filter(({ path: file }) => isProduct(file)).map(({ path: file }) => file.split('/')[1]),
    );
    expect(areas).toContain('errors');
    expect(areas).toContain('limits.ts');
    expect(sources.some(({ path: file }) => isTest(file))).toBe(true);
  });

  it.each(Object.entries(RULES))('keeps the rule: %s', (_, rule) => {
    expect(sources.flatMap((source) => rule(source))).toEqual([]);
  });
});

describe('a rule', () => {
  it('has fixtures, every one', () => {
    expect(Object.keys(FIXTURES)).toEqual(Object.keys(RULES));
  });

  const cases = Object.entries(FIXTURES).flatMap(([name, fixture]) => [
    ...fixture.caught.map((one) => ({ name, ...one, count: 1, verb: 'catches' })),
    ...fixture.clean.map((one) => ({ name, ...one, count: 0, verb: 'lets pass' })),
  ]);
  it.each(cases)('$name $verb: $what', ({ name, file, text, count }) => {
    expect(RULES[name]?.(parseSource(file, text))).toHaveLength(count);
  });
});

describe('the layer table', () => {
  it('points down, but for the listed edges', () => {
    const wrong = Object.entries(AREAS).flatMap(([from, area]) =>
      [...area.imports, ...(area.types ?? [])].filter((to) => {
        const target = AREAS[to.startsWith('src/') ? areaOf(to) : to];
        if (target === undefined) return true;
        return target.level === area.level ? !SAME_LEVEL_EDGES.includes(`${from} -> ${to}`) : target.level > area.level;
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycle among the edges of one level', () => {
    const edges = SAME_LEVEL_EDGES.map((edge) => edge.split(' -> '));
    const starts = new Set(edges.map(([from]) => from));
    expect(edges.filter(([, to]) => starts.has(to))).toEqual([]);
  });

  it('keeps hashing and formats away from backends, and the library away from the command line', () => {
    expect(AREAS.backend?.imports).toEqual(['bytes', 'runtime', 'errors', 'limits']);
    expect(Object.values(AREAS).flatMap(({ imports }) => imports)).not.toContain('cli');
    expect(Object.values(AREAS).flatMap(({ imports }) => imports)).not.toContain('testing');
  });

  it('gives every dependency of the package a home, and nothing else but built-ins', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    const listed = Object.keys(MODULE_HOMES).filter((name) => !name.startsWith('node:'));
    expect(listed.sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe('exemptions', () => {
  it('are tables that need it', () => {
    const needless = TABLES.filter((table) => {
      const file = path.join(ROOT, table);
      return !existsSync(file) || lineCount(readFileSync(file, 'utf8')) <= FILE_LINES_MAX;
    });
    expect(needless).toEqual([]);
  });

  it('are names that product code uses', () => {
    const product = sources.filter(({ path: file }) => isProduct(file));
    const unused = Object.keys(CITED_NAMES).filter((name) => !product.some(({ text }) => text.includes(name)));
    expect(unused).toEqual([]);
  });

  it('do not cover words that the glossary uses itself', () => {
    const glossary = readFileSync(path.join(ROOT, 'docs/glossary.md'), 'utf8');
    const terms = [...glossary.matchAll(/^\| \*\*([^*]+)\*\*/gm)].flatMap(([, term = '']) => term.split(/[^a-z]+/i));
    expect(terms.filter((term) => Object.hasOwn(NEVER_WORDS, term))).toEqual([]);
  });
});

describe('an error code', () => {
  const codes = Object.keys(ERROR_CODES);

  it('is raised by product code', () => {
    const product = sources.filter(({ path: file }) => isProduct(file) && file !== 'src/errors/codes.ts');
    expect(unmentioned(codes, product)).toEqual([]);
  });

  it('is thrown by a test', () => {
    const proofs = sources.filter(({ path: file }) => !file.startsWith('test/tidy') && (isTest(file) || isSuite(file)));
    expect(unmentioned(codes, proofs)).toEqual([]);
  });

  it('is explained in docs/errors.md under its kind', () => {
    expect(documentationGaps(ERROR_CODES, readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8'))).toEqual([]);
  });

  it('is documented with every detail it carries', () => {
    const product = sources.filter(({ path: file }) => isProduct(file));
    expect(detailGaps(product, readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8'))).toEqual([]);
  });

  it('is missed when its section lacks a detail, a meaning or what to do next', () => {
    const source = parseSource(
      'a.ts',
      "storeError('A', 'why', { details: { key, ...(id && { packId: id }) }, cause });",
    );
    const markdown = '## invalid\n### A\n\nNot good.\nDetails: `key`.\nNext: stop.\n### B\n\nDetails: none.\n';
    expect(detailGaps([source], markdown)).toEqual(['A does not list packId', 'B does not say what to do next']);
  });

  it('is missed when only prose or another code names it', () => {
    const texts = [
      {
        path: 'a.test.ts',
        text: "expectCode('corrupt/PACK_CORRUPT'); // CHUNK_MISSING `invalid/KEY_INVALID` 'KEY_INVALID_TOO'",
      },
    ];
    expect(unmentioned(['PACK_CORRUPT', 'CHUNK_MISSING', 'KEY_INVALID'], texts)).toEqual([
      'CHUNK_MISSING',
      'KEY_INVALID',
    ]);
  });

  it('is missed in the documentation when its heading is gone, foreign, doubled or misplaced', () => {
    const markdown = '## invalid\n### A\n### A\n### X\n## corrupt\n### B\n';
    expect(documentationGaps({ A: 'invalid', B: 'invalid', C: 'corrupt' }, markdown)).toEqual([
      'A has two headings',
      'X has a heading but is no code',
      'B is invalid and stands under corrupt',
      'C has no heading',
    ]);
  });
});

/** Published suites hold assertions that tests run. */
function isSuite(file: string): boolean {
  return file.startsWith('src/testing/');
}
