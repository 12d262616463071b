/** Values for parameters and bodies: as a schema has them, at its borders, and such as it forbids. */
import type { SeededRandom } from '../../src/testing/index.ts';
import type { Parameter, Schema } from './document.ts';

/** What is remembered of one name. */
const KNOWN_MAX = 30;
const DEPTH_MAX = 6;
const VERSION = 'f'.repeat(64);

const KEYS = [
  'a',
  'docs/a.txt',
  'docs/b',
  'Grüße ☺',
  'x'.repeat(1024),
  'x'.repeat(1025),
  '__proto__',
  ' ',
  'a//b',
  '%2e',
  '\u0001',
  'a/../b',
];
const ADDRESSES = [
  'all',
  'all@{1}',
  'all:docs',
  'all:docs/a.txt',
  'all@{2026-01-01}',
  'main',
  'nothing',
  VERSION,
  'ab',
  '@{',
  ':',
];
const REFS = ['all', 'main', 'team/x', 'bad name', '..', '@{1}', 'x'.repeat(300)];

/** By the names of parameters and properties; what answers tell is added. */
const BEGINNINGS: Readonly<Record<string, readonly string[]>> = {
  ...{ key: KEYS, from: [...KEYS, ...ADDRESSES], to: [...KEYS, ...ADDRESSES], parent: KEYS, after: KEYS },
  ...{
    prefix: ['', 'docs/', 'a', '☺'],
    delimiter: ['/', '//', '☺'],
    search: ['A', 'docs', '%'],
    toPrefix: ['', 'back/'],
  },
  ...{ address: ADDRESSES, ours: ADDRESSES, theirs: ADDRESSES, base: ADDRESSES },
  ...{ ref: REFS, name: [...REFS, 'tenant', 'new tenant'], namespace: ['default', 'tenant', 'nobody', '__proto__'] },
  ...{ version: [VERSION, 'a'], id: [VERSION], expected: [VERSION], upload: ['A'.repeat(43), 'x'] },
  ...{ base64: ['', 'AP8=', 'AA', '!'], attribute: ['author=Ann', 'author', '='], at: ['2026-01-01T00:00:00Z', 'now'] },
  ...{
    contentType: ['text/plain', 'no type', '☺'],
    timeZone: ['UTC', 'Europe/Berlin', 'Nowhere'],
    within: ['7d', '1y', 'x'],
  },
  ...{ type: ['bundle', 'tree', 'snapshot', 'blob', 'other'], text: ['', 'content', '\u0000'] },
};

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'content-type': [
    'text/plain',
    'application/octet-stream',
    'x',
    'multipart/form-data',
    'multipart/form-data; boundary=b',
  ],
  'holdfast-attributes': ['author=Ann&year=2026', '=', '%', '__proto__=x', `a=${'x'.repeat(5000)}`],
  'content-digest': [
    'sha-256=:AAAA:',
    'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    'md5=:AA==:',
    'x',
    'blake3=::',
  ],
  ...{ range: ['bytes=0-0', 'bytes=-1', 'bytes=0-1,3-4', 'bytes=9-', 'bytes=1-0', 'lines=1-2', 'bytes=0-0,0-0'] },
  ...{ 'if-match': ['*', '"x"', 'W/"x"', `"${VERSION}"`, 'x', '"a", "b"'], 'if-none-match': ['*', '"x"', 'x'] },
  ...{
    'if-range': ['"x"', 'Wed, 21 Oct 2026 07:28:00 GMT', 'x'],
    'tus-resumable': ['1.0.0', '1.0.0', '1.0.0', '0.2.2'],
  },
  ...{ 'upload-length': ['0', '5', '-1', 'x', '1e3', '9'.repeat(30)], 'upload-offset': ['0', '0', '5', '-1', 'x'] },
  'upload-metadata': [
    'key YQ==',
    'key',
    'key YQ==,contentType dGV4dC9wbGFpbg==',
    'key !',
    ',,',
    'key YQ==,ifNoneMatch Kg==',
  ],
};

const isInteger = ({ type }: Schema): boolean => [type].flat().some((one) => one === 'integer' || one === 'number');

export class Values {
  readonly random: SeededRandom;
  readonly #known = new Map<string, string[]>();

  constructor(random: SeededRandom) {
    this.random = random;
    for (const [name, values] of Object.entries(BEGINNINGS)) this.#known.set(name, [...values]);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.random.integer(values.length)] as T;
  }

  /** Whether it happens this time. */
  oneIn(count: number): boolean {
    return this.random.integer(count) === 0;
  }

