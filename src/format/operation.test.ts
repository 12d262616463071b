import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import {
  DATA_DESCRIPTOR,
  patternBytes,
  SAMPLE_NAMED_RECORD,
  SAMPLE_RECORD,
} from '../../test/support/format-samples.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { ENTRY_KEY_BYTES_MAX, OPERATION_BYTES_MAX } from '../limits.ts';
import type { CborValue } from './cbor.ts';
import { failWith } from './damage.ts';
import { encodeObjectKey } from './object-key.ts';
import { isNamespaced, namespaceOfOperation, operationFromCbor, operationToCbor } from './operation.ts';
import { packDescriptorToCbor } from './pack-descriptor.ts';
import { scopeKey } from './scoped-key.ts';
import type { Operation } from './types.ts';

const fail = failWith('JOURNAL_CORRUPT', 'journal record', { commit: 42 });
/** Where the operations of plain stores stand. */
const PLAIN = { version: 1, namespace: 0 };
/** Where those of sealed stores do. */
const SEALED = { version: 2, namespace: 0 };
const KEY = utf8Encode('key');
const OBJECT_ELSEWHERE = encodeObjectKey({ namespace: 7, objectClass: 'raw', digest: patternBytes(32, 1) });
const PACK = packDescriptorToCbor(DATA_DESCRIPTOR, 1);

function outcome(values: CborValue, place = PLAIN): string {
  return outcomeOf(() => operationFromCbor(values, place, fail));
}

const keys = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .map(utf8Encode)
  .filter((key) => key.length <= ENTRY_KEY_BYTES_MAX);
const objectKeys = fc
  .record({
    namespace: fc.constant(0),
    objectClass: fc.constantFrom('raw' as const, 'structured' as const),
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(encodeObjectKey);
const idLists = (length: number) => fc.array(fc.uint8Array({ minLength: length, maxLength: length }), { maxLength: 5 });
const operations: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    type: fc.constant('entry-put'),
    key: keys,
    entry: fc.uint8Array({ minLength: 1 }),
    modified: fc.maxSafeNat(),
  }),
  fc.record({ type: fc.constant('entry-delete'), key: keys }),
  fc.record({ type: fc.constant('entry-rename'), from: keys, to: keys }),
  fc.record({ type: fc.constant('entry-copy'), from: keys, to: keys, modified: fc.maxSafeNat() }),
  fc.record({
    type: fc.constant('object-put'),
    key: objectKeys,
    objectType: fc.constantFrom('blob', 'bundle', 'tree', 'snapshot'),
    entry: fc.uint8Array({ minLength: 1 }),
  }),
  fc.record({
    type: fc.constant('ref-set'),
    key: keys,
    target: fc.option(objectKeys, { nil: undefined }),
    message: fc.string({ unit: 'grapheme' }),
  }),
  fc.record({
    type: fc.constant('history-forget'),
    history: fc.constantFrom('version', 'move'),
    key: keys,
    numbers: fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  }),
  fc.record({ type: fc.constant('relation-set'), child: keys, parent: fc.option(keys, { nil: undefined }) }),
  fc.record({ type: fc.constant('version-keep'), key: keys, first: fc.integer({ min: 1 }) }),
  fc.record({ type: fc.constant('family-delete'), key: keys }),
  fc.record({
    type: fc.constant('policy-set'),
    namespace: fc.constant(0),
    policy: fc.option(fc.record({ last: fc.maxSafeNat(), forMs: fc.maxSafeNat() }, { requiredKeys: [] }), {
      nil: undefined,
    }),
  }),
  fc.record({
    type: fc.constant('pack-merge'),
    added: fc.array(fc.constant(DATA_DESCRIPTOR), { maxLength: 3 }),
    dropped: idLists(16),
    stale: idLists(32),
  }),
);

