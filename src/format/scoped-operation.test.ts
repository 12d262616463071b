import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { EMPTY_ENTRY, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { countingRandom, SAMPLE_NAMED_OPERATIONS, sampleSchedule, TENANT } from '../../test/support/sealed-samples.ts';
import { concatBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { encodeCbor } from './cbor.ts';
import { encodeEntry } from './entry.ts';
import { encodeObjectKey } from './object-key.ts';
import { scopeKey } from './scoped-key.ts';
import { openOperation, sealOperation } from './scoped-operation.ts';
import type { NamespacedOperation, ScopedOperation } from './types.ts';

const KEY = sampleSchedule().operationKey(TENANT);
const OPENER = new EnvelopeOpener(KEY);
const name = (text: string): Uint8Array => scopeKey(TENANT, utf8Encode(text));

const object = (namespace: number): Uint8Array =>
  encodeObjectKey({ namespace, objectClass: 'raw', digest: patternBytes(32, 3) });

function seal(operation: NamespacedOperation, namespace = TENANT): ScopedOperation {
  return sealOperation(operation, { namespace, sealer: new EnvelopeSealer(KEY, countingRandom(1)) });
}

/** Sealed as the real ones are, whatever it holds. */
function forged(plain: Uint8Array): ScopedOperation {
  const aad = concatBytes([utf8Encode('holdfast scoped operation v1'), Uint8Array.of(TENANT, 0, 0, 0)]);
  const sealed = new EnvelopeSealer(KEY, countingRandom(2)).seal(plain, aad);
  return { type: 'scoped', namespace: TENANT, sealed };
}

const openOutcome = (scoped: ScopedOperation): string => outcomeOf(() => openOperation(scoped, OPENER));

describe('a scoped operation', () => {
  it.each<NamespacedOperation>([
    { type: 'entry-put', key: name('a'), entry: encodeEntry(EMPTY_ENTRY), modified: 5 },
    { type: 'entry-delete', key: name('a') },
    { type: 'entry-rename', from: name('a'), to: name('b') },
    { type: 'entry-copy', from: name('a'), to: name('b'), modified: 6 },
    ...SAMPLE_NAMED_OPERATIONS,
  ])('opens to what was sealed: $type', (operation) => {
    const scoped = seal(operation);
    expect(openOperation(scoped, OPENER)).toEqual(operation);
    expect(toHex(scoped.sealed)).not.toContain(toHex(name('a')));
  });

  it('notices every flipped bit and every lost byte', () => {
    const scoped = seal({ type: 'entry-delete', key: name('a') });
    for (const { bytes } of bitFlips(scoped.sealed))
      expect(openOutcome({ ...scoped, sealed: bytes })).toBe('corrupt/JOURNAL_CORRUPT');
    for (const sealed of truncations(scoped.sealed))
      expect(openOutcome({ ...scoped, sealed })).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('opens in no other namespace, even under its own key', () => {
    const scoped = seal({ type: 'entry-delete', key: name('a') });
    expect(openOutcome({ ...scoped, namespace: TENANT + 1 })).toBe('corrupt/JOURNAL_CORRUPT');
    const other = new EnvelopeOpener(sampleSchedule().operationKey(0));
    expect(outcomeOf(() => openOperation(scoped, other))).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('is not sealed with the key of another namespace in it', () => {
    for (const key of [utf8Encode('a'), scopeKey(TENANT + 1, utf8Encode('a'))])
      expect(outcomeOf(() => seal({ type: 'entry-delete', key }))).toBe('internal/INVARIANT_BROKEN');
  });

  it.each<[string, Uint8Array, string]>([
    ['a key of the default namespace', encodeCbor([3, utf8Encode('a')]), 'corrupt/JOURNAL_CORRUPT'],
    ['a key of another namespace', encodeCbor([3, scopeKey(8, utf8Encode('a'))]), 'corrupt/JOURNAL_CORRUPT'],
    ['an operation on the store', encodeCbor([1, null]), 'corrupt/JOURNAL_CORRUPT'],
    ['a scoped operation', encodeCbor([8, TENANT, patternBytes(60, 1)]), 'corrupt/JOURNAL_CORRUPT'],
    ['a dropped namespace', encodeCbor([9, TENANT]), 'corrupt/JOURNAL_CORRUPT'],
    ['a policy', encodeCbor([16, TENANT, null]), 'corrupt/JOURNAL_CORRUPT'],
    ['an object of another namespace', encodeCbor([10, object(8), 1, name('a')]), 'corrupt/JOURNAL_CORRUPT'],
    ['a ref to another namespace', encodeCbor([11, name('a'), object(0), '']), 'corrupt/JOURNAL_CORRUPT'],
    ['a parent of another namespace', encodeCbor([13, name('a'), utf8Encode('a')]), 'corrupt/JOURNAL_CORRUPT'],
    ['an operation of the future', encodeCbor([99]), 'unsupported/OPERATION_UNSUPPORTED'],
    ['a value too many', encodeCbor([3, name('a'), 0]), 'corrupt/JOURNAL_CORRUPT'],
    ['no CBOR', Uint8Array.of(0xff), 'corrupt/JOURNAL_CORRUPT'],
    ['what it should', encodeCbor([3, name('a')]), 'no error'],
  ])('that was sealed with %s in it', (_, plain, outcome) => {
    expect(openOutcome(forged(plain))).toBe(outcome);
  });

  it('gives an operation or its error for whatever was sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (plain) => {
        expect(['no error', 'corrupt/JOURNAL_CORRUPT', 'unsupported/OPERATION_UNSUPPORTED']).toContain(
          openOutcome(forged(plain)),
        );
      }),
    );
  });
});