  /** Remembers what an answer tells, to ask for it later. */
  learn(value: unknown): void {
    if (Array.isArray(value)) for (const one of value) this.learn(one);
    else if (typeof value === 'object' && value !== null)
      for (const [name, one] of Object.entries(value)) {
        if (typeof one === 'string') this.learnOne(name, one);
        else this.learn(one);
      }
  }

  learnOne(name: string, value: string): void {
    const known = this.#known.get(name);
    if (known === undefined || value === '' || known.includes(value)) return;
    if (known.length < KNOWN_MAX) known.push(value);
    else known[this.random.integer(KNOWN_MAX)] = value;
  }

  header(name: string): string {
    const [version = VERSION] = [this.pick(this.#known.get('version') ?? [])];
    return name.startsWith('if-') && this.oneIn(2) ? `"${version}"` : this.pick(HEADERS[name] ?? ['x']);
  }

  /** What a schema allows, as a JSON value, or what is close to that. */
  value(schema: Schema, name: string, depth = 0): unknown {
    const { anyOf, oneOf, enum: listed, const: only, items, properties } = schema;
    if (only !== undefined) return only;
    if (listed) return this.pick(listed);
    if (anyOf ?? oneOf) return this.value(this.pick(anyOf ?? oneOf ?? []), name, depth);
    if (items)
      return Array.from({ length: (schema.minItems ?? 0) + this.random.integer(3) }, () =>
        this.value(items, name, depth + 1),
      );
    if (properties) return this.#object(schema, depth);
    if (isInteger(schema)) return this.#integer(schema);
    if (schema.type === 'boolean') return this.oneIn(2);
    if (schema.type === 'null') return null;
    if (schema.type === 'string') return this.#string(schema, name);
    // Anything may be there.
    return depth > DEPTH_MAX ? null : this.pick<unknown>([{}, [], { n: 1 }, 'text', 7, null, { a: { b: [] } }]);
  }

  /** What a parameter in a path or a query must not be, as text; `undefined` where it may be anything. */
  forbidden({ schema, in: place }: Parameter): string | undefined {
    if (schema.enum) return 'other';
    if (isInteger(schema)) {
      const { minimum = -1, maximum } = schema;
      return this.pick(['x', '1.5', `${minimum - 1}`, 'NaN', ...(maximum === undefined ? [] : [`${maximum + 1}`])]);
    }
    if (schema.pattern) return this.pick(['zz', VERSION.slice(1), `${VERSION}0`]);
    if (schema.format === 'date-time') return this.pick(['yesterday', '2026-13-01T00:00:00Z', '0']);
    return schema.minLength === 1 && place === 'query' ? '' : undefined;
  }

  /** Another JSON value, with something changed. */
  changed(value: unknown): unknown {
    if (this.oneIn(4)) return this.pick<unknown>([null, [], 'x', -1, 1e300, true, {}]);
    if (Array.isArray(value)) return value.length === 0 ? [null] : [...value.slice(1), this.changed(value[0])];
    if (typeof value !== 'object' || value === null) return this.pick<unknown>([null, {}, '☺'.repeat(2000), 0.5, -1]);
    const entries = Object.entries(value);
    if (entries.length === 0 || this.oneIn(4)) return { ...value, surprise: 1 };
    const at = this.random.integer(entries.length);
    const [name, old] = entries[at] ?? ['', null];
    entries[at] = [name, this.changed(old)];
    return Object.fromEntries(this.oneIn(3) ? entries.toSpliced(at, 1) : entries);
  }

  #object({ properties = {}, required = [] }: Schema, depth: number): Record<string, unknown> {
    const chosen = Object.entries(properties).filter(([name]) => required.includes(name) || this.oneIn(3));
    return Object.fromEntries(chosen.map(([name, schema]) => [name, this.value(schema, name, depth + 1)]));
  }

  #integer({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): number {
    return this.pick([minimum, minimum + 1, minimum + 2 + this.random.integer(100), maximum]);
  }

  #string({ format, pattern }: Schema, name: string): string {
    if (format === 'date-time')
      return this.pick(['2026-01-01T00:00:00Z', '2999-12-31T23:59:59.999Z', '1970-01-01T00:00:00Z']);
    const known = this.#known.get(name) ?? this.#known.get('key') ?? [];
    if (pattern === undefined) return this.pick(known);
    const fitting = [...(this.#known.get('version') ?? []), ...known].filter((one) => new RegExp(pattern).test(one));
    return fitting.length === 0 ? VERSION : this.pick(fitting);
  }
}
