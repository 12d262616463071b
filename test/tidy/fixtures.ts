import { FILE_LINES_MAX, FUNCTION_LINES_MAX } from './size-rules.ts';

export interface Fixture {
  readonly what: string;
  readonly file: string;
  readonly text: string;
}

/** What a rule must catch (exactly one finding each) and must let pass. */
export interface Fixtures {
  readonly caught: readonly Fixture[];
  readonly clean: readonly Fixture[];
}

const lines = (count: number): string => '\n'.repeat(count);
/** A body that makes the function around it `count` lines long. */
const body = (count: number): string => `{${lines(count - 1)}}`;

function at(file: string, ...rows: readonly (readonly [what: string, text: string])[]): readonly Fixture[] {
  return rows.map(([what, text]) => ({ what, file, text }));
}

const LONG = FUNCTION_LINES_MAX + 1;

const SIZES: Readonly<Record<string, Fixtures>> = {
  'files have at most 500 lines': {
    caught: at('src/hash/a.ts', ['one line more', lines(FILE_LINES_MAX + 1)]),
    clean: at(
      'src/hash/a.ts',
      ['just as many', lines(FILE_LINES_MAX)],
      ['an unended last line', `${lines(FILE_LINES_MAX - 1)}x`],
    ),
  },
  'functions have at most 70 lines': {
    caught: [
      ...at(
        'src/hash/a.ts',
        ['a function', `function f() ${body(LONG)}`],
        ['an arrow', `const f = () => ${body(LONG)};`],
        ['a method', `class C { m() ${body(LONG)} }`],
        ['a getter', `class C { get m() ${body(LONG)} }`],
        ['a constructor', `class C { constructor() ${body(LONG)} }`],
      ),
      ...at('src/hash/a.test.ts', ['a long test', `it('x', () => ${body(LONG)});`]),
    ],
    clean: [
      ...at('src/hash/a.ts', ['a function that fits', `/** ${lines(9)} */\nfunction f() ${body(FUNCTION_LINES_MAX)}`]),
      ...at(
        'src/hash/a.test.ts',
        ['a suite', `describe('x', () => ${body(LONG)});`],
        ['a suite of rows', `describe.each([1])('x', () => ${body(LONG)});`],
        ['a suite of an injected runner', `runner.describe('x', () => ${body(LONG)});`],
      ),
    ],
  },
};

const IMPORTS: Readonly<Record<string, Fixtures>> = {
  'imports follow the layers': {
    caught: [
      ...at(
        'src/backend/a.ts',
        ['a backend that hashes', "import { blake3 } from '../hash/index.ts';"],
        ['a type from above', "import type { Pack } from '../format/types.ts';"],
        ['an import at run time', "await import('../format/pack.ts');"],
        ['a type import in place', "let p: import('../format/types.ts').Pack;"],
        ['a re-export', "export { blake3 } from '../hash/index.ts';"],
        ['the published tests', "import { seededRandom } from '../testing/index.ts';"],
        ['a test', "import { x } from './b.test.ts';"],
        ['code beside src', "import { x } from '../../bench/x.ts';"],
      ),
      ...at('src/format/a.ts', [
        'a value where types are allowed',
        "import { createChunker, type X } from '../chunking/index.ts';",
      ]),
      ...at(
        'src/pipeline/a.ts',
        ['a value of the contract', "import { isPack } from '../metadata/contract.ts';"],
        ['a type beside the contract', "import type { ItemRow } from '../metadata/rows.ts';"],
      ),
      ...at('src/maintenance/a.ts', ['maintenance using the store', "import type { Store } from '../store/types.ts';"]),
      ...at('src/cli/a.ts', ['the command line behind the library', "import { sha } from '../hash/index.ts';"]),
      ...at('src/cli/a.ts', ['a file beside the allowed ones', "import { systemRandom } from '../runtime/random.ts';"]),
      ...at('src/novel/a.ts', ['a folder in no layer', '']),
      ...at('dashboard/api/a.ts', ['a page with the engine in it', "import { openStore } from '../../src/index.ts';"]),
    ],
    clean: [
      ...at(
        'dashboard/api/a.tsx',
        ['a page that asks a server', "import { Connection } from '../../src/client/connection.ts';"],
        ['a page of its own parts', "import { Icon } from '../parts/icon.tsx';"],
      ),
      ...at('src/backend/a.ts', ['downwards', "import { storeError } from '../errors/store-error.ts';"]),
      ...at('src/backend/a.test.ts', ['a test', "import { x } from '../testing/index.ts';"]),
      ...at('src/format/a.ts', ['types of settings', "import { type A, type B } from '../chunking/index.ts';"]),
      ...at('src/pipeline/a.ts', ['a type of the contract', "import type { PackRow } from '../metadata/contract.ts';"]),
      ...at('src/store/a.ts', ['the listed edge', "import { check } from '../maintenance/check.ts';"]),
      ...at('src/cli/a.ts', ['the library and the clock', "import '../index.ts'; import '../runtime/clock.ts';"]),
    ],
  },
  'modules are used in their home only': {
    caught: [
      ...at('src/store/a.ts', ['a database elsewhere', "import { DatabaseSync } from 'node:sqlite';"]),
      ...at('src/metadata/a.ts', ['a test runner in the product', "import { it } from 'vitest';"]),
      ...at('src/cli/a.ts', ['an unlisted package', "await import('left-pad');"]),
    ],
    clean: [
      ...at('src/hash/a.ts', ['the home', "import { blake3 } from '@napi-rs/blake-hash'; import 'node:crypto';"]),
      ...at('src/hash/a.test.ts', ['a test', "import { it } from 'vitest';"]),
    ],
  },
  'relative imports carry their ending': {
    caught: at('src/hash/a.ts', ['none', "import { x } from './x';"], ['a folder', "export { x } from '../hash';"]),
    clean: at('src/hash/a.ts', ['a file', "import { x } from './x.ts';"], ['a package', "import x from 'node:fs';"]),
  },
  'only runtime touches clocks, randomness and timers': {
    caught: at(
      'src/store/a.ts',
      ['the time', 'Date.now();'],
      ['a new date', 'new Date();'],
      ['a date text', 'Date();'],
      ['a stopwatch', 'performance.now();'],
      ['process time', 'process.hrtime.bigint();'],
      ['a dice', 'Math.random();'],
      ['a timer', 'setTimeout(f, 1);'],
      ['an interval', 'setInterval(f, 1);'],
      ['an immediate', 'setImmediate(f);'],
      ['a timing signal', 'AbortSignal.timeout(5);'],
      ['random bytes', "import { createHash, randomBytes } from 'node:crypto';"],
      ['global randomness', 'crypto.getRandomValues(x);'],
      ['a way around', 'globalThis.performance;'],
    ),
    clean: [
      ...at(
        'src/store/a.ts',
        ['formatting', 'new Date(ms).toISOString();'],
        ['hashing', "import { createHash } from 'node:crypto';"],
      ),
      ...at(
        'src/store/a.ts',
        ['a type', 'let d: Date;'],
        ['an injected clock', 'clock.now(); this.Date.now; x.setTimeout(1);'],
      ),
      ...at('src/runtime/clock.ts', ['the home', 'Date.now();']),
      ...at('src/store/a.test.ts', ['a test', 'Date.now();']),
    ],
  },
};

