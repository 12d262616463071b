import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { patternBytes } from '../../test/support/format-samples.ts';
import { EPOCH, ISOLATED, RING, sampleSchedule, sealedHeader, TENANT } from '../../test/support/sealed-samples.ts';
import { concatBytes, EMPTY_BYTES, toHex, utf8Encode } from '../bytes/bytes.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { KeySchedule, type RingSecrets } from './key-schedule.ts';

const SCHEDULE = sampleSchedule();
const PACK = { ...sealedHeader('data', 3, { namespace: TENANT }), salt: patternBytes(32, 5) };

/** HKDF-SHA256 (RFC 5869) straight from Node. */
function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes = 32): string {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, bytes)).toString('hex');
}

function derived(secret: Uint8Array, label: string, salt: Uint8Array = EMPTY_BYTES, bytes = 32): string {
  return hkdf(secret, salt, utf8Encode(label), bytes);
}

const [STORE, EPOCH_SECRET, TENANT_SECRET] = [RING.store, patternBytes(32, 62), patternBytes(32, 64)] as const;

/** Every key, as hex. */
function keysOf(schedule: KeySchedule, namespace: number, epoch: number): Readonly<Record<string, string>> {
  return {
    pack: toHex(schedule.packKey({ ...PACK, namespace, epoch })),
    id: toHex(schedule.idKey(namespace)),
    chunker: schedule.chunkerSeed(namespace).toString(16),
    operation: toHex(schedule.operationKey(namespace)),
    isolatedEntry: toHex(schedule.isolatedEntryKey(namespace)),
    isolatedVersion: toHex(schedule.isolatedVersionKey(namespace)),
    writerKem: toHex(schedule.writerKemSeed(namespace, epoch)),
    metadata: toHex(schedule.metadataKey(epoch)),
    lookup: toHex(schedule.lookupKey()),
    tableSum: toHex(schedule.tableSumKey()),
    keyPage: toHex(schedule.keyPageKey()),
    guardTag: toHex(schedule.guardTag()),
  };
}