const OBJECT = encodeObjectKey({ namespace: 0, objectClass: 'raw', digest: patternBytes(32, 1) });
const [ID, OTHER_ID] = [patternBytes(32, 2), patternBytes(32, 3)];
const SAMPLES: readonly Operation[] = [
  ...SAMPLE_RECORD.operations,
  ...SAMPLE_NAMED_RECORD.operations,
  { type: 'items-remove', chunks: [ID, OTHER_ID], nodes: [] },
  { type: 'items-remove', chunks: [], nodes: [OTHER_ID] },
  { type: 'object-remove', key: OBJECT },
];

describe('an operation', () => {
  it.each(SAMPLES)('reads back: %# $type', (operation) => {
    expect(operationFromCbor(operationToCbor(operation, PLAIN), PLAIN, fail)).toStrictEqual(operation);
  });

  it('reads back, whatever is in it', () => {
    fc.assert(
      fc.property(operations, (operation) => {
        expect(operationFromCbor(operationToCbor(operation, PLAIN), PLAIN, fail)).toEqual(operation);
      }),
    );
  });

  it('is of the namespace whose keys it names, if it names any', () => {
    const [key, other] = [scopeKey(7, KEY), scopeKey(7, utf8Encode('other'))];
    const named: readonly Operation[] = [
      { type: 'entry-delete', key },
      { type: 'entry-rename', from: key, to: other },
      { type: 'relation-set', child: key, parent: undefined },
      { type: 'object-remove', key: OBJECT_ELSEWHERE },
    ];
    for (const operation of named) expect(isNamespaced(operation) && namespaceOfOperation(operation)).toBe(7);
    const place = { version: 2, namespace: 7 };
    for (const operation of SAMPLES.filter((one) => !isNamespaced(one))) {
      expect(['incarnation', 'pack-add', 'pack-merge', 'policy-set', 'items-remove']).toContain(operation.type);
      expect(outcomeOf(() => operationToCbor(operation, place))).toBe('internal/INVARIANT_BROKEN');
    }
  });

  it('has the code it always had', () => {
    const codes = SAMPLES.map((one) => [one.type, (operationToCbor(one, PLAIN) as readonly CborValue[])[0]]);
    expect(new Map(codes as [string, number][])).toEqual(
      new Map([
        ['incarnation', 1],
        ['entry-put', 2],
        ['entry-delete', 3],
        ['entry-rename', 4],
        ['entry-copy', 5],
        ['pack-add', 6],
        ['pack-merge', 7],
        ['object-put', 10],
        ['ref-set', 11],
        ['history-forget', 12],
        ['relation-set', 13],
        ['version-keep', 14],
        ['family-delete', 15],
        ['policy-set', 16],
        ['items-remove', 17],
        ['object-remove', 18],
      ]),
    );
  });

  it('of a sealed store reads back there, and is unknown to plain ones', () => {
    const scoped: Operation = { type: 'scoped', namespace: 7, sealed: patternBytes(60, 1) };
    const policy: Operation = { type: 'policy-set', namespace: 7, policy: { last: 1 } };
    expect(operationFromCbor(operationToCbor(policy, SEALED), SEALED, fail)).toEqual(policy);
    for (const operation of [scoped, { type: 'namespace-drop', namespace: 2 ** 32 - 1 } as const]) {
      const values = operationToCbor(operation, SEALED);
      expect(operationFromCbor(values, SEALED, fail)).toEqual(operation);
      expect(outcome(values)).toBe('unsupported/OPERATION_UNSUPPORTED');
      expect(outcomeOf(() => operationToCbor(operation, PLAIN))).toBe('internal/INVARIANT_BROKEN');
    }
  });

  it.each<[string, CborValue, string]>([
    ['the smallest envelope', [8, 1, patternBytes(41, 1)], 'no error'],
    ['an empty envelope', [8, 1, patternBytes(40, 1)], 'corrupt/JOURNAL_CORRUPT'],
    ['a huge envelope', [8, 1, new Uint8Array(OPERATION_BYTES_MAX + 1)], 'corrupt/JOURNAL_CORRUPT'],
    ['the default namespace, scoped', [8, 0, patternBytes(41, 1)], 'corrupt/JOURNAL_CORRUPT'],
    ['a value too many', [8, 1, patternBytes(41, 1), 0], 'corrupt/JOURNAL_CORRUPT'],
    ['the default namespace, dropped', [9, 0], 'corrupt/JOURNAL_CORRUPT'],
    ['a namespace beyond u32', [9, 2 ** 32], 'corrupt/JOURNAL_CORRUPT'],
    ['a scoped key in the open', [3, scopeKey(7, KEY)], 'corrupt/JOURNAL_CORRUPT'],
    ['a policy of a namespace', [16, 2 ** 32 - 1, [null, 0]], 'no error'],
    ['a policy of a namespace beyond u32', [16, 2 ** 32, null], 'corrupt/JOURNAL_CORRUPT'],
    ['an object of a namespace in the open', [10, OBJECT_ELSEWHERE, 1, KEY], 'corrupt/JOURNAL_CORRUPT'],
    ['an operation of the future', [99, KEY], 'unsupported/OPERATION_UNSUPPORTED'],
  ])('of a sealed store with %s', (_, values, expected) => {
    expect(outcome(values, SEALED)).toBe(expected);
  });

  it.each([8, 9, 255, Number.MAX_SAFE_INTEGER])('with the unknown code %i is never skipped', (code) => {
    const error = caught(() => operationFromCbor([code, KEY], PLAIN, fail));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).code).toBe('OPERATION_UNSUPPORTED');
    expect((error as StoreError).details).toEqual({ actual: code });
  });

  it.each<[string, CborValue]>([
    ['no code', []],
    ['code 0', [0]],
    ['a code that is text', ['entry-put']],
    ['no array', null],
    ['an empty key', [3, new Uint8Array(0)]],
    ['a key that is too long', [3, new Uint8Array(ENTRY_KEY_BYTES_MAX + 1).fill(97)]],
    ['a key that is not UTF-8', [3, Uint8Array.of(0xff)]],
    ['a key with a lone surrogate', [3, Uint8Array.of(0xed, 0xa0, 0x80)]],
    ['a key that is text', [3, 'key']],
    ['a value too many', [3, KEY, KEY]],
    ['a value too few', [4, KEY]],
    ['an empty entry', [2, KEY, new Uint8Array(0), 0]],
    ['a time before 1970', [2, KEY, KEY, -1]],
    ['a short incarnation', [1, patternBytes(15, 1)]],
    ['half an id among the dropped', [7, [], patternBytes(24, 1), new Uint8Array(0)]],
    ['half an id among the stale', [7, [], new Uint8Array(0), patternBytes(48, 1)]],
    ['added packs that are no list', [7, PACK, new Uint8Array(0), new Uint8Array(0)].with(1, KEY)],
    ['a damaged pack', [6, [KEY]]],
    ['an object of no class', [10, Uint8Array.from(OBJECT).fill(3, 0, 1), 1, KEY]],
    ['half an object key', [10, OBJECT.subarray(0, 32), 1, KEY]],
    ['an object key that is text', [10, 'key', 1, KEY]],
    ['an object of another namespace', [10, OBJECT_ELSEWHERE, 1, KEY]],
    ['an object of type 0', [10, OBJECT, 0, KEY]],
    ['an object of type 5', [10, OBJECT, 5, KEY]],
    ['an object without an entry', [10, OBJECT, 1, new Uint8Array(0)]],
    ['an object and a value too many', [10, OBJECT, 1, KEY, 0]],
    ['a ref without a name', [11, new Uint8Array(0), OBJECT, '']],
    ['a ref to an entry', [11, KEY, KEY, '']],
    ['a ref to an object of another namespace', [11, KEY, OBJECT_ELSEWHERE, '']],
    ['a ref without a message', [11, KEY, OBJECT]],
    ['a message that is bytes', [11, KEY, null, KEY]],
    ['a message that is too long', [11, KEY, null, 'é'.repeat(513)]],
    ['too many steps', [12, 1, KEY, Array(4097).fill(1)]],
    ['a history of kind 0', [12, 0, KEY, [1]]],
    ['a history of kind 3', [12, 3, KEY, [1]]],
    ['a step 0', [12, 1, KEY, [0]]],
    ['steps that are no list', [12, 1, KEY, 1]],
    ['a step that is text', [12, 1, KEY, ['1']]],
    ['a child that is no key', [13, null, KEY]],
    ['a parent that is no key', [13, KEY, Uint8Array.of(0xff)]],
    ['a parent of another namespace', [13, KEY, scopeKey(7, KEY)]],
    ['no parent at all', [13, KEY]],
    ['a first step 0', [14, KEY, 0]],
    ['no first step', [14, KEY]],
    ['a family without a key', [15, null]],
    ['a policy that is a number', [16, 0, 1]],
    ['a policy of one value', [16, 0, [1]]],
    ['a policy of three values', [16, 0, [1, 2, 3]]],
    ['a policy of minus one version', [16, 0, [-1, null]]],
    ['a policy of a namespace, in a plain store', [16, 7, null]],
    ['half an id among the chunks', [17, patternBytes(48, 1), ID]],
    ['half an id among the nodes', [17, ID, patternBytes(16, 1)]],
    ['removed chunks alone', [17, ID]],
    ['removed items and a value too many', [17, ID, ID, ID]],
    ['a removed object that is an entry', [18, KEY]],
    ['a removed object of another namespace', [18, OBJECT_ELSEWHERE]],
    ['a removed object and a value too many', [18, OBJECT, 0]],
  ])('with %s is damage', (_, values) => {
    expect(outcome(values)).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('may name the longest key, message and list of numbers', () => {
    expect(outcome([3, new Uint8Array(ENTRY_KEY_BYTES_MAX).fill(97)])).toBe('no error');
    expect(outcome([11, KEY, null, 'é'.repeat(512)])).toBe('no error');
    expect(outcome([12, 1, KEY, Array(4096).fill(1)])).toBe('no error');
  });

  it.each<[string, Operation]>([
    ['an empty key', { type: 'entry-delete', key: new Uint8Array(0) }],
    ['a key that is not UTF-8', { type: 'entry-rename', from: KEY, to: Uint8Array.of(0x80) }],
    ['a short incarnation', { type: 'incarnation', previous: new Uint8Array(8) }],
    ['a short pack id', { type: 'pack-merge', added: [], dropped: [new Uint8Array(15)], stale: [] }],
    ['an object key that is none', { type: 'object-put', key: KEY, objectType: 'blob', entry: KEY }],
    ['a ref to another namespace', { type: 'ref-set', key: KEY, target: OBJECT_ELSEWHERE, message: '' }],
    ['a policy of a namespace', { type: 'policy-set', namespace: 7, policy: undefined }],
    ['a short id', { type: 'pack-merge', added: [], dropped: [], stale: [new Uint8Array(16)] }],
    ['a short id beside a whole one', { type: 'items-remove', chunks: [ID, new Uint8Array(16)], nodes: [] }],
    ['a short id of a node', { type: 'items-remove', chunks: [], nodes: [new Uint8Array(31)] }],
    ['a removed object that is none', { type: 'object-remove', key: KEY }],
    ['a message that is too long', { type: 'ref-set', key: KEY, target: OBJECT, message: 'é'.repeat(513) }],
    ['a parent of another namespace', { type: 'relation-set', child: KEY, parent: scopeKey(7, KEY) }],
  ])('is not written with %s', (_, operation) => {
    expect(outcomeOf(() => operationToCbor(operation, PLAIN))).toBe('internal/INVARIANT_BROKEN');
  });
});
