import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { compareBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { BACKEND_KEY_DEPTH_MAX, BACKEND_KEY_LENGTH_MAX, STRIPE_SHARDS_MAX } from '../limits.ts';
import {
  createPackId,
  JOURNAL_PREFIX,
  type JournalPackName,
  journalKeyAfter,
  journalPrefix,
  PACKS_PREFIX,
  parseShardKey,
  type ShardName,
  shardKey,
} from './names.ts';

const SESSION = new Uint8Array(Buffer.from('0123456789abcdef', 'hex'));
const INCARNATION = new Uint8Array(16).fill(0xab);
const ID = createPackId(SESSION, 0x1f4);

const ids = fc.uint8Array({ minLength: 16, maxLength: 16 });
const indexes = fc.nat(STRIPE_SHARDS_MAX - 1);
const journalNames = fc
  .tuple(
    ids,
    ids,
    fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()),
    fc.constantFrom('journal' as const, 'checkpoint' as const),
  )
  .map(([id, incarnation, [a, b], packClass]): JournalPackName => {
    const firstCommit = Math.max(1, Math.min(a, b));
    return { id, class: packClass, journal: { incarnation, firstCommit, lastCommit: Math.max(firstCommit, a, b) } };
  });

/** The key of what a parsed name says; which class another pack has makes no difference. */
function keyOf({ pack, index }: ShardName): string {
  return shardKey(pack.journal ? pack : { id: pack.id, class: 'data' }, index);
}

function journalName(firstCommit: number, lastCommit: number): JournalPackName {
  return { id: ID, class: 'journal', journal: { incarnation: INCARNATION, firstCommit, lastCommit } };
}

describe('a pack id', () => {
  it('is the session, then the ordinal', () => {
    expect(toHex(ID)).toBe('0123456789abcdef00000000000001f4');
    expect(toHex(createPackId(SESSION, Number.MAX_SAFE_INTEGER))).toBe('0123456789abcdef001fffffffffffff');
  });

  it('sorts by ordinal within a session', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        const order = compareBytes(createPackId(SESSION, a), createPackId(SESSION, b));
        expect(Math.sign(order)).toBe(Math.sign(a - b));
      }),
    );
  });

  it('needs a session and a whole ordinal', () => {
    expect(outcomeOf(() => createPackId(new Uint8Array(16), 0))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => createPackId(SESSION, -1))).toBe('RangeError');
    expect(outcomeOf(() => createPackId(SESSION, 2 ** 53))).toBe('RangeError');
  });
});

