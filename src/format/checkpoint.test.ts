import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { samplePages } from '../../test/support/checkpoint-samples.ts';
import { DATA_DESCRIPTOR, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { countingRandom, ISOLATED, sampleSchedule, TENANT } from '../../test/support/sealed-samples.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
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

const CORRUPT = 'corrupt/JOURNAL_CORRUPT';
const KEY = sampleSchedule().operationKey(TENANT);
const OPENER = new EnvelopeOpener(KEY);

const OTHERS: readonly CheckpointPage[] = [
  { table: 'packs', namespace: 0, rows: [DATA_DESCRIPTOR] },
  {
    table: 'policies',
    namespace: 0,
    rows: [
      { namespace: 0, policy: {} },
      { namespace: 0, policy: { last: 2 } },
    ],
  },
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
      expect(decodeCheckpointPage(encodeCheckpointPage(page, { sealed }), sealed)).toEqual(page);
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
  ])('is refused with %s', (_, value, outcome) => {
    expect(outcomeOf(() => decodeCheckpointPage(encodeCbor(value), true))).toBe(outcome);
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