describe('a key schedule', () => {
  it('derives each key with HKDF-SHA256 under its label', () => {
    const data = derived(EPOCH_SECRET, 'holdfast data key v1', TENANT_SECRET);
    const packInfo = concatBytes([
      utf8Encode('holdfast pack key v1'),
      PACK.store,
      PACK.pack,
      Uint8Array.of(1, TENANT, 0, 0, 0, EPOCH, 0, 0, 0),
    ]);
    const chunker = Buffer.from(derived(TENANT_SECRET, 'holdfast chunker seed v1', undefined, 8), 'hex');
    expect(keysOf(SCHEDULE, TENANT, EPOCH)).toEqual({
      pack: hkdf(Buffer.from(data, 'hex'), PACK.salt, packInfo),
      id: derived(TENANT_SECRET, 'holdfast id key v1'),
      chunker: chunker.readBigUInt64LE().toString(16),
      operation: derived(TENANT_SECRET, 'holdfast operation key v1'),
      isolatedEntry: derived(TENANT_SECRET, 'holdfast isolated entry key v1'),
      isolatedVersion: derived(TENANT_SECRET, 'holdfast isolated version key v1'),
      writerKem: derived(EPOCH_SECRET, 'holdfast writer kem seed v1', TENANT_SECRET, 64),
      metadata: derived(EPOCH_SECRET, 'holdfast metadata key v1', STORE),
      lookup: derived(STORE, 'holdfast lookup key v1'),
      tableSum: derived(STORE, 'holdfast table sum key v1'),
      keyPage: derived(STORE, 'holdfast key page key v1'),
      guardTag: derived(STORE, 'holdfast guard tag v1'),
    });
  });

  it('gives no two equal keys', () => {
    const keys = [0, TENANT, ISOLATED].flatMap((namespace) =>
      [1, 2].flatMap((epoch) => Object.entries(keysOf(SCHEDULE, namespace, epoch))),
    );
    // What depends on less than both comes up again under the same name, and under no other.
    const names = new Map<string, Set<string>>();
    for (const [name, key] of keys) names.set(key, (names.get(key) ?? new Set()).add(name));
    expect([...names.values()].filter((each) => each.size > 1)).toEqual([]);
    expect(names.size).toBe(2 * 3 * 2 + 5 * 3 + 1 * 2 + 4);
  });

  it('keeps ids, chunking and lookups through a rotation', () => {
    const rotated = new KeySchedule({ ...RING, epochs: [...RING.epochs, { number: 3, secret: patternBytes(32, 66) }] });
    expect(rotated.currentEpoch).toBe(3);
    expect(rotated.idKey(TENANT)).toEqual(SCHEDULE.idKey(TENANT));
    expect(rotated.chunkerSeed(TENANT)).toBe(SCHEDULE.chunkerSeed(TENANT));
    expect(rotated.lookupKey()).toEqual(SCHEDULE.lookupKey());
    expect(rotated.packKey(PACK)).toEqual(SCHEDULE.packKey(PACK));
    expect(rotated.packKey({ ...PACK, epoch: 3 })).not.toEqual(SCHEDULE.packKey(PACK));
  });

  it('gives another pack key for every part of a name', () => {
    const names = [
      PACK,
      { ...PACK, store: patternBytes(16, 9) },
      { ...PACK, pack: patternBytes(16, 9) },
      { ...PACK, class: 'meta' as const },
      { ...PACK, namespace: 0 },
      { ...PACK, epoch: 1 },
      { ...PACK, salt: patternBytes(32, 9) },
    ];
    expect(new Set(names.map((name) => toHex(SCHEDULE.packKey(name)))).size).toBe(names.length);
  });

  it('says which epoch it does not know, and which namespace has no key', () => {
    expect(outcomeOf(() => SCHEDULE.packKey({ ...PACK, epoch: 3 }))).toBe('denied/EPOCH_UNKNOWN');
    expect(outcomeOf(() => SCHEDULE.metadataKey(0))).toBe('denied/EPOCH_UNKNOWN');
    expect(outcomeOf(() => SCHEDULE.idKey(8))).toBe('denied/NAMESPACE_KEY_GONE');
    expect(caught(() => SCHEDULE.idKey(8))).toMatchObject({ details: { namespace: 8 } });
    expect(caught(() => SCHEDULE.metadataKey(5))).toMatchObject({ details: { epoch: 5 } });
    expect(outcomeOf(() => SCHEDULE.packKey({ ...PACK, namespace: 8 }))).toBe('denied/NAMESPACE_KEY_GONE');
  });

  it('forgets a namespace, and leaves the keys it gave alone', () => {
    const schedule = sampleSchedule();
    const key = schedule.packKey(PACK);
    expect(schedule.hasNamespace(TENANT)).toBe(true);
    schedule.forget(TENANT);
    expect(schedule.hasNamespace(TENANT)).toBe(false);
    expect(outcomeOf(() => schedule.packKey(PACK))).toBe('denied/NAMESPACE_KEY_GONE');
    expect(toHex(key)).toBe(toHex(SCHEDULE.packKey(PACK)));
    schedule.forget(TENANT);
  });

  it('learns the keys of isolated entries, and no others', () => {
    const schedule = new KeySchedule(RING);
    expect(schedule.hasNamespace(ISOLATED)).toBe(false);
    const secret = patternBytes(32, 65);
    schedule.learn(ISOLATED, secret);
    secret.fill(0);
    schedule.learn(ISOLATED, patternBytes(32, 65));
    expect(schedule.isolatedEntryKey(ISOLATED)).toEqual(SCHEDULE.isolatedEntryKey(ISOLATED));
    expect(outcomeOf(() => schedule.learn(ISOLATED, patternBytes(32, 66)))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => schedule.learn(8, patternBytes(32, 66)))).toBe('internal/INVARIANT_BROKEN');
  });

  it('learns from an earlier one what that has learned, and nothing of its ring', () => {
    const [earlier, schedule] = [sampleSchedule(), new KeySchedule({ ...RING, namespaces: [] })];
    earlier.learn(ISOLATED_NAMESPACE_MIN, patternBytes(32, 67));
    schedule.learnFrom(earlier);
    for (const namespace of [ISOLATED, ISOLATED_NAMESPACE_MIN])
      expect(schedule.isolatedEntryKey(namespace)).toEqual(earlier.isolatedEntryKey(namespace));
    expect([0, TENANT].map((namespace) => schedule.hasNamespace(namespace))).toEqual([false, false]);
    expect([0, 1, 2, 3].map((epoch) => schedule.hasEpoch(epoch))).toEqual([false, true, true, false]);
  });

  it('gives no key to a pack whose salt is none', () => {
    expect(outcomeOf(() => SCHEDULE.packKey({ ...PACK, salt: patternBytes(31, 1) }))).toBe('internal/INVARIANT_BROKEN');
  });

  it('gives no key once it is wiped, and leaves alone what it was made of and what it gave', () => {
    const schedule = new KeySchedule(RING);
    const key = schedule.packKey(PACK);
    schedule.wipe();
    for (const ask of [
      () => schedule.packKey(PACK),
      () => schedule.idKey(0),
      () => schedule.metadataKey(EPOCH),
      () => schedule.lookupKey(),
      () => schedule.tableSumKey(),
      () => schedule.keyPageKey(),
      () => schedule.guardTag(),
      () => schedule.writerKemSeed(0, EPOCH),
    ])
      expect(outcomeOf(ask)).toBe('internal/INVARIANT_BROKEN');
    expect(toHex(key)).toBe(toHex(SCHEDULE.packKey(PACK)));
    expect(new KeySchedule(RING).lookupKey()).toEqual(SCHEDULE.lookupKey());
  });

  it.each<[string, RingSecrets]>([
    ['no epoch', { ...RING, epochs: [] }],
    ['epoch 0', { ...RING, epochs: [{ number: 0, secret: patternBytes(32, 1) }] }],
    ['one epoch twice', { ...RING, epochs: [...RING.epochs, ...RING.epochs] }],
    ['a short store secret', { ...RING, store: patternBytes(31, 1) }],
    ['a short epoch secret', { ...RING, epochs: [{ number: 1, secret: patternBytes(16, 1) }] }],
    ['a namespace below 0', { ...RING, namespaces: [{ number: -1, secret: patternBytes(32, 1) }] }],
    ['half a namespace', { ...RING, namespaces: [{ number: 1.5, secret: patternBytes(32, 1) }] }],
    ['a namespace beyond u32', { ...RING, namespaces: [{ number: 2 ** 32, secret: patternBytes(32, 1) }] }],
  ])('takes no ring with %s', (_, ring) => {
    expect(outcomeOf(() => new KeySchedule(ring))).toBe('internal/INVARIANT_BROKEN');
  });
});