describe('the key of a shard', () => {
  it('is in a folder named by the last byte of the pack id', () => {
    expect(shardKey({ id: ID, class: 'data' }, 0)).toBe('packs/f4/0123456789abcdef00000000000001f4.0');
    expect(shardKey({ id: ID, class: 'meta' }, 254)).toBe('packs/f4/0123456789abcdef00000000000001f4.254');
  });

  it('of a journal pack tells incarnation and commits, the last one first', () => {
    expect(shardKey(journalName(38, 41), 2)).toBe(
      'journal/abababababababababababababababab/0000000000000029-0000000000000026-0123456789abcdef00000000000001f4.2',
    );
  });

  it('of a pack of a checkpoint tells its commit, and the first one whose record it needs besides', () => {
    const key = shardKey({ ...journalName(42, 41), class: 'checkpoint' }, 0);
    expect(key).toBe(
      'journal/abababababababababababababababab/checkpoint-0000000000000029-000000000000002a-0123456789abcdef00000000000001f4.0',
    );
    expect(parseShardKey(key)).toEqual({ pack: { ...journalName(42, 41), class: 'checkpoint' }, index: 0 });
  });

  it('reads back, and is a key that every backend takes', () => {
    fc.assert(
      fc.property(fc.oneof(ids, journalNames), indexes, (name, index) => {
        const pack: ShardName['pack'] = name instanceof Uint8Array ? { id: name } : name;
        const key = keyOf({ pack, index });
        expect(parseShardKey(key)).toEqual({ pack, index });
        expect(key).toMatch(/^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/);
        expect(key.length).toBeLessThanOrEqual(BACKEND_KEY_LENGTH_MAX);
        expect(key.split('/').length).toBeLessThanOrEqual(BACKEND_KEY_DEPTH_MAX);
        expect(key.startsWith(pack.journal ? JOURNAL_PREFIX : PACKS_PREFIX)).toBe(true);
      }),
    );
  });

  it.each([
    '',
    'holdfast.json',
    'packs/f4/0123456789abcdef00000000000001f4',
    'packs/f5/0123456789abcdef00000000000001f4.0',
    'packs/0123456789abcdef00000000000001f4.0',
    'packs/f4/0123456789abcdef00000000000001f4.00',
    'packs/f4/0123456789abcdef00000000000001f4.01',
    'packs/f4/0123456789abcdef00000000000001f4.255',
    'packs/f4/0123456789abcdef00000000000001f4.-1',
    'packs/f4/0123456789abcdef00000000000001f4.0 ',
    'packs/f4/0123456789abcdef00000000000001f4.0\n',
    'packs/F4/0123456789ABCDEF00000000000001F4.0',
    'packs/f4/0123456789abcdef000000000000f4.0',
    'x/packs/f4/0123456789abcdef00000000000001f4.0',
    'packs/f4/0123456789abcdef00000000000001f4.0/x',
    'journal/abababababababababababababababab/0000000000000029-0000000000000000-0123456789abcdef00000000000001f4.0',
    'journal/abababababababababababababababab/0000000000000025-0000000000000026-0123456789abcdef00000000000001f4.0',
    'journal/abababababababababababababababab/0020000000000000-0000000000000001-0123456789abcdef00000000000001f4.0',
    'journal/abababababababababababababababab/29-26-0123456789abcdef00000000000001f4.0',
    'journal/abababababababababababababababab/0000000000000029-0000000000000026-0123456789abcdef00000000000001f4.300',
    'journal/abababababababababababababababab/checkpoint-0000000000000029-000000000000002b-0123456789abcdef00000000000001f4.0',
    'journal/abababababababababababababababab/checkpoint-0000000000000000-0000000000000001-0123456789abcdef00000000000001f4.0',
    'journal/abababababababababababababababab/check-0000000000000029-0000000000000026-0123456789abcdef00000000000001f4.0',
    'journal/abab/0000000000000029-0000000000000026-0123456789abcdef00000000000001f4.0',
  ])('is never taken for one: %j', (key) => {
    expect(parseShardKey(key)).toBeUndefined();
  });

  it('is taken from any text only where it would be written so', () => {
    const near = fc
      .tuple(
        fc.oneof(
          ids.map((id) => ({ id })),
          journalNames,
        ),
        indexes,
        fc.nat(120),
        fc.string({ maxLength: 2 }),
      )
      .map(([pack, index, at, text]) => {
        const key = keyOf({ pack, index });
        return key.slice(0, at) + text + key.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (key) => {
        const name = parseShardKey(key);
        if (name) expect(keyOf(name)).toBe(key);
      }),
    );
  });

  it.each<[string, Parameters<typeof shardKey>, string]>([
    ['a short id', [{ id: new Uint8Array(8), class: 'data' }, 0], 'internal/INVARIANT_BROKEN'],
    ['a journal pack without a place', [{ id: ID, class: 'journal' }, 0], 'internal/INVARIANT_BROKEN'],
    ['a place in the journal for data', [{ ...journalName(1, 1), class: 'data' }, 0], 'internal/INVARIANT_BROKEN'],
    ['an index beyond all stripes', [{ id: ID, class: 'data' }, STRIPE_SHARDS_MAX], 'RangeError'],
  ])('is not made for %s', (_, [pack, index], outcome) => {
    expect(outcomeOf(() => shardKey(pack, index))).toBe(outcome);
  });
});

describe('listing after a commit', () => {
  it('finds exactly the journal packs that hold a later one', () => {
    const commits = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }));
    fc.assert(
      fc.property(commits, commits, (commit, lastCommit) => {
        const key = utf8Encode(shardKey(journalName(1, lastCommit), 0));
        const after = utf8Encode(journalKeyAfter(INCARNATION, commit));
        expect(compareBytes(key, after) > 0).toBe(lastCommit > commit);
        expect(utf8Encode(journalPrefix(INCARNATION))).toEqual(key.subarray(0, journalPrefix(INCARNATION).length));
      }),
    );
  });

  it('begins before the first commit', () => {
    expect(journalKeyAfter(INCARNATION, 0) < shardKey(journalName(1, 1), 0)).toBe(true);
    expect(outcomeOf(() => journalKeyAfter(INCARNATION, -1))).toBe('RangeError');
    expect(outcomeOf(() => journalPrefix(new Uint8Array(8)))).toBe('internal/INVARIANT_BROKEN');
  });
});