const SYNTAX: Readonly<Record<string, Fixtures>> = {
  'nothing is exported as default': {
    caught: at(
      'src/hash/a.ts',
      ['a value', 'export default 1;'],
      ['a function', 'export default function f() {}'],
      ['a renamed one', 'const x = 1; export { x as default };'],
    ),
    clean: [
      ...at('vitest.config.ts', ['a config', 'export default {};']),
      ...at('src/hash/a.ts', ['a name', 'export const x = 1;']),
    ],
  },
  'nothing is exported with a star': {
    caught: at('src/hash/a.ts', ['all', "export * from './b.ts';"], ['all, named', "export * as b from './b.ts';"]),
    clean: at('src/hash/a.ts', ['names', "export { b } from './b.ts';"], ['a product', 'export const a = b * c;']),
  },
  'syntax is erasable': {
    caught: at(
      'src/hash/a.ts',
      ['an enum', 'enum E { A }'],
      ['a decorator', '@frozen class C {}'],
      ['a namespace', 'namespace N { export const a = 1; }'],
      ['a parameter property', 'class C { constructor(readonly a: number) {} }'],
    ),
    clean: [
      ...at('src/hash/a.ts', ['types', 'interface I {} type T = 1; declare global { interface J {} }']),
      ...at('src/chunking/kernel/a.as.ts', ['a kernel', '@inline function f(): void {}']),
    ],
  },
  'no test is focused': {
    caught: at(
      'src/hash/a.test.ts',
      ['a test', "it.only('x', f);"],
      ['a suite of rows', "describe.only.each([1])('x', f);"],
    ),
    clean: at('src/hash/a.test.ts', ['a plain one', "it('x', f);"], ['a property', 'options.only;']),
  },
};

const WORDS: Readonly<Record<string, Fixtures>> = {
  'file names are kebab-case': {
    caught: [...at('src/hash/digestOf.ts', ['camel', '']), ...at('src/hash/digest_of.test.ts', ['snake', ''])],
    clean: [...at('src/hash/digest-of.test.ts', ['kebab', '']), ...at('scripts/with-node.mjs', ['a script', ''])],
  },
  'nothing is left unfinished': {
    caught: at('src/hash/a.ts', ['a note', `// ${'TO'}${'DO'}: later`], ['another', `/* ${'FIX'}${'ME'} */`]),
    clean: at('src/hash/a.ts', ['a word inside another', `const ${'TO'}${'DO'}S = 1;`]),
  },
  'names use the words of the glossary': {
    caught: [
      ...at(
        'src/store/a.ts',
        ['a function', 'function openRepo() {}'],
        ['a parameter', 'const f = (segmentBytes: number) => 1;'],
        ['a constant', 'const FRAGMENT_MAX = 1;'],
        ['a field', 'interface X { readonly vaultPath: string }'],
      ),
      ...at('src/store/recipe.ts', ['a file', '']),
    ],
    clean: [
      ...at(
        'src/store/a.ts',
        ['a foreign name', 'url.fragment; intl.segment();'],
        ['inside a word', 'const fragmentation = 1;'],
        ['a name of a specification', 'const singleSegment = true;'],
      ),
      ...at('src/store/a.ts', ['prose', '// other systems say repo']),
      ...at('test/a.test.ts', ['a test', 'const repo = 1;']),
    ],
  },
};

/** By the names of `RULES`, in their order. */
export const FIXTURES: Readonly<Record<string, Fixtures>> = { ...SIZES, ...IMPORTS, ...SYNTAX, ...WORDS };
