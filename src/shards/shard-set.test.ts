import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { parseRedundancy, REDUNDANCY_PRESETS } from '../erasure/index.ts';
import { blake3, type Digest, digestOf } from '../hash/index.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { decodeShardSet } from './decode-shard-set.ts';
import { encodeShardSet } from './encode-shard-set.ts';
import { repairShardSet } from './repair-shard-set.ts';
import { checkShardSet, type SetShard, type ShardSet } from './shard-set.ts';
import { shardSetRoot } from './shard-set-root.ts';
import { verifyShardSet } from './verify-shard-set.ts';

const CONTENT = utf8Encode('content that somebody wants to keep');
const CLOCK = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678), monotonicMs: () => 0 };
const LATER = { now: () => Date.UTC(2027, 0, 1), monotonicMs: () => 0 };

function setOf(redundancy = '3+2', content = CONTENT): ShardSet {
  return encodeShardSet(content, parseRedundancy(redundancy), {
    contentType: 'text/plain',
    subject: 'somebody',
    clock: CLOCK,
    random: seededRandom(1).bytes,
  });
}

/** The set with other shards at some indexes. */
function damaged(set: ShardSet, indexes: readonly number[], change: (shard: SetShard) => Partial<SetShard>): ShardSet {
  const shards = set.shards.map((shard, index) => (indexes.includes(index) ? { ...shard, ...change(shard) } : shard));
  return { ...set, shards };
}

const missing = (): Partial<SetShard> => ({ bytes: undefined });
const flipped = ({ bytes }: SetShard): Partial<SetShard> => ({ bytes: bytes!.map((byte) => byte ^ 1) });
/** Other bytes and the digest that goes with them. */
function forged(shard: SetShard): Partial<SetShard> {
  const bytes = shard.bytes!.map((byte) => byte ^ 0x55);
  return { bytes, digest: blake3(bytes) };
}

describe('a shard set', () => {
  it('says what it is', () => {
    const set = setOf();
    expect(set).toMatchObject({
      redundancy: { k: 3, m: 2 },
      algorithm: 'blake3',
      size: CONTENT.length,
      digest: blake3(CONTENT),
      contentType: 'text/plain',
      subject: 'somebody',
      created: '2026-01-02T03:04:05.678Z',
    });
    expect(set.id).toMatch(/^[0-9a-f]{32}$/);
    expect(set.shards.map(({ bytes }) => bytes?.length)).toEqual([12, 12, 12, 12, 12]);
    expect(set.root).toEqual(
      shardSetRoot(
        set.shards.map(({ digest }) => digest),
        12,
        'blake3',
      ),
    );
  });

  it('gives its content back from any k shards, for any redundancy and content', () => {
    const cases = fc.record({
      k: fc.integer({ min: 1, max: 8 }),
      m: fc.integer({ min: 0, max: 6 }),
      content: fc.uint8Array({ maxLength: 60 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ k, m, content, seed }) => {
        const set = encodeShardSet(content, { k, m });
        const random = seededRandom(seed);
        const order = set.shards.map((_, index) => ({ index, rank: random.next() })).sort((a, b) => a.rank - b.rank);
        const lost = order.slice(k).map(({ index }) => index);
        const decoded = decodeShardSet(damaged(set, lost, missing));
        expect(decoded.content).toEqual(content);
        expect(decoded.missing).toEqual(lost.sort((a, b) => a - b));
        expect(decoded.choices).toBe(1);
      }),
    );
  });

  it.each(['sha256', 'sha3-256', 'blake2b-256'] as const)('may have digests of %s', (algorithm) => {
    const set = encodeShardSet(CONTENT, { k: 2, m: 1 }, { algorithm });
    expect(set.digest).toEqual(digestOf(algorithm, CONTENT));
    expect(verifyShardSet(damaged(set, [0], missing))).toMatchObject({
      canDecode: true,
      rootMatches: true,
      missing: [0],
    });
  });

  it('of empty content has empty shards, and reads back', () => {
    const set = damaged(setOf('2+1', new Uint8Array(0)), [1], missing);
    expect(decodeShardSet(set).content).toEqual(new Uint8Array(0));
    expect(verifyShardSet(repairShardSet(set).set).isWhole).toBe(true);
  });

  it('shares no memory with its content', () => {
    const content = new Uint8Array(CONTENT);
    const set = encodeShardSet(content, { k: 2, m: 1 });
    content.fill(0);
    expect(decodeShardSet(set).content).toEqual(CONTENT);
  });

  it('has another root with one shard more, the last one twice', () => {
    const digests = [1, 2, 3].map((byte) => blake3(Uint8Array.of(byte)));
    const root = (list: readonly Digest[]) => Buffer.from(shardSetRoot(list, 1, 'blake3')).toString('hex');
    expect(root(digests)).not.toBe(root([...digests, digests[2]!]));
  });
});

