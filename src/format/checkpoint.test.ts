import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { samplePages } from '../../test/support/checkpoint-samples.ts';
import { DATA_DESCRIPTOR, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { countingRandom, ISOLATED, sampleSchedule, TENANT } from '../../test/support/sealed-samples.ts';
import { concatBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { type CborValue, encodeCbor } from './cbor.ts';
import {
  type CheckpointHead,
  type CheckpointPage,
  decodeCheckpointHead,
  decodeCheckpointPage,
  encodeCheckpointHead,
  encodeCheckpointPage,
  openCheckpointPage,
  type ReadPage,
} from './checkpoint.ts';
import { encodeObjectKey } from './object-key.ts';

const CORRUPT = 'corrupt/JOURNAL_CORRUPT';
const KEY = sampleSchedule().operationKey(TENANT);
const OPENER = new EnvelopeOpener(KEY);
const [NAME, NO_BYTES, DIGEST] = [utf8Encode('a'), new Uint8Array(0), patternBytes(32, 1)];

function objectOf(namespace: number): Uint8Array {
  return encodeObjectKey({ namespace, objectClass: 'raw', digest: DIGEST });
}

const OTHERS: readonly CheckpointPage[] = [
  { table: 'packs', namespace: 0, rows: [DATA_DESCRIPTOR] },
  {
    table: 'policies',
    namespace: 0,
    rows: [
      { namespace: 0, policy: {} },
      { namespace: 0, policy: { last: 2 } },
      { namespace: 0, policy: { forMs: 3 } },
      { namespace: 0, policy: { last: 0, forMs: 0 } },
    ],
  },
  { table: 'shreds', namespace: 0, rows: [{ namespace: ISOLATED }] },
];

function sealedPage(page: CheckpointPage): ReadPage & { readonly sealed: Uint8Array } {
  const sealer = new EnvelopeSealer(KEY, countingRandom(1));
  const read = decodeCheckpointPage(encodeCheckpointPage(page, { sealed: true, sealer }), true);
  if (read.sealed === undefined) throw new Error('rows of a namespace are sealed');
  return read;
}

describe('a page of a checkpoint', () => {
  it.each([...samplePages(0), ...OTHERS])('comes back as it was: $table', (page) => {
    for (const sealed of [false, true])
      expect(decodeCheckpointPage(encodeCheckpointPage(page, { sealed }), sealed)).toStrictEqual(page);
  });

  it.each(samplePages(TENANT))('of a namespace opens to what was sealed, and in no other place: $table', (page) => {
    const read = sealedPage(page);
    expect(openCheckpointPage(read, OPENER)).toEqual(page);
    expect(toHex(read.sealed)).not.toContain(toHex(utf8Encode('main')));
    for (const other of [
      { ...read, namespace: TENANT + 1 },
      { ...read, table: page.table === 'refs' ? ('items' as const) : ('refs' as const) },
    ])
      expect(outcomeOf(() => openCheckpointPage(other, OPENER))).toBe(CORRUPT);
    for (const { bytes } of bitFlips(read.sealed))
      expect(outcomeOf(() => openCheckpointPage({ ...read, sealed: bytes }, OPENER))).toBe(CORRUPT);
  });

  it('is one of its own kind of store', () => {
    const [page] = OTHERS as [CheckpointPage];
    for (const sealed of [false, true]) {
      const bytes = encodeCheckpointPage(page, { sealed });
      expect(outcomeOf(() => decodeCheckpointPage(bytes, !sealed))).toBe(CORRUPT);
    }
  });

  it.each<[string, CborValue, string]>([
    ['another version', [3, 4, 0, []], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an unknown table', [2, 99, 0, []], CORRUPT],
    ['rows that are no array', [2, 4, 0, 'rows'], CORRUPT],
    ['open rows of a namespace', [2, 4, TENANT, []], CORRUPT],
    ['a namespace of one', [2, 4, ISOLATED, new Uint8Array(60)], CORRUPT],
    ['a value too many', [2, 4, 0, [], 0], CORRUPT],
    ['a row too short', [2, 9, 0, [[0]]], CORRUPT],
    ['a row too long', [2, 10, 0, [[ISOLATED, 0]]], CORRUPT],
    ['keys of another namespace', [2, 8, 0, [[Uint8Array.of(255, 0, 0, 0, 7, 97), Uint8Array.of(97)]]], CORRUPT],
    ['an unknown kind of item', [2, 2, 0, [[3, patternBytes(32, 1), 1, 0, 1]]], CORRUPT],
    ['a shred that is no namespace of one', [2, 10, 0, [[TENANT]]], CORRUPT],
    ['an item of commit 0', [2, 2, 0, [[1, DIGEST, 1, 0, 0]]], CORRUPT],
    ['an item of commit 1', [2, 2, 0, [[1, DIGEST, 1, 0, 1]]], 'no error'],
    ['half an id', [2, 2, 0, [[1, patternBytes(16, 1), 1, 0, 1]]], CORRUPT],
    ['an entry without bytes', [2, 3, 0, [[NAME, NO_BYTES, 0, 0]]], CORRUPT],
    ['an entry without a key', [2, 3, 0, [[NO_BYTES, NAME, 0, 0]]], CORRUPT],
    ['a small entry', [2, 3, 0, [[NAME, NAME, 0, 0]]], 'no error'],
    ['an object whose key is none', [2, 4, 0, [[NAME, 1, NAME, 0]]], CORRUPT],
    ['an object of another namespace', [2, 4, 0, [[objectOf(TENANT), 1, NAME, 0]]], CORRUPT],
    ['an object of no type', [2, 4, 0, [[objectOf(0), 0, NAME, 0]]], CORRUPT],
    ['an object without an entry', [2, 4, 0, [[objectOf(0), 1, NO_BYTES, 0]]], CORRUPT],
    ['an object', [2, 4, 0, [[objectOf(0), 1, NAME, 0]]], 'no error'],
    ['a ref to another namespace', [2, 5, 0, [[NAME, objectOf(TENANT), 0]]], CORRUPT],
    ['a history of no kind', [2, 6, 0, [[3, NAME, 1, 1, 1]]], CORRUPT],
    ['a history from 0', [2, 6, 0, [[1, NAME, 0, 1, 1]]], CORRUPT],
    ['a history to 0', [2, 6, 0, [[1, NAME, 1, 0, 1]]], CORRUPT],
    ['a history without steps', [2, 6, 0, [[1, NAME, 1, 1, 0]]], CORRUPT],
    ['a history of one step', [2, 6, 0, [[1, NAME, 1, 1, 1]]], 'no error'],
    ['a step of no kind', [2, 7, 0, [[3, NAME, 1, 0, NAME]]], CORRUPT],
    ['step 0', [2, 7, 0, [[1, NAME, 0, 0, NAME]]], CORRUPT],
    ['an empty step', [2, 7, 0, [[1, NAME, 1, 0, NO_BYTES]]], CORRUPT],
    ['a step', [2, 7, 0, [[1, NAME, 1, 0, NAME]]], 'no error'],
    ['a policy of a namespace of one', [2, 9, 0, [[ISOLATED_NAMESPACE_MIN, 1, 1]]], CORRUPT],
    ['a policy of a namespace', [2, 9, 0, [[ISOLATED_NAMESPACE_MIN - 1, 1, 1]]], 'no error'],
    ['the first namespace of one among its shreds', [2, 10, 0, [[ISOLATED_NAMESPACE_MIN]]], 'no error'],
  ])('is refused with %s', (_, value, outcome) => {
    expect(outcomeOf(() => decodeCheckpointPage(encodeCbor(value), true))).toBe(outcome);
  });

  it.each<[string, CborValue]>([
    ['a namespace', [1, 4, TENANT, new Uint8Array(60)]],
    ['a policy of a namespace', [1, 9, 0, [[TENANT, 1, 1]]]],
  ])('of a plain store is refused with %s', (_, value) => {
    expect(outcomeOf(() => decodeCheckpointPage(encodeCbor(value), false))).toBe(CORRUPT);
  });

  it.each<[string, CborValue]>([
    ['rows that are no array', 'rows'],
    ['a row of another namespace', [[utf8Encode('b'), utf8Encode('a')]]],
  ])('of a namespace is refused when %s were sealed', (_, rows) => {
    const aad = concatBytes([utf8Encode('holdfast scoped checkpoint v1'), Uint8Array.of(TENANT, 0, 0, 0, 8, 0, 0, 0)]);
    const sealed = new EnvelopeSealer(KEY, countingRandom(2)).seal(encodeCbor(rows), aad);
    const page = { table: 'relations', namespace: TENANT, sealed } as const;
    expect(caught(() => openCheckpointPage(page, OPENER))).toMatchObject({
      ...{ code: 'JOURNAL_CORRUPT', details: { namespace: TENANT } },
    });
  });

  it('is sealed when it is of a namespace, and only then', () => {
    const sealer = new EnvelopeSealer(KEY, countingRandom(1));
    const [plain, scoped] = [samplePages(0)[0], samplePages(TENANT)[0]] as [CheckpointPage, CheckpointPage];
    for (const [page, how] of [
      [scoped, { sealed: true }],
      [plain, { sealed: true, sealer }],
      [scoped, { sealed: false, sealer }],
    ] as const)
      expect(outcomeOf(() => encodeCheckpointPage(page, how))).toBe('internal/INVARIANT_BROKEN');
  });
});

describe('the head of a checkpoint', () => {
  const HEAD: CheckpointHead = {
    ...{ sealed: false, commit: 300, digest: patternBytes(32, 1), incarnation: patternBytes(16, 2), first: 301 },
    ...{ pages: [patternBytes(32, 3), patternBytes(32, 4)], packs: [patternBytes(16, 5)] },
  };

  it('comes back as it was, and is told from a page', () => {
    for (const sealed of [false, true])
      expect(decodeCheckpointHead(encodeCheckpointHead({ ...HEAD, sealed }), sealed)).toEqual({ ...HEAD, sealed });
    const [page] = OTHERS as [CheckpointPage];
    expect(decodeCheckpointHead(encodeCheckpointPage(page, { sealed: false }), false)).toBeUndefined();
    expect(outcomeOf(() => decodeCheckpointPage(encodeCheckpointHead(HEAD), false))).toBe(CORRUPT);
  });

  it.each<[string, Partial<CheckpointHead>, string]>([
    ['commit 0', { commit: 0, first: 1 }, 'RangeError'],
    ['a first commit 0', { first: 0 }, 'RangeError'],
    ['a first commit beyond the next', { first: 302 }, 'RangeError'],
    ['a short digest', { digest: patternBytes(31, 1) }, 'internal/INVARIANT_BROKEN'],
    ['a short incarnation', { incarnation: patternBytes(15, 1) }, 'internal/INVARIANT_BROKEN'],
  ])('is not written with %s', (_, change, outcome) => {
    expect(outcomeOf(() => encodeCheckpointHead({ ...HEAD, ...change }))).toBe(outcome);
  });

  it.each<[string, number, CborValue]>([
    ['commit 0', 2, 0],
    ['a first commit 0', 5, 0],
    ['a first commit beyond the next', 5, 302],
  ])('is refused with %s', (_, index, value) => {
    const values: readonly CborValue[] = [1, 0, 300, HEAD.digest, HEAD.incarnation, 301, DIGEST, patternBytes(16, 1)];
    expect(outcomeOf(() => decodeCheckpointHead(encodeCbor(values), false))).toBe('no error');
    expect(outcomeOf(() => decodeCheckpointHead(encodeCbor(values.with(index, value)), false))).toBe(CORRUPT);
  });

  it('is refused when it is cut short, names no pack or begins after its end', () => {
    const bytes = encodeCheckpointHead(HEAD);
    for (const cut of truncations(bytes)) expect(outcomeOf(() => decodeCheckpointHead(cut, false))).toBe(CORRUPT);
    const values = [1, 0, 300, HEAD.digest, HEAD.incarnation, 302, new Uint8Array(32), new Uint8Array(16)];
    expect(outcomeOf(() => decodeCheckpointHead(encodeCbor(values), false))).toBe(CORRUPT);
    const lists: readonly [number, number][] = [
      [32, 0],
      [31, 16],
      [32, 15],
    ];
    for (const [pages, packs] of lists) {
      const damaged = [...values.slice(0, 5), 301, new Uint8Array(pages), new Uint8Array(packs)];
      expect(outcomeOf(() => decodeCheckpointHead(encodeCbor(damaged), false))).toBe(CORRUPT);
    }
  });
});