describe('wrong shards', () => {
  it('are dropped when their digest does not fit, and others used', () => {
    const set = damaged(damaged(setOf(), [0], flipped), [2], missing);
    expect(decodeShardSet(set)).toMatchObject({ content: CONTENT, used: [1, 3, 4], corrupt: [0], missing: [2] });
  });

  it('are dropped when they have another length', () => {
    const short = damaged(setOf(), [1], ({ bytes }) => ({
      bytes: bytes!.subarray(1),
      digest: blake3(bytes!.subarray(1)),
    }));
    expect(decodeShardSet(short)).toMatchObject({ content: CONTENT, corrupt: [1] });
  });

  it.each([
    [[0]],
    [[4]],
    [[0, 1]],
    [[1, 3]],
  ])('that were forged with their digests at %j are told by the content', (at) => {
    const set = damaged(setOf(), at, forged);
    const decoded = decodeShardSet(set);
    expect(decoded.content).toEqual(CONTENT);
    expect(decoded.used.some((index) => at.includes(index))).toBe(false);
    expect(verifyShardSet(set)).toMatchObject({ isWhole: false, canDecode: true, corrupt: at, rootMatches: false });
  });

  it('that were forged with root and digests are told too', () => {
    const set = damaged(setOf('7+8'), [0, 1, 2, 3, 4, 5, 6, 7], forged);
    const root = shardSetRoot(
      set.shards.map(({ digest }) => digest),
      set.shards[0]!.bytes!.length,
      'blake3',
    );
    const report = verifyShardSet({ ...set, root });
    expect(report).toMatchObject({ canDecode: true, rootMatches: true, isWhole: false, lossesLeft: 0 });
    expect(report.corrupt).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('are too many when fewer than k are good', () => {
    const few = damaged(damaged(setOf(), [0, 4], missing), [2], flipped);
    expect(outcomeOf(() => decodeShardSet(few))).toBe('corrupt/SHARDS_INSUFFICIENT');
    expect(outcomeOf(() => repairShardSet(few))).toBe('corrupt/SHARDS_INSUFFICIENT');
    expect(verifyShardSet(few)).toMatchObject({ canDecode: false, good: [1, 3], lossesLeft: -1 });
  });

  it('are too many when every choice has a forged one, and nobody waits for ever', () => {
    const set = damaged(setOf(), [0, 1, 2], forged);
    expect(outcomeOf(() => decodeShardSet(set))).toBe('corrupt/SHARD_SET_CORRUPT');
    expect(outcomeOf(() => repairShardSet(set))).toBe('corrupt/SHARD_SET_CORRUPT');
    expect(verifyShardSet(set)).toMatchObject({ canDecode: false, isWhole: false });
    const large = damaged(setOf('20+20'), [...Array(21).keys()], forged);
    expect(outcomeOf(() => decodeShardSet(large))).toBe('corrupt/SHARD_SET_CORRUPT');
  });

  it('are parity that was never computed', () => {
    const set = damaged(setOf(), [3, 4], ({ bytes }) => ({ bytes: new Uint8Array(bytes!.length) }));
    const zeros = damaged(set, [3, 4], ({ bytes }) => ({ digest: blake3(bytes!) }));
    expect(verifyShardSet(zeros)).toMatchObject({ isWhole: false, corrupt: [3, 4], lossesLeft: 0 });
  });
});

describe('the report', () => {
  it('of a good set is good', () => {
    expect(verifyShardSet(setOf(), { clock: LATER })).toEqual({
      isWhole: true,
      canDecode: true,
      shardCount: 5,
      good: [0, 1, 2, 3, 4],
      corrupt: [],
      missing: [],
      rootMatches: true,
      lossesLeft: 2,
      verifiedAt: '2027-01-01T00:00:00.000Z',
    });
  });

  it('tells a wrong root, which changes no shard', () => {
    const report = verifyShardSet({ ...setOf(), root: blake3(CONTENT) });
    expect(report).toMatchObject({ isWhole: false, rootMatches: false, corrupt: [], lossesLeft: 2 });
  });
});

describe('repairing', () => {
  it('makes what is wrong anew and keeps the rest', () => {
    const location = { backend: 'attic', key: 'shards/3' };
    const before = damaged(setOf(), [0, 3], () => ({ location }));
    const set = damaged(damaged(before, [1], forged), [3], missing);
    const { set: whole, repaired } = repairShardSet(set, { clock: LATER });
    expect(repaired).toEqual([1, 3]);
    expect(whole).toEqual({ ...before, verified: '2027-01-01T00:00:00.000Z' });
    for (const index of [0, 2, 4]) expect(whole.shards[index]).toBe(set.shards[index]);
    expect(verifyShardSet(whole).isWhole).toBe(true);
  });

  it('makes a wrong root right', () => {
    const set = setOf();
    expect(repairShardSet({ ...set, root: blake3(CONTENT) })).toMatchObject({ repaired: [], set: { root: set.root } });
  });
});

describe('what is no shard set', () => {
  const set = setOf();
  it.each<[string, unknown]>([
    ['value', null],
    ['id', { ...set, id: 'x' }],
    ['redundancy', { ...set, redundancy: { k: 0, m: 1 } }],
    ['redundancy', { ...set, redundancy: '3+2' }],
    ['algorithm', { ...set, algorithm: 'md5' }],
    ['algorithm', { ...set, algorithm: 7 }],
    ['size', { ...set, size: -1 }],
    ['size', { ...set, size: 2 ** 28 }],
    ['digest', { ...set, digest: new Uint8Array(31) }],
    ['root', { ...set, root: undefined }],
    ['contentType', { ...set, contentType: 'x'.repeat(257) }],
    ['subject', { ...set, subject: '\ud800' }],
    ['created', { ...set, created: 'yesterday' }],
    ['verified', { ...set, verified: 5 }],
    ['shards', { ...set, shards: set.shards.slice(1) }],
    ['shards.1', { ...set, shards: set.shards.with(1, null as never) }],
    ['shards.1.digest', damaged(set, [1], () => ({ digest: 'x' as never }))],
    ['shards.2.bytes', damaged(set, [2], () => ({ bytes: 'x' as never }))],
    ['shards.0.location.key', damaged(set, [0], () => ({ location: { backend: 'a', key: 5 as never } }))],
  ])('is told by its %s', (field, value) => {
    for (const use of [checkShardSet, decodeShardSet, verifyShardSet, repairShardSet]) {
      expect(outcomeOf(() => use(value as ShardSet))).toBe('invalid/SHARD_SET_INVALID');
    }
    expect(() => checkShardSet(value as ShardSet)).toThrow(expect.objectContaining({ details: { setting: field } }));
  });

  it('cannot be made', () => {
    expect(outcomeOf(() => encodeShardSet(CONTENT, { k: 3, m: 300 }))).toBe('invalid/REDUNDANCY_INVALID');
    expect(outcomeOf(() => encodeShardSet(CONTENT, { k: 1, m: 0 }, { subject: 'x'.repeat(257) }))).toBe(
      'invalid/SHARD_SET_INVALID',
    );
    expect(() => encodeShardSet('text' as never, { k: 1, m: 0 })).toThrow(TypeError);
    expect(() => encodeShardSet(new Uint8Array(2 ** 21), { k: 1, m: 200 })).toThrow(RangeError);
    expect(() => encodeShardSet(CONTENT, { k: 1, m: 0 }, { algorithm: 'md5' as never })).toThrow(RangeError);
  });

  it('is no preset either: presets are redundancies', () => {
    expect(setOf('federation').redundancy).toEqual(REDUNDANCY_PRESETS.federation);
  });
});
